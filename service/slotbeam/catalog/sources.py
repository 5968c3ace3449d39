"""Each item as it was given, compressed: a few at a time, so that one is read without the others."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slotbeam.arrays import Strings

BLOCK = 64
"""Items that are compressed together; neighbours are alike, as rows are in SID order."""
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Sources:
    """Row → the JSON object that the item was read from.

    Attributes:
        blocks: zlib streams, each of `BLOCK` lines, one an item.
    """

    blocks: Strings

    def __getitem__(self, row: int) -> bytes:
        return self.block(row // BLOCK)[row % BLOCK]

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
