"""What live items cost: a query with many of them beside one without, and how soon an edit is in every replica."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson

from slotbeam.bench.load import Load
from slotbeam.bench.service import running_up
from slotbeam.catalog.inmemory import item_source
from slotbeam.catalog.item import Item
from slotbeam.errors import SetupError
from slotbeam.indexing.live import LiveIndex
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings

BATCH = 20
"""Items that are put at a time."""
_ROWS = 1000
"""Items of one version while the delta is filled."""


def bench_items(artifact: Artifact, texts: Sequence[str], items: int, load: Load) -> dict[str, Any]:
    """Ask each query of the index alone and of it with so many live items, in turn.

    Args:
        artifact: without edits.
        texts: queries.
        items: that are put: new ones, with the titles of the catalog's.
        load: how much is asked.

    Returns:
        `items`, `alone` and `live` (median ms of a query), `ratio` (median over the queries), `interval` (of medians
        of halves drawn at random, the middle nine tenths), `put_ms` (median of putting `BATCH` items more).
    """
    live = LiveIndex(artifact)
    new = _new_items(artifact, items)
    for start in range(0, len(new), _ROWS):
        live.apply({item.id: item for item in new[start : start + _ROWS]})
    snapshots = Snapshot(artifact), Snapshot(live.artifact)
    pairs = []
    for number, text in enumerate([*texts[: load.warm_up], *texts]):
        pair = []
        for snapshot in snapshots:
            started = time.perf_counter()
            retrieve(snapshot, SearchRequest(text, k=load.k), Timings())
            pair.append(time.perf_counter() - started)
        if number >= min(load.warm_up, len(texts)):
            pairs.append(pair)
    seconds = np.array(pairs)
    ratios, rng = seconds[:, 1] / seconds[:, 0], np.random.default_rng(0)
    drawn = [float(np.median(rng.choice(ratios, len(ratios)))) for _ in range(1000)]
    return {
        "items": len(new),
        "alone": round(float(np.median(seconds[:, 0]) * 1000), 3),
        "live": round(float(np.median(seconds[:, 1]) * 1000), 3),
        "ratio": round(float(np.median(ratios)), 3),
        "interval": [round(float(bound), 3) for bound in np.quantile(drawn, [0.05, 0.95])],
        "put_ms": round(float(np.median(list(_puts(live, artifact)))) * 1000, 2),
    }


def _new_items(artifact: Artifact, count: int) -> list[Item]:
    """Return items that the catalog does not hold: halves of the titles of two of its items."""
    rng, titles = random.Random(0), artifact.catalog.titles
    items = []
    for number in range(count):
        one, other = (titles[rng.randrange(len(titles))].split() for _ in range(2))
        title = " ".join([*one[: (len(one) + 1) // 2], *other[len(other) // 2 :]])
        items.append(Item(f"bench-{number}", title, popularity=float(rng.randrange(20))))
    return items


def _puts(live: LiveIndex, artifact: Artifact) -> Iterator[float]:
    """Put items a batch at a time; yield the seconds of each."""
    more = [replace(item, id=f"more-{item.id}") for item in _new_items(artifact, 10 * BATCH)]
    for start in range(0, len(more), BATCH):
        started = time.perf_counter()
        live.apply({item.id: item for item in more[start : start + BATCH]})
        yield time.perf_counter() - started


def bench_edits(directory: Path, artifact: Artifact, processes: int, rate: float, seconds: float) -> dict[str, Any]:
    """Put items in batches of `BATCH` at `rate` items a second into a `slotbeam up`, and ask who has them.

    Args:
        directory: of the artifact.
        artifact: the same, loaded.
        processes: data planes; the control plane is one replica more.
        rate: items a second.
        seconds: for how long.

    Returns:
        `replicas`, `rate` and `reached` (items a second), `everywhere_ms` (p50, p99): from sending a batch until every
        replica was known to serve it.

    Raises:
        SetupError: a replica did not serve a batch after 10 s.
    """
    batches = _batched(_new_items(artifact, int(rate * seconds)))
    everywhere = []
    with running_up(directory, processes=processes) as addresses:
        headers = {"Authorization": f"Bearer {addresses['token']}"}
        with httpx.Client(base_url=addresses["admin"], headers=headers, timeout=60, trust_env=False) as client:
            began = time.perf_counter()
            for number, batch in enumerate(batches):
                time.sleep(max(0.0, began + number * BATCH / rate - time.perf_counter()))
                started = time.perf_counter()
                answer = client.post("/admin/items:batch?wait=all&timeout=10s", json={"operations": batch})
                everywhere.append(time.perf_counter() - started)
                answer.raise_for_status()
                spread = answer.json()["propagation"]
                if spread["applied"] != processes + 1:
                    raise SetupError(f"{spread['applied']} of {processes + 1} replicas served a batch after 10 s")
            took = time.perf_counter() - began
    return {
        "replicas": processes + 1,
        "rate": rate,
        "reached": round(len(batches) * BATCH / took, 1),
        "everywhere_ms": [round(float(ms), 1) for ms in np.percentile(np.array(everywhere) * 1000, [50, 99])],
    }


def _batched(items: Sequence[Item]) -> list[list[dict[str, Any]]]:
    operations = [{"op": "put", "id": item.id, "item": orjson.loads(item_source(item))} for item in items]
    return [operations[start : start + BATCH] for start in range(0, len(operations), BATCH)]
