"""What live items cost: a query with many of them beside one without, and how soon an edit is in every replica."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson

from slotbeam.bench.load import Load
from slotbeam.bench.service import running_up
from slotbeam.catalog.fields import FieldKind
from slotbeam.catalog.inmemory import item_source
from slotbeam.catalog.item import Item
from slotbeam.errors import InputError, SetupError
from slotbeam.indexing.live import LiveIndex
from slotbeam.items.rows import base_row
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import MAX_QUERY, SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings

BATCH = 20
"""Items that are put at a time."""
PATCHES = 1000
"""Fields that are patched at a time."""
HITS = 10
"""Hits that an item is looked for among."""
_WAIT_S = 30
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
    new = new_items(artifact, items)
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


def new_items(artifact: Artifact, count: int) -> list[Item]:
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
    more = [replace(item, id=f"more-{item.id}") for item in new_items(artifact, 10 * BATCH)]
    for start in range(0, len(more), BATCH):
        started = time.perf_counter()
        live.apply({item.id: item for item in more[start : start + BATCH]})
        yield time.perf_counter() - started


def bench_found(artifact: Artifact, load: Load) -> dict[str, Any]:
    """Ask items by their titles, once as the index has them and once put anew, under other ids and without popularity.

    Args:
        artifact: without edits.
        load: how many are asked, and how many hits are wanted.

    Returns:
        `asked`; `alone` and `live`, the share that was among the first `HITS` hits, `ratio`; the same among all `k`
        hits as `all_alone`, `all_live` and `all_ratio`.
    """
    catalog, rng = artifact.catalog, random.Random(1)
    rows = rng.sample(range(len(catalog)), min(load.found, len(catalog)))
    given = {item_id: _asked_anew(artifact, item_id) for item_id in catalog.ids.take(rows)}
    new = {item_id: item for item_id, item in given.items() if item is not None}
    edits: dict[str, Item | None] = {item.id: item for item in new.values()}
    live = LiveIndex(artifact).apply(edits | dict.fromkeys(new))
    places = []
    for item_id, item in new.items():
        request = SearchRequest(item.title, k=load.k)
        wanted = (Snapshot(artifact), item_id), (Snapshot(live), item.id)
        places.append([_place(snapshot, request, own) for snapshot, own in wanted])
    first, every = ((np.array(places) < most).mean(axis=0) for most in (HITS, load.k))
    shares = {"alone": first[0], "live": first[1], "ratio": first[1] / first[0]}
    shares |= {"all_alone": every[0], "all_live": every[1], "all_ratio": every[1] / every[0]}
    return {"asked": len(new), **{name: round(float(share), 4) for name, share in shares.items()}}


def _asked_anew(artifact: Artifact, item_id: str) -> Item | None:
    """Return an item of the index as a new one; None where its row has another shape, or its title is no query."""
    try:
        found = base_row(artifact, item_id)
    except InputError:
        return None
    if found is None:
        return None
    item = replace(found[1], id=f"new-{item_id}", popularity=0.0)
    return item if 0 < len(normalize(item.title)) <= MAX_QUERY else None


def _place(snapshot: Snapshot, request: SearchRequest, item_id: str) -> int:
    """Return at which place of the answer an item is, from 0; K where it is not."""
    hits = retrieve(snapshot, request, Timings()).hits
    ids = snapshot.artifact.catalog.ids.take(hits.rows)
    return ids.index(item_id) if item_id in ids else request.k


def bench_edits(directory: Path, artifact: Artifact, processes: int, load: Load) -> dict[str, Any]:
    """Edit items in a `slotbeam up`, and ask who has them: batches of `BATCH` at a rate, single ones, field patches.

    Args:
        directory: of the artifact.
        artifact: the same, loaded.
        processes: data planes; the control plane is one replica more.
        load: rates, and how much.

    Returns:
        `replicas`, `rate`, `seconds` and `reached` (items a second), `everywhere_ms` (p50, p99): from sending a batch
        until every replica was known to serve it; `puts` a second, one after the other, each acknowledged; `patches` a
        second, in batches of `PATCHES`, until the last was served by all.

    Raises:
        SetupError: a replica did not serve a batch after its time-out.
    """
    new = new_items(artifact, int(load.rate * load.seconds) + load.puts + 1)
    with running_up(directory, processes=processes) as addresses:
        headers = {"Authorization": f"Bearer {addresses['token']}"}
        with httpx.Client(base_url=addresses["admin"], headers=headers, timeout=120, trust_env=False) as client:
            _begin(client, new.pop(), processes + 1)
            puts = _per_second(client, new[: load.puts])
            steady = _steady(client, new[load.puts :], load, processes + 1)
            patches = _patches(client, artifact, load.patches, processes + 1)
    return {"replicas": processes + 1, **steady, "puts": puts, "patches": patches}


def _put_of(item: Item) -> dict[str, Any]:
    return {"op": "put", "id": item.id, "item": orjson.loads(item_source(item))}


def _steady(client: httpx.Client, items: Sequence[Item], load: Load, replicas: int) -> dict[str, Any]:
    everywhere = []
    batches = [list(map(_put_of, items[start : start + BATCH])) for start in range(0, len(items), BATCH)]
    began = time.perf_counter()
    for number, operations in enumerate(batches):
        time.sleep(max(0.0, began + number * BATCH / load.rate - time.perf_counter()))
        started = time.perf_counter()
        _batch(client, operations, replicas)
        everywhere.append(time.perf_counter() - started)
    took = time.perf_counter() - began
    return {
        "rate": load.rate,
        "seconds": round(took, 1),
        "reached": round(len(items) / took, 1),
        "everywhere_ms": [round(float(ms), 1) for ms in np.percentile(np.array(everywhere) * 1000, [50, 99])],
    }


def _per_second(client: httpx.Client, items: Sequence[Item]) -> float:
    began = time.perf_counter()
    for item in items:
        client.put(f"/admin/items/{item.id}", json=orjson.loads(item_source(item))).raise_for_status()
    return round(len(items) / (time.perf_counter() - began), 1)


def _patches(client: httpx.Client, artifact: Artifact, count: int, replicas: int) -> float:
    """Patch a number of items of the index, in no order, and return how many a second."""
    catalog = artifact.catalog
    numbers = [name for name, kind in catalog.fields.kinds.items() if kind is FieldKind.NUMBER]
    rows = random.Random(2).sample(range(len(catalog)), min(count, len(catalog)))
    operations = [
        {"op": "patch", "id": item_id, "item": {"fields": {numbers[0] if numbers else "patched": number + 0.125}}}
        for number, item_id in enumerate(catalog.ids.take(rows))
    ]
    began = time.perf_counter()
    for start in range(0, len(operations), PATCHES):
        _batch(client, operations[start : start + PATCHES], replicas if start + PATCHES >= len(operations) else None)
    return round(len(operations) / (time.perf_counter() - began), 1)


def live_batch(client: httpx.Client, items: Sequence[Item]) -> None:
    """Put items, all at once, without waiting for replicas."""
    _batch(client, list(map(_put_of, items)), None)


def _begin(client: httpx.Client, item: Item, replicas: int) -> None:
    """Put one item until all replicas have begun and serve it: what encodes items is read with the first edit."""
    deadline = time.monotonic() + _WAIT_S
    while _sent(client, [_put_of(item)], True) < replicas:
        if time.monotonic() > deadline:
            raise SetupError(f"fewer than {replicas} replicas serve items after {_WAIT_S} s")
        time.sleep(0.1)


def _batch(client: httpx.Client, operations: Sequence[Mapping[str, Any]], replicas: int | None) -> None:
    """Send a batch, and wait for all replicas where their number is given."""
    applied = _sent(client, operations, replicas is not None)
    if replicas is not None and applied != replicas:
        raise SetupError(f"{applied} of {replicas} replicas served a batch after {_WAIT_S} s")


def _sent(client: httpx.Client, operations: Sequence[Mapping[str, Any]], waits: bool) -> int:
    """Send a batch, and return how many replicas serve it."""
    wait = {"wait": "all", "timeout": f"{_WAIT_S}s"} if waits else {}
    answer = client.post("/admin/items:batch", params=wait, json={"operations": operations})
    answer.raise_for_status()
    told = answer.json()
    if told["refused"]:
        raise SetupError(f"{told['refused']} of {told['operations']} edits were refused: {told['results'][0]}")
    return int(told["propagation"]["applied"])
