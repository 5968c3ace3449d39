"""Helpers around live items: a sink that remembers, a follower that runs, edits on a real store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from slotbeam.bindings.store.store import Store
from slotbeam.catalog.item import Item
from slotbeam.errors import InputError
from slotbeam.indexing.build import build_index
from slotbeam.indexing.indexed import IndexedItems
from slotbeam.items.edits import Operation, Verb
from slotbeam.items.folding import FoldedCatalog
from slotbeam.items.replica.follower import Follower
from slotbeam.items.store.commit import ItemsCommitted, ItemsRules, commit_items
from slotbeam.items.store.store import ItemStore
from slotbeam.search.artifact import Artifact, read_manifest
from slotbeam.search.snapshot import Holder, Snapshot
from support.live import NOW, QUICK

RULES = ItemsRules(lambda item_id: None, {}, 1000)
"""Of an index without items."""


class Remembering:
    """A sink that knows what it was handed, and in which order.

    Attributes:
        items: id → its item now, None for a deleted one.
        calls: (`apply` or `reset`, ids, seq).
        refuses: ids of items that it cannot take.
        names: whether it says which one that was.
    """

    def __init__(self) -> None:
        self.items: dict[str, Item | None] = {}
        self.calls: list[tuple[str, tuple[str, ...], int]] = []
        self.refuses: set[str] = set()
        self.names = True

    async def apply(self, changed: Mapping[str, Item | None], seq: int) -> None:
        self._refuse(changed)
        self.calls.append(("apply", tuple(changed), seq))
        self.items.update(changed)

    async def reset(self, items: Mapping[str, Item | None], seq: int) -> None:
        self._refuse(items)
        self.calls.append(("reset", tuple(items), seq))
        self.items = dict(items)

    def _refuse(self, items: Mapping[str, Item | None]) -> None:
        for item_id in items:
            if item_id in self.refuses:
                raise InputError("it cannot be encoded", item=item_id) if self.names else RuntimeError("a bug")


def put(item_id: str, title: str = "red mug", **parts: Any) -> Operation:
    return Operation(Verb.PUT, item_id, {"title": title, **parts})


def patch(item_id: str, **parts: Any) -> Operation:
    return Operation(Verb.PATCH, item_id, parts)


def delete(item_id: str) -> Operation:
    return Operation(Verb.DELETE, item_id)


async def edit(store: Store, *operations: Operation, rules: ItemsRules = RULES, **options: Any) -> ItemsCommitted:
    return await commit_items(ItemStore(store), operations, rules, actor="test", at=NOW, **options)


def make_follower(
    store: Store, artifact: Artifact, data_dir: Path, sink: Remembering | None = None, **options: Any
) -> Follower:
    holder = Holder(Snapshot(artifact))
    given = {"role": "data", "now_ms": lambda: NOW, "pace": QUICK, **options}
    return Follower(store, holder, data_dir, sink=sink, **given)


@contextlib.asynccontextmanager
async def following(follower: Follower) -> AsyncIterator[Follower]:
    """A running follower; cancelled and awaited at the end."""
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def titles(items: Mapping[str, Item | None]) -> dict[str, str | None]:
    return {item_id: item.title if item else None for item_id, item in sorted(items.items())}


def outcomes(done: ItemsCommitted) -> Sequence[str]:
    return [outcome.did.value for outcome in done.outcomes]


async def fold(store: Store, base: Path, out: Path) -> Path:
    """Make an index of `base` and of the store's edits, in which terms weigh as in `base`."""
    seen, records = await ItemStore(store).listing()
    folded = FoldedCatalog(IndexedItems(base), seen, records)
    language = read_manifest(base)["index"]["language"]
    given = {"name": out.name, "language": language, "statistics_of": base, "says": folded.says}
    await asyncio.to_thread(lambda: build_index(base, folded, out, **given))
    return out
