"""A replica of the store's bindings and of its items, of either plane."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from slotbeam.bindings.replica.pace import Pace
from slotbeam.bindings.replica.replica import Replica
from slotbeam.bindings.store.store import Store
from slotbeam.items.replica.follower import Follower
from slotbeam.items.replica.indexes import Indexes
from slotbeam.items.replica.lastgood import file_of
from slotbeam.items.replica.livesink import LiveSink
from slotbeam.items.replica.switching import Switching
from slotbeam.search.snapshot import Holder


class LiveReplica(Replica):
    """Follows bindings, as a `Replica` does, and items, too; its heartbeats say both.

    Args:
        indexes: where other indexes are found; None: it stays with the one that it has. Others as for `Replica`.

    Attributes:
        items: what follows them.
        indexes: what follows the switches of the index.
    """

    def __init__(
        self,
        store: Store,
        holder: Holder,
        data_dir: Path,
        name: str | None = None,
        clock: Callable[[], float] = time.time,
        *,
        role: str = "data",
        process: int = 1,
        pace: Pace = Pace(),
        indexes: Indexes | None = None,
    ) -> None:
        super().__init__(store, holder, data_dir, name, clock, role=role, process=process, pace=pace)
        watcher = self.watcher
        sink = LiveSink(watcher.serving, watcher.artifact)
        self.items = Follower(
            store,
            holder,
            data_dir,
            role,
            sink,
            tell=lambda facts: watcher.status.note(items=facts),
            process=process,
            now_ms=watcher.now_ms,
            pace=pace,
        )
        self.follow("items", self.items)
        guard = f"{file_of(role, process)}.switching-index"
        self.indexes = Switching(self.items, watcher.serving, holder, sink, indexes, guard, pace)
        self.follow("index", self.indexes)
