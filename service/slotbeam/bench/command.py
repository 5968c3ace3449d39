"""`slotbeam bench`: what a query costs on one core, and how soon an edit is live.

Figures of one run on one machine; compare A with B in one run only. docs/log.md keeps what was measured.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from slotbeam import __version__
from slotbeam.bench.bindings import bench_bindings
from slotbeam.bench.items import BATCH, HITS, PATCHES, bench_edits, bench_found, bench_items
from slotbeam.bench.load import Load, read_queries, title_heads
from slotbeam.bench.pipeline import STAGES, bench_pipeline, one_core
from slotbeam.bench.service import bench_commits, bench_http, running_up
from slotbeam.bench.switch import bench_switch
from slotbeam.bench.throughput import bench_throughput
from slotbeam.search.artifact import Artifact

USUAL = Load()
EDITED = 3
"""Data planes that items are edited in."""


def bench(
    directory: Path,
    queries: Path | None = None,
    load: Load = USUAL,
    processes: int | None = None,
    items: int | None = None,
    switches: int | None = None,
    bindings: int | None = None,
) -> dict[str, Any]:
    """Measure the pipeline in this process on one core, then a whole `slotbeam up` over loopback.

    Args:
        directory: of the artifact.
        queries: a file with one query a line; None takes the heads of random titles.
        load: how much is asked.
        processes: compare the throughput of so many data planes with that of one, too; None does not.
        items: compare a query beside so many live items with one without, and edit items, too; None does not.
        switches: ask while the index is switched so many times, too; None does not.
        bindings: compare a request beside so many bindings with one without, and edit them, too; None does not.

    Returns:
        Facts of the machine and the artifact, and `rows`: name, p50, p99, unit, target. With `processes`,
        `throughput`; with `items`, `live`; with `switches`, `switch`; with `bindings`, `bound`.
    """
    with one_core() as core:
        artifact = Artifact.load(directory)
        texts = read_queries(queries, load.queries) if queries else title_heads(artifact, load.queries)
        pipeline = bench_pipeline(artifact, texts, load)
        live_items = None if items is None else bench_items(artifact, texts, items, load)
        if live_items is not None:
            live_items["found"] = bench_found(artifact, load)
    with running_up(directory) as addresses:
        http = bench_http(addresses["data"], texts, load)
        answered, live = bench_commits(addresses, artifact.catalog.ids[0], load)
        switch = None if switches is None else bench_switch(directory, artifact, addresses, texts, switches, load)
    bound = None if bindings is None else bench_bindings(directory, artifact, texts, bindings, load)
    throughput = None if processes is None else bench_throughput(directory, texts, processes, load)
    if live_items is not None:
        live_items["edits"] = bench_edits(directory, artifact, EDITED, load)
    rows = [
        _row(f"pipeline, k = {load.k}, one core", pipeline["total"], "p50 ≤ 25 ms"),
        *(_row(f"… {stage}", pipeline[stage]) for stage in STAGES),
        _row("… processor time of the whole (other work on the core left out)", pipeline["processor"]),
        _row(f"POST /retrieve over loopback, k = {load.k}, one caller", http),
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
            "scan_budget": artifact.options.scan_budget,
        },
        "queries": len(texts),
        "rows": rows,
        **({"throughput": throughput} if throughput else {}),
        **({"live": live_items} if live_items else {}),
        **({"switch": switch} if switch else {}),
        **({"bound": bound} if bound else {}),
    }


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


def render(figures: dict[str, Any]) -> str:
    """Return the figures as a Markdown table."""
    made, of = figures["machine"], figures["artifact"]
    lines = [
        f"{figures['date']}, {made['cpu']} ({made['cores']} cores, load {made['load'][0]}), Python {made['python']}, "
        f"onnxruntime {made['onnxruntime']}",
        f"artifact {of['name']}: {of['items']} items, {of['sids']} SIDs, scan budget {of['scan_budget']}",
        "",
        "| what | p50 ms | p99 ms | n | target |",
        "| --- | ---: | ---: | ---: | --- |",
        *(
            f"| {r['name']} | {r['p50_ms']:.2f} | {r['p99_ms']:.2f} | {r['n']} | {r['target']} |"
            for r in figures["rows"]
        ),
        "",
    ]
    if told := figures.get("throughput"):
        low, high = told["interval"]
        lines += [
            f"{told['callers']} callers: {told['one']:.1f} requests/s of one data plane, {told['several']:.1f} of "
            f"{told['processes']}; {told['ratio']:.2f} × ({low:.2f}–{high:.2f}, {told['pairs']} pairs)",
            "",
        ]
    if told := figures.get("live"):
        low, high = told["interval"]
        edits, found = told["edits"], told["found"]
        lines += [
            f"{told['items']} live items: a query {told['live']:.2f} ms, without {told['alone']:.2f} ms, "
            f"{told['ratio']:.2f} × ({low:.2f}–{high:.2f}); {BATCH} more in {told['put_ms']:.1f} ms",
            f"{edits['rate']:.0f} items/s in batches of {BATCH} for {edits['seconds']:.0f} s: {edits['reached']:.0f} "
            f"reached; in all {edits['replicas']} replicas after p50 {edits['everywhere_ms'][0]:.0f} ms, "
            f"p99 {edits['everywhere_ms'][1]:.0f} ms (target 1000)",
            f"{edits['puts']:.0f} single PUTs/s (target 50); {edits['patches']:.0f} field patches/s in batches of "
            f"{PATCHES}, served by all (target 2000)",
            f"found for their own titles, of {found['asked']} items put anew: {found['live']:.3f} among the first "
            f"{HITS}, as they were in the index {found['alone']:.3f}, {found['ratio']:.3f} × (target 0.98); among all "
            f"hits {found['all_ratio']:.3f} ×",
            "",
        ]
    if told := figures.get("switch"):
        low, high = told["interval"]
        lines += [
            f"{told['switches']} switches of the index, {told['seconds']:.1f} s each with {told['live']} live items: a "
            f"query p50 {told['switching_ms'][0]:.1f} ms, p99 {told['switching_ms'][1]:.1f} ms, without "
            f"{told['idle_ms'][0]:.1f} and {told['idle_ms'][1]:.1f} ms; p99 {told['ratio']:.2f} × ({low:.2f}–{high:.2f}"
            f", target 1.5); {told['failed']} of {told['asked']} requests failed",
            "",
        ]
    if told := figures.get("bound"):
        low, high = told["interval"]
        lines += [
            f"{told['bindings']} bindings: a request p50 {told['bound']:.2f} ms, without {told['alone']:.2f} ms, "
            f"{told['ratio']:.2f} × ({low:.2f}–{high:.2f}, target 1.1); an edit acknowledged after p50 "
            f"{told['edit_ms'][0]:.0f} ms, p99 {told['edit_ms'][1]:.0f} ms, live {told['live_ms'][0]:.0f} ms later, "
            f"p99 {told['live_ms'][1]:.0f} ms (target 250); a data plane starts in {told['start_s']:.1f} s (target 10)",
            "",
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
