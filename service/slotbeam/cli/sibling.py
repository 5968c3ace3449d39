"""Where the processes behind one port reach each other: unix sockets in one directory, for their owner only."""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

from slotbeam.errors import ShuttingDown

TALK_S = 5.0
"""For a word with the parent."""
NUMBERS = 512
"""The largest number of a process."""


class Connections:
    """How many connections of the port each process has open, in memory that all share.

    Args:
        path: of the file behind it, made by whoever comes first.
        number: of this process.
    """

    def __init__(self, path: Path, number: int) -> None:
        with open(path, "ab") as file:
            file.truncate(4 * (NUMBERS + 1))
        with open(path, "r+b") as file:
            self._table = memoryview(mmap.mmap(file.fileno(), 0)).cast("i")
        self._number = number

    def set(self, count: int) -> None:
        """Say that this process takes connections, and has `count`."""
        self._table[self._number] = count + 1

    def leave(self, number: int | None = None) -> None:
        """Say that this process, or another one, takes none any more."""
        self._table[self._number if number is None else number] = 0

    def has_more(self) -> bool:
        """Return whether another process that takes connections has fewer."""
        mine = self._table[self._number]
        return any(0 < count < mine for count in self._table)


@dataclass(frozen=True)
class Sibling:
    """Where a process is among those behind one port.

    Attributes:
        directory: of the unix sockets of this parent and its children.
        number: from 1 on; its replica, its last-known-good file and its gauges are named by it.
    """

    directory: Path
    number: int

    @property
    def own(self) -> Path:
        """Of this process."""
        return self.directory / str(self.number)

    @property
    def parent(self) -> Path:
        """Where the parent hears what a process has counted, and answers with what all of them have."""
        return self.directory / "parent"

    def connections(self) -> Connections:
        """Return the table in which each process says how many connections it has."""
        return Connections(self.directory / "connections", self.number)

    async def tell(self, exposition: bytes, last: bool = False) -> bytes:
        """Tell the parent what this process has counted. Returns what all have; nothing for `last` words.

        Raises:
            ShuttingDown: the parent does not answer; it is about to end.
        """
        try:
            async with asyncio.timeout(TALK_S):
                reader, writer = await asyncio.open_unix_connection(str(self.parent))
                with contextlib.closing(writer):
                    writer.write(f"{os.getpid()} {'last' if last else 'all'}\n".encode() + exposition)
                    writer.write_eof()
                    whole = await reader.read()
        except (OSError, TimeoutError):
            whole = b""
        if not whole and not last:
            raise ShuttingDown("the parent process does not answer; ask again")
        return whole
