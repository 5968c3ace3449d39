"""Helpers around a real store: bindings to write, listings to make up, a clock to turn."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from slotbeam.bindings.binding import Binding, encode_items, new_id, state_digest
from slotbeam.bindings.edits.plan import Change, Edit
from slotbeam.bindings.edits.wanted import MakeChange
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.pace import Pace
from slotbeam.bindings.replica.watch import Watcher
from slotbeam.bindings.store.commit import Committed, commit
from slotbeam.bindings.store.store import Store
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.types import Slot

NOW = 1_800_000_000_000
"""Unix ms of a test's clock, unless it says otherwise."""

QUICK = Pace(backoff_s=(0.01, 0.1), clock_check_s=0.02)
"""Of a replica whose test waits for a store that is back, or for its clock."""


class Clock:
    """Unix seconds that pass only when told to."""

    def __init__(self, now_ms: int = NOW) -> None:
        self.now_ms = now_ms

    def __call__(self) -> float:
        return self.now_ms / 1000


def make_binding(*words: str, ids: Sequence[str] = ("i001", "i002"), **fields: Any) -> Binding:
    sha, _ = encode_items(ids)
    given = {"id": new_id(), "words": words or ("labubu",), "category": "brand", "items": sha, "item_count": len(ids)}
    return Binding(**{**given, **fields})


def make_rule(*words: str, **fields: Any) -> Binding:
    return make_binding(**{"ids": (), "words": words, "category": "", **fields})


def make_listing(
    placed: dict[Slot, Binding], revision: int = 1, epoch: str = "e1", unplaced: Sequence[Binding] = (), **fields: Any
) -> Listing:
    every = [*placed.values(), *unplaced]
    records = {b.id: b.record() for b in every}
    slots = {str(slot): b.id for slot, b in placed.items()}
    return Listing(epoch, revision, state_digest(records), records, slots, **fields)


def binds(binding: Binding, slot: Slot | None) -> MakeChange:
    return lambda listing: Change("bind", (Edit(None, binding, slot),), "test", NOW)


def unbinds(key: str) -> MakeChange:
    return lambda listing: Change("unbind", (Edit(listing.bindings[key], None),), "test", NOW)


def places(key: str, slot: Slot) -> MakeChange:
    """Give a binding a slot of the codebook that is written to; its record gets the new revision only."""
    return lambda listing: Change("patch", (Edit(listing.bindings[key], listing.bindings[key], slot),), "test", NOW)


async def write(
    store: Store, codebook: str, change: MakeChange, ids: Sequence[str] = ("i001", "i002"), **options: Any
) -> Committed:
    sha, data = encode_items(ids)
    return await commit(store, codebook, change, items={sha: data}, **options)


@contextlib.asynccontextmanager
async def watching(
    store: Store, artifact: Artifact, data_dir: Path, name: str = "r1", pace: Pace = QUICK, **options: Any
) -> AsyncIterator[Watcher]:
    """A running watcher; cancelled and awaited at the end."""
    watcher = Watcher(store, Holder(Snapshot(artifact)), artifact, data_dir, name, pace=pace, **options)
    task = asyncio.create_task(watcher.run())
    try:
        yield watcher
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def heartbeat(store: Store, revision: int, guard_s: float = 20.0) -> dict[str, Any]:
    """The heartbeat of the only replica, once it says that it has applied `revision`."""
    async with asyncio.timeout(guard_s):
        while not (beats := await store.replicas()) or beats[0]["revision"] < revision:
            await asyncio.sleep(0.005)
    [beat] = beats
    return beat


async def until(watcher: Watcher, true: Callable[[], bool], guard_s: float = 20.0) -> None:
    """Wait until `true` after some change of the watcher's facts; a hang guard, not a measure."""
    async with asyncio.timeout(guard_s):
        while not true():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.25):
                    await watcher.changes()
