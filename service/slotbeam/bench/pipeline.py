"""What a query costs in this process, on one core."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from slotbeam.bench.load import Load
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import QueryStage, Timings

STAGES = (QueryStage.ENCODE, QueryStage.DECODE, QueryStage.RANK)


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


def bench_pipeline(artifact: Artifact, texts: Sequence[str], load: Load) -> dict[str, list[float]]:
    """Return seconds of every query by stage (also `total` and `processor`)."""
    snapshot = Snapshot(artifact)
    seconds: dict[str, list[float]] = {name: [] for name in ("total", "processor", *STAGES)}
    for number, text in enumerate([*texts[: load.warm_up], *texts]):
        timings, started, began = Timings(), time.perf_counter(), time.thread_time()
        retrieve(snapshot, SearchRequest(text, k=load.k), timings)
        total, processor = time.perf_counter() - started, time.thread_time() - began
        if number >= min(load.warm_up, len(texts)):
            seconds["total"].append(total)
            seconds["processor"].append(processor)
            for stage in STAGES:
                seconds[stage].append(timings.stages.get(stage, 0.0))
    return seconds
