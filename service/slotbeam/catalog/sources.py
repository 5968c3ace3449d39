"""Each item as it was given, compressed: a few at a time, so that one is read without the others."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slotbeam.arrays import Strings

BLOCK = 64
"""Items that are compressed together; neighbours are alike, as rows are in SID order."""
_LEVEL = 6
_REMEMBERED, _SHORT = 2048, 4096
"""So many lines that were read one by one, of so many bytes at most, are remembered: an edit reads its item to be
checked, and once more when it is served."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Row → the JSON object that the item was read from.

    Attributes:
        blocks: zlib streams, each of `BLOCK` lines, one an item.
    """

    blocks: Strings
    _read: dict[int, bytes] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, row: int) -> bytes:
        line = self._read.get(row)
        if line is None:
            line = self.block(row // BLOCK)[row % BLOCK]
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            if len(line) <= _SHORT:
                self._read[row] = line
        return line

    def take(self, rows: Sequence[int]) -> list[bytes]:
        """Return the lines of rising `rows`: each block is read once."""
        taken, number, lines = [], -1, list[bytes]()
        for row in rows:
            line = self._read.get(row)
            if line is None:
                if row // BLOCK != number:
                    number, lines = row // BLOCK, self.block(row // BLOCK)
                line = lines[row % BLOCK]
            taken.append(line)
        return taken

    def block(self, number: int) -> list[bytes]:
        """Return the lines of the rows from `number * BLOCK` on, at most `BLOCK` of them."""
        [block] = self.blocks.encoded([number])
        return zlib.decompress(block).split(b"\n")

    @classmethod
    def load(cls, directory: Path) -> Sources:
        """Map what was written."""
        return cls(Strings.load(directory, "sources"))


def compressed(lines: Sequence[bytes | memoryview]) -> bytes:
    """Return one block. A line is a JSON object, which never holds a line break."""
    whole = b"\n".join(lines)
    if whole.count(b"\n") != len(lines) - 1:
        raise ValueError("the source of an item holds a line break. This is a bug.")
    return zlib.compress(whole, _LEVEL)
