"""Rows of an index and, behind them, rows of a delta, as one column: read by row numbers, never copied as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from slotbeam.arrays import Strings
from slotbeam.types import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class JoinedArray:
    """Row r is `base[r]` below len(base), else `more[r - len(base)]`; some may say otherwise.

    Attributes:
        base, more: (N, …) and (D, …).
        patched: (p,) int64, rows of either, rising, that have another value, and (p, …) these.
    """

    base: NDArray[Any]
    more: NDArray[Any]
    patched: tuple[IntArray, NDArray[Any]] | None = None

    @property
    def dtype(self) -> DTypeLike:
        return self.base.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self.base.shape[1:])

    def __len__(self) -> int:
        return len(self.base) + len(self.more)

    def take(self, rows: IntArray, axis: int = 0) -> NDArray[Any]:
        """Return (n, …) the entries of `rows` (n,)."""
        rows = np.asarray(rows)
        n = len(self.base)
        old, new = parted(rows, n)
        if isinstance(new, slice):
            out = np.empty((len(rows), *self.base.shape[1:]), self.base.dtype)
            # "clip", although no row is outside: to raise an error numpy would make a copy first.
            self.base.take(rows[old], axis=0, out=out[old], mode="clip")
            self.more.take(rows[new] - n, axis=0, out=out[new], mode="clip")
        else:
            out = self.base.take(np.minimum(rows, n - 1), axis=0)
            out[new] = self.more.take(rows[new] - n, axis=0)
        if self.patched is not None:
            at, number = patched_of(self.patched[0], rows)
            out[at] = self.patched[1][number]
        return out

    def __getitem__(self, rows: Any) -> Any:
        return self.take(rows) if isinstance(rows, np.ndarray) else self.take(np.array([rows]))[0]


Part = slice | IntArray
"""Places among given rows."""


def parted(rows: IntArray, n: int) -> tuple[Part, Part]:
    """Return which places of `rows` (m,) are of an index of `n` rows, and which of a delta behind it.

    Slices where no row of the delta comes before one of the index, as in rows that rise: those cost no copies.
    """
    new = rows >= n
    split = len(rows) - int(np.count_nonzero(new))
    if new[:split].any():
        return np.flatnonzero(~new), np.flatnonzero(new)
    return slice(0, split), slice(split, len(rows))


def patched_of(patched: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Return which places of `rows` (n,) are of `patched` (p,) rows, rising, and the place there of each."""
    if not len(patched):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    place = np.minimum(np.searchsorted(patched, rows), len(patched) - 1)
    at = np.flatnonzero(patched[place] == rows)
    return at, place[at]


@dataclass(frozen=True, slots=True, eq=False)
class JoinedStrings:
    """String r is `base[r]` below len(base), else `more[r - len(base)]`."""

    base: Strings
    more: Strings

    def __len__(self) -> int:
        return len(self.base) + len(self.more)

    def __getitem__(self, row: int) -> str:
        return self.base[row] if row < len(self.base) else self.more[row - len(self.base)]

    def encoded(self, rows: Sequence[int] | IntArray) -> Iterator[memoryview]:
        """Yield the strings of `rows` (n), in their order, as they are stored: UTF-8."""
        index = np.asarray(rows, np.int64)
        new = index >= len(self.base)
        if not new.any():
            return self.base.encoded(index)
        of_base = self.base.encoded(index[~new])
        of_more = self.more.encoded(index[new] - len(self.base))
        return (next(of_more if is_new else of_base) for is_new in new.tolist())

    def take(self, rows: Sequence[int] | IntArray) -> list[str]:
        """Return the strings of `rows` (n), in their order."""
        return [str(stored, "utf-8") for stored in self.encoded(rows)]

    def __iter__(self) -> Iterator[str]:
        yield from self.base
        yield from self.more
