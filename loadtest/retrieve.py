"""Closed-loop load on `/retrieve`, optionally with edits beside it: python loadtest/retrieve.py --help."""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from slotbeam.api.admin.models.edits import BindingCommitted
from slotbeam.client import Client, ServiceError

WORD = "zqxloadword"
QUERIES = ("red shoes", "wireless headphones", "kids winter jacket", "steel water bottle", "gaming laptop 16 gb", WORD)


@dataclass
class Record:
    """What the callers saw."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    first_seen: dict[int, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, seconds: float, status: int, headers: httpx.Headers) -> None:
        now = time.perf_counter()
        with self.lock:
            self.seconds.append(seconds)
            self.statuses[status] += 1
            revision = int(headers.get("x-bindings-revision", -1))
            if revision >= 0:
                self.first_seen.setdefault(revision, now)


def call(url: str, queries: list[str], k: int, stop: threading.Event, record: Record, first: int) -> None:
    """Ask one query after the other until told to stop."""
    with Client(url, timeout_s=60, tries=1, headers={"Accept-Encoding": "identity"}) as client:
        number = first
        while not stop.is_set():
            body = {"query": queries[number % len(queries)], "k": k}
            started = time.perf_counter()
            try:  # an answer is not read into its model: that is work of the callers, not of the service
                status, headers = 200, client.call("POST", "/retrieve", json=body).headers
            except ServiceError as refused:
                status, headers = refused.status, httpx.Headers()
            record.note(time.perf_counter() - started, status, headers)
            number += 1


def edit(url: str, token: str, item: str, rate: float, stop: threading.Event) -> dict[int, float]:
    """Bind and unbind one word `rate` times a second; return revision → moment of acknowledgement."""
    acknowledged: dict[int, float] = {}
    with Client(url, token, timeout_s=60) as client:
        bound: BindingCommitted | None = None
        while not stop.wait(1 / rate):
            if bound:
                revision, bound = client.unbind(bound.id, bound.etag, wait=False).revision, None
            else:
                bound = client.bind([WORD], "entity", items={"ids": [item]}, wait=False)
                revision = bound.revision
            acknowledged[revision] = time.perf_counter()
        if bound:
            client.unbind(bound.id, bound.etag, wait=False)
    return acknowledged


def show(name: str, seconds: list[float]) -> None:
    """Print quantiles in milliseconds."""
    if seconds:
        p50, p90, p99 = np.percentile(np.asarray(seconds) * 1000, [50, 90, 99])
        figures = f"p50 {p50:7.2f}  p90 {p90:7.2f}  p99 {p99:7.2f}  max {max(seconds) * 1e3:7.2f} ms"
        print(f"{name:<28} n {len(seconds):>6}  {figures}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path(os.environ.get("SLOTBEAM_DATA_DIR", "data")))
    parser.add_argument("--url", help="data plane; DATA_DIR/up.json says it otherwise")
    parser.add_argument("--callers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--k", type=int, default=350)
    parser.add_argument("--queries", type=Path, help="one query a line")
    parser.add_argument("--edits", type=float, default=0, help="edits a second beside the load")
    options = parser.parse_args()

    up = json.loads((options.data_dir / "up.json").read_text()) if not options.url or options.edits else {}
    url = options.url or up["data"]
    queries = options.queries.read_text(encoding="utf-8").splitlines() if options.queries else list(QUERIES)
    record, stop = Record(), threading.Event()
    callers = [
        threading.Thread(target=call, args=(url, queries, options.k, stop, record, i)) for i in range(options.callers)
    ]
    acknowledged: dict[int, float] = {}
    if options.edits:
        token = (options.data_dir / "admin.token").read_text().strip()
        with Client(url) as client:
            item = client.retrieve("a", k=1).items[0].id
        callers.append(
            threading.Thread(target=lambda: acknowledged.update(edit(up["admin"], token, item, options.edits, stop)))
        )
    started = time.perf_counter()
    for caller in callers:
        caller.start()
    try:
        stop.wait(options.seconds)
    finally:
        stop.set()
        for caller in callers:
            caller.join()
    took = time.perf_counter() - started
    print(
        f"{len(record.seconds) / took:.1f} answers/s from {options.callers} callers; statuses {dict(record.statuses)}"
    )
    show("/retrieve", record.seconds)
    live = [
        max(0.0, min(seen) - at)
        for revision, at in acknowledged.items()
        if (seen := [moment for newest, moment in record.first_seen.items() if newest >= revision])
    ]
    show("acknowledged → seen live", live)


if __name__ == "__main__":
    main()
