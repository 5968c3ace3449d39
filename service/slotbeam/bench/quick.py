"""`slotbeam bench`: what a query costs on one core, and how soon an edit is live.

Figures of one run on one machine; compare A with B in one run only. docs/log.md keeps what was measured.
"""

from __future__ import annotations

import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnxruntime

from slotbeam import __version__
from slotbeam.embedded.record import read_record
from slotbeam.errors import SetupError
from slotbeam.kae.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.groups import decode_base
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings

K = 350
QUERIES = 300
WARM_UP = 20
EDITS = 100
HTTP_REQUESTS = 200
WORD = "zqxbenchword"
_READY_S = 60.0
_LIVE_S = 10.0


def bench(directory: Path, queries: Path | None = None) -> dict[str, Any]:
    """Measure the pipeline in this process on one core, then a whole `slotbeam up` over loopback.

    Args:
        directory: of the artifact.
        queries: a file with one query a line; None takes the heads of random titles.

    Returns:
        Facts of the machine and the artifact, and `rows`: name, p50, p99, unit, target.
    """
    with one_core() as core:
        artifact = Artifact.load(directory)
        texts = read_queries(queries) if queries else title_heads(artifact)
        pipeline, share = bench_pipeline(artifact, texts)
    with running_up(directory) as addresses:
        http = bench_http(addresses["data"], texts)
        answered, live = bench_commits(addresses, artifact.catalog.ids[0])
    rows = [
        _row(f"pipeline, k = {K}, default beam, one core", pipeline["total"], "p50 ≤ 25 ms"),
        *(_row(f"… {stage}", pipeline[stage]) for stage in ("encode", "decode", "rank")),
        _row("… processor time of the whole (other work on the core left out)", pipeline["processor"]),
        _row(f"POST /retrieve over loopback, k = {K}, one caller", http),
        _row("POST /admin/slots → acknowledged (fsync, one edit at a time)", answered),
        _row("acknowledged → live in the data plane", live, "p99 ≤ 250 ms"),
    ]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(core),
        "artifact": {
            "name": artifact.name,
            "items": len(artifact.catalog),
            "sids": artifact.trie.n_leaves,
            "beam_width": artifact.options.beam_width,
        },
        "queries": len(texts),
        "rows": rows,
        "trie_share": round(share, 4),
    }


def bench_pipeline(artifact: Artifact, texts: Sequence[str]) -> tuple[dict[str, list[float]], float]:
    """Return seconds of every query by stage (also `total` and `processor`), and the trie's share of the total."""
    snapshot = Snapshot(artifact)
    width = artifact.options.beam_width
    seconds: dict[str, list[float]] = {name: [] for name in ("total", "processor", "encode", "decode", "rank")}
    trie_s = 0.0
    for number, text in enumerate([*texts[:WARM_UP], *texts]):
        timings, started, began = Timings(), time.perf_counter(), time.thread_time()
        retrieve(snapshot, SearchRequest(text, k=K), timings)
        total, processor = time.perf_counter() - started, time.thread_time() - began
        if number >= min(WARM_UP, len(texts)):
            seconds["total"].append(total)
            seconds["processor"].append(processor)
            for stage in ("encode", "decode", "rank"):
                seconds[stage].append(timings.stages.get(stage, 0.0))
            encoded = artifact.kae.encode(normalize(text))
            [memory] = artifact.model.encode([artifact.inputs.build(encoded.text, encoded.sid)])
            query_terms = artifact.catalog.terms.read(encoded.lexical_text)
            trie_s += decode_base(artifact, query_terms, memory, None, width).beams.trie_seconds
    return seconds, trie_s / sum(seconds["total"])


def bench_http(url: str, texts: Sequence[str]) -> list[float]:
    """Return seconds of single requests, one after the other, on one connection."""
    seconds = []
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        for number in range(WARM_UP + HTTP_REQUESTS):
            started = time.perf_counter()
            client.post("/retrieve", json={"query": texts[number % len(texts)], "k": K}).raise_for_status()
            if number >= WARM_UP:
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
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
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


def bench_commits(addresses: dict[str, Any], item_id: str) -> tuple[list[float], list[float]]:
    """Bind and unbind a word `EDITS` times while one caller asks the data plane without pause.

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
            for number in range(EDITS):
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


@contextmanager
def running_up(artifact: Path) -> Iterator[dict[str, Any]]:
    """Run `slotbeam up` on free ports in a directory of its own; yields its addresses and the admin token."""
    with tempfile.TemporaryDirectory(prefix="slotbeam-bench-") as temporary:
        data_dir = Path(temporary)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SLOTBEAM_")}
        own = {"PORT": "0", "ADMIN_PORT": "0", "DATA_DIR": temporary, "ARTIFACT": str(artifact), "LOG_LEVEL": "error"}
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
            yield {**record, "token": (data_dir / "admin.token").read_text(encoding="utf-8").strip()}
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def title_heads(artifact: Artifact, seed: int = 0) -> list[str]:
    """Return `QUERIES` queries: the first two to four words of random titles."""
    rng, titles = random.Random(seed), artifact.catalog.titles
    heads = (" ".join(titles[rng.randrange(len(titles))].split()[: rng.randint(2, 4)]) for _ in range(QUERIES))
    return [head[:256] for head in heads if normalize(head)]


def read_queries(path: Path) -> list[str]:
    """Return at most `QUERIES` lines of a file, evenly spread. Raises `SetupError` when there is none."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if not lines:
        raise SetupError(f"{path} holds no query; give one a line")
    return lines[:: max(1, len(lines) // QUERIES)][:QUERIES]


@contextmanager
def one_core() -> Iterator[int]:
    """Keep this process on one core (Linux; elsewhere it stays free) and yield its number, or -1."""
    if not hasattr(os, "sched_setaffinity"):
        yield -1
        return
    allowed = os.sched_getaffinity(0)
    core = max(allowed)
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, allowed)


def machine(core: int) -> dict[str, Any]:
    """Return what the figures depend on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "core": core,
        "load": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "slotbeam": __version__,
    }


def render(found: dict[str, Any]) -> str:
    """Return the figures as a Markdown table."""
    made, of = found["machine"], found["artifact"]
    lines = [
        f"{found['date']}, {made['cpu']} ({made['cores']} cores, load {made['load'][0]}), Python {made['python']}, "
        f"onnxruntime {made['onnxruntime']}",
        f"artifact {of['name']}: {of['items']} items, {of['sids']} SIDs, B = {of['beam_width']}",
        "",
        "| what | p50 ms | p99 ms | n | target |",
        "| --- | ---: | ---: | ---: | --- |",
        *(f"| {r['name']} | {r['p50_ms']:.2f} | {r['p99_ms']:.2f} | {r['n']} | {r['target']} |" for r in found["rows"]),
        "",
        f"Trie expand + select: {found['trie_share']:.1%} of a query (target ≤ 6 %).",
    ]
    return "\n".join(lines)


def _row(name: str, seconds: Sequence[float], target: str = "") -> dict[str, Any]:
    p50, p99 = np.percentile(np.asarray(seconds) * 1000, [50, 99])
    return {
        "name": name,
        "p50_ms": round(float(p50), 3),
        "p99_ms": round(float(p99), 3),
        "n": len(seconds),
        "target": target,
    }
