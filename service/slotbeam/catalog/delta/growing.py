"""Columns that only grow: one writer appends, readers keep views of what was there when they took them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from slotbeam.arrays import Strings
from slotbeam.types import IntArray

_FIRST = 1024


def inserted(held: NDArray[Any], at: IntArray, new: NDArray[Any]) -> NDArray[Any]:
    """Return `held` (…, m) with each of `new` (…, n) put before its place `at` (n,), rising, as `np.insert` does.

    Which looks at each entry; this copies what is between two places in one piece.
    """
    out = np.empty((*held.shape[:-1], held.shape[-1] + len(at)), held.dtype)
    ends = [0, *at.tolist(), held.shape[-1]]
    for number, (start, end) in enumerate(pairwise(ends)):
        out[..., start + number : end + number] = held[..., start:end]
    out[..., at + np.arange(len(at))] = new
    return out


class GrowingArray:
    """Entries of one shape. Nothing that was appended changes, so a view of it needs no copy."""

    def __init__(self, dtype: DTypeLike, shape: tuple[int, ...] = ()) -> None:
        self._held: NDArray[Any] = np.empty((_FIRST, *shape), dtype)
        self._length = 0

    def append(self, part: NDArray[Any]) -> None:
        """Take the next entries, (n, *shape)."""
        end = self._length + len(part)
        if end > len(self._held):
            wider = np.empty((max(end, 2 * len(self._held)), *self._held.shape[1:]), self._held.dtype)
            wider[: self._length] = self._held[: self._length]
            self._held = wider
        self._held[self._length : end] = part
        self._length = end

    def view(self) -> NDArray[Any]:
        """Return all entries so far."""
        return self._held[: self._length]


class SortedRows:
    """Rows that came, in the order of a key each has; of equal ones the earlier first."""

    def __init__(self, dtype: DTypeLike) -> None:
        self.keys, self.rows = np.empty(0, dtype), np.empty(0, np.int64)

    def append(self, keys: NDArray[Any]) -> None:
        """Take the keys (n,) of the next rows."""
        first = np.argsort(keys, kind="stable")
        at = np.searchsorted(self.keys, keys[first], side="right")
        self.rows = inserted(self.rows, at, first + len(self.rows))
        self.keys = inserted(self.keys, at, keys[first])

    def ranks(self) -> IntArray:
        """Return (D,) int64 the place of each row."""
        out = np.empty(len(self.rows), np.int64)
        out[self.rows] = np.arange(len(out))
        return out


class GrowingStrings:
    """Strings, as `Strings` holds them."""

    def __init__(self) -> None:
        self._blob, self._offsets = GrowingArray(np.uint8), GrowingArray(np.int64)
        self._offsets.append(np.zeros(1, np.int64))

    def append(self, part: Strings | Sequence[bytes]) -> None:
        """Take the next strings."""
        part = part if isinstance(part, Strings) else Strings.of_bytes(part)
        self._offsets.append(part.offsets[1:].astype(np.int64) + len(self._blob.view()))
        self._blob.append(part.blob)

    def view(self) -> Strings:
        """Return all strings so far."""
        return Strings(self._blob.view(), self._offsets.view())
