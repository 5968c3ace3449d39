"""The clients of one service, what they share, and when they work."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

from slotbeam.catalog.inmemory import item_source
from slotbeam.search.artifact import read_manifest
from support.shop import make_items
from torture.history import History
from torture.load import RULED, WORDS, Progress, Reader, Writer
from torture.planes import HANG_S, Plane
from torture.upheld import UpheldPlane
from torture.writers import BindingWriter, ItemWriter

STAY = tuple(f"i{i:03d}" for i in range(30))
"""Ids of the index that are bound and never edited."""
LIVE = (*(f"i{i:03d}" for i in range(30, 50)), *(f"new/{i}" for i in range(20)))
"""Ids that are edited, and bound whether they are there or not; the index holds half of them."""


def new_history(artifact: Path, planes: Callable[[], Iterable[Plane | UpheldPlane]]) -> History:
    """The record of a service over the tiny artifact."""
    manifest = read_manifest(artifact)
    base = {item.id: json.loads(item_source(item)) for item in make_items(120)}
    lives = lambda: {plane.life: plane.replicas for plane in planes()}  # noqa: E731
    return History(str(manifest["model"]["codebook_sha"]), {str(manifest["name"])}, base, lives=lives)


def writers_of(
    plane: Plane | UpheldPlane, history: History, progress: Progress, binders: int, stockers: int, **options: Any
) -> tuple[list[BindingWriter], list[ItemWriter]]:
    """So many writers of bindings and of items; they share words and ids, and no two have the same one."""
    return (
        [
            BindingWriter(
                f"w{i}",
                plane,
                history,
                progress,
                words=WORDS[i::binders],
                items=STAY,
                others=LIVE,
                ruled=RULED[i::binders],
                **options,
            )
            for i in range(binders)
        ],
        [
            ItemWriter(
                f"s{i}",
                plane,
                history,
                progress,
                ids=LIVE[i::stockers],
                there=[item_id for item_id in LIVE[i::stockers] if item_id in history.base],
                **options,
            )
            for i in range(stockers)
        ],
    )


@contextlib.asynccontextmanager
async def load(*clients: Writer[Any] | Reader) -> AsyncIterator[None]:
    """Clients at work. Their errors are the test's errors."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client.run()) for client in clients]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


@contextlib.asynccontextmanager
async def quiet(*writers: Writer[Any]) -> AsyncIterator[None]:
    """None of them writes, and every edit's outcome is known."""
    for writer in writers:
        writer.allowed.clear()
    async with asyncio.timeout(HANG_S):
        await asyncio.gather(*(writer.idle.wait() for writer in writers))
    yield
    for writer in writers:
        writer.allowed.set()
