"""A replica in a process of its own: `python replica_process.py STORE_URL DIRECTORY [WORD]`; one line for each change.

Building a binding that holds WORD kills the process, as memory or a bug in native code would.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.bindings.replica.watch import Watcher
from slotbeam.bindings.store.store import Store
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Holder, Overlay, Snapshot
from slotbeam.types import Timings
from support.shop import make_shop


async def main(url: str, directory: Path, poison: str = "") -> None:
    def build(artifact: Artifact, bounds: Sequence[Bound], previous: Overlay | None = None) -> Overlay:
        known = set(previous.words) if previous else set()
        if any(poison in bound.words and poison not in known for bound in bounds):
            os.kill(os.getpid(), signal.SIGKILL)
        return build_overlay(artifact, bounds, previous)

    artifact = make_shop(directory)
    holder = Holder(Snapshot(artifact))
    watcher = Watcher(Store(url), holder, artifact, directory, "other", build=build)
    task = asyncio.create_task(watcher.run())
    seen = None
    while not task.done():
        snapshot = holder.current
        if (snapshot.state, snapshot.revision) != seen:
            seen = (snapshot.state, snapshot.revision)
            answer = retrieve(snapshot, SearchRequest("labubu", k=2), Timings())
            items = ",".join(sorted(artifact.catalog.ids[h.row] for h in answer.hits if h.source == "binding"))
            print(snapshot.state, snapshot.revision, items, flush=True)
        await watcher.changes()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
