"""A follower in a process of its own: `python items_process.py STORE_URL DIRECTORY`; one line for each change.

An item whose title is "poison" kills the process, as memory or a bug in native code would.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import structlog

from slotbeam.bindings.store.store import Store
from slotbeam.catalog.item import Item
from slotbeam.items.replica.follower import Follower
from slotbeam.search.snapshot import Holder, Snapshot
from support.shop import make_shop


class Deadly:
    """A sink that dies of poison."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    async def apply(self, changed: Mapping[str, Item | None], seq: int) -> None:
        if any(item is not None and item.title == "poison" for item in changed.values()):
            os.kill(os.getpid(), signal.SIGKILL)
        self.ids |= set(changed)

    async def reset(self, items: Mapping[str, Item | None], seq: int) -> None:
        self.ids = set()
        await self.apply(items, seq)


async def main(url: str, directory: Path) -> None:
    sink = Deadly()
    follower = Follower(Store(url), Holder(Snapshot(make_shop(directory))), directory, "data", sink)
    task = asyncio.create_task(follower.run())
    seen = None
    while not task.done():
        facts = follower.facts
        now = (facts.seq, ",".join(sorted(sink.ids)), ",".join(facts.failed.values())[:10])
        if now != seen:
            seen = now
            print(*(part or "-" for part in map(str, now)), flush=True)
        await follower.status.changed.wait()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
