"""What a whole `slotbeam up` costs over loopback, and how soon an edit is live in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from slotbeam.bench.load import UNPACKED, Load
from slotbeam.embedded.record import read_record
from slotbeam.errors import SetupError

WORD = "zqxbenchword"
_READY_S = 60.0
_LIVE_S = 10.0


@contextmanager
def running_up(artifact: Path, processes: int = 1) -> Iterator[dict[str, Any]]:
    """Run `slotbeam up` on free ports in a directory of its own; yields its addresses, that directory and a token.

    Args:
        processes: data planes.
    """
    with tempfile.TemporaryDirectory(prefix="slotbeam-bench-") as temporary:
        data_dir = Path(temporary)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SLOTBEAM_")}
        own = {"PORT": "0", "ADMIN_PORT": "0", "DATA_DIR": temporary, "ARTIFACT": str(artifact), "LOG_LEVEL": "error"}
        own["PROCESSES"] = str(processes)
        process = subprocess.Popen(
            [sys.executable, "-m", "slotbeam.cli", "up"],
            env={**kept, **{f"SLOTBEAM_{name}": value for name, value in own.items()}},
            stdout=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + _READY_S
            while (record := read_record(data_dir)) is None:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SetupError("slotbeam up did not start; its message is above")
                time.sleep(0.05)
            token = (data_dir / "admin.token").read_text(encoding="utf-8").strip()
            yield {**record, "token": token, "data_dir": temporary}
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def bench_http(url: str, texts: Sequence[str], load: Load) -> list[float]:
    """Return seconds of single requests, one after the other, on one connection."""
    seconds = []
    with httpx.Client(base_url=url, headers=UNPACKED, timeout=30, trust_env=False) as client:
        for number in range(load.warm_up + load.requests):
            started = time.perf_counter()
            client.post("/retrieve", json={"query": texts[number % len(texts)], "k": load.k}).raise_for_status()
            if number >= load.warm_up:
                seconds.append(time.perf_counter() - started)
    return seconds


@dataclass
class _Sightings:
    """When an answer of the data plane first carried each revision."""

    first: dict[int, float] = field(default_factory=dict)
    newest: int = -1
    changed: threading.Condition = field(default_factory=threading.Condition)

    def poll(self, url: str, stop: threading.Event) -> None:
        body = {"query": WORD, "k": 1, "beam_width": 1}
        with httpx.Client(base_url=url, headers=UNPACKED, timeout=30, trust_env=False) as client:
            while not stop.is_set():
                revision = int(client.post("/retrieve", json=body).headers["x-bindings-revision"])
                if revision > self.newest:
                    with self.changed:
                        for seen in range(self.newest + 1, revision + 1):
                            self.first[seen] = time.perf_counter()
                        self.newest = revision
                        self.changed.notify_all()

    def wait(self, revision: int) -> float:
        with self.changed:
            if not self.changed.wait_for(lambda: self.newest >= revision, _LIVE_S):
                raise SetupError(f"revision {revision} was not live after {_LIVE_S:g} s; see the log of the data plane")
        return self.first[revision]


def bench_commits(addresses: dict[str, Any], item_id: str, load: Load) -> tuple[list[float], list[float]]:
    """Bind and unbind a word `load.edits` times while one caller asks the data plane without pause.

    Returns:
        Seconds from sending an edit to its acknowledgement, and from there to the first answer with its revision
        (0 when that answer came first).
    """
    sightings, stop = _Sightings(), threading.Event()
    poller = threading.Thread(target=sightings.poll, args=(addresses["data"], stop), daemon=True)
    poller.start()
    answered, live = [], []
    body = {"words": [WORD], "category": "entity", "items": {"ids": [item_id]}}
    headers = {"Authorization": f"Bearer {addresses['token']}"}
    try:
        with httpx.Client(base_url=addresses["admin"], headers=headers, timeout=30, trust_env=False) as client:
            slot = etag = ""
            for number in range(load.edits):
                started = time.perf_counter()
                if number % 2 == 0:
                    response = client.post("/admin/slots", json=body)
                else:
                    response = client.delete(f"/admin/slots/{slot}", headers={"If-Match": etag})
                acknowledged = time.perf_counter()
                response.raise_for_status()
                done = response.json()
                slot, etag = done["slot"], response.headers.get("etag", "")
                answered.append(acknowledged - started)
                live.append(max(0.0, sightings.wait(done["revision"]) - acknowledged))
    finally:
        stop.set()
        poller.join(30)
    return answered, live
