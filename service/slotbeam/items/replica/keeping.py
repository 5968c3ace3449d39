"""When the last-known-good items are appended to, and when they are written anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from slotbeam.items.replica.lastgood import ItemsFile, ItemsGood, JournalLine, beside
from slotbeam.items.store.store import ItemsHead

COMPACT_AFTER = 10_000
"""Lines of the journal after which everything is written anew, if they are as many as there are records."""


class Keeping:
    """Keeps items on disk, off the event loop.

    Args:
        path: of the file.
        retry_s: after which everything is tried again on a disk that was full: it is not asked for each edit.

    Attributes:
        trimmed: records up to this seq were let go, since the index holds them.
    """

    def __init__(self, path: Path, retry_s: float) -> None:
        self.file = ItemsFile(path)
        self._retry_s = retry_s
        self._retry_at = 0.0
        self._unkept: str | None = None
        self.trimmed = 0

    async def load(self) -> tuple[ItemsGood | None, list[str]]:
        """Read what was good last in this data directory, here or in another process of the role; what was wrong."""

        def work() -> tuple[ItemsGood | None, list[str]]:
            read = [file.load() for file in (self.file, *map(ItemsFile, beside(self.file.path)))]
            good = max((one for one, _ in read if one), key=lambda one: one.head.seq, default=None)
            self.trimmed = good.trimmed if good else 0
            return good, [problem for _, found in read for problem in found]

        return await asyncio.to_thread(work)

    async def whole(self, head: ItemsHead, records: Mapping[str, bytes], trimmed: int) -> str | None:
        """Write everything. Returns why that failed.

        Args:
            trimmed: records up to this seq were let go.
        """
        self.trimmed = trimmed
        return await self._tried(lambda: self._save(head, records))

    async def step(self, head: ItemsHead, lines: Sequence[JournalLine], records: Mapping[str, bytes]) -> str | None:
        """Append edits; now and then, or where that cannot be, write everything. Returns why nothing is kept.

        Args:
            records: that the edits change: those before them.
        """

        def work() -> None:
            if self.file.is_open and self.file.appended < max(COMPACT_AFTER, len(records)):
                self.file.append(lines)
            elif self.file.is_open or time.monotonic() >= self._retry_at:
                self._save(head, {**records, **{line.id: line.record for line in lines}})
            elif self._unkept:
                raise OSError(self._unkept)

        return await self._tried(work)

    def close(self) -> None:
        """Stop keeping; what is on disk stays."""
        self.file.close()

    def _save(self, head: ItemsHead, records: Mapping[str, bytes]) -> None:
        self._retry_at = time.monotonic() + self._retry_s
        self.file.save(ItemsGood(head, records, self.trimmed))

    async def _tried(self, work: Callable[[], None]) -> str | None:
        try:
            await asyncio.to_thread(work)
            self._unkept = None
        except OSError as error:
            self._unkept = str(error)
            return f"the last-known-good items were not written: {error}"
        return None
