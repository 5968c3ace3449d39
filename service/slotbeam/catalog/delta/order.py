"""The rows of a delta in the order of an index: by SID, then popularity, then id; and where each stands among its rows.

So a prefix of SIDs is a range of the delta's rows, too: the delta's trie is this order, and needs no states.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slotbeam.arrays import bisected, run_starts
from slotbeam.background import rest
from slotbeam.catalog.delta.growing import inserted
from slotbeam.catalog.table import Catalog
from slotbeam.types import BoolArray, FloatArray, IntArray

_ID_BYTES = 48
"""Of an id, by which rows of one SID and popularity are ordered."""

Keys = NDArray[Any]
"""(n,) bytes that compare as the rows of an index are ordered."""


def keys_of(sids: IntArray, prior: FloatArray, ids: Sequence[bytes] | None = None) -> Keys:
    """Return (n,) bytes that compare as `sids` (n, L), then `prior` (n,) >= 0 downwards, then `ids` (n) where given."""
    codes = np.ascontiguousarray(sids, f">u{sids.dtype.itemsize}").view(np.uint8)
    # Of numbers that are not negative the bits compare as they do.
    inverse = np.uint32(2**32 - 1) - np.ascontiguousarray(prior, np.float32).view(np.uint32)
    parts = [
        codes.reshape(len(sids), sids.shape[1] * sids.dtype.itemsize),
        inverse.astype(">u4").view(np.uint8).reshape(-1, 4),
    ]
    if ids is not None:
        named = np.array([one[:_ID_BYTES] for one in ids], f"S{_ID_BYTES}")
        parts.append(named.view(np.uint8).reshape(-1, _ID_BYTES))
    whole = np.concatenate(parts, axis=1)
    return whole.view(f"S{whole.shape[1]}").reshape(-1)


class IndexOrder:
    """Where items that come later belong among the rows of an index, and their ids among its ids."""

    def __init__(self, index: Catalog) -> None:
        self._index = index
        self._by_id = np.empty(len(index.id_ranks), np.int32)
        self._by_id[index.id_ranks] = np.arange(len(index.id_ranks), dtype=np.int32)

    def id_place(self, item_id: str) -> int:
        """Return how many ids of the index are less than this one."""
        rest()
        return bisect_left(range(len(self._by_id)), item_id, key=lambda place: self._index.ids[int(self._by_id[place])])

    def below(self, keys: Keys, id_places: IntArray) -> IntArray:
        """Return (n,) how many rows of the index come before items of these `keys` (n,) and `id_places` (n,)."""
        low, high = np.zeros(len(keys), np.int64), np.full(len(keys), len(self._by_id))
        while (searched := np.flatnonzero(low < high)).size:
            middle = (low[searched] + high[searched]) // 2
            theirs = keys_of(self._index.sids.take(middle, axis=0), self._index.prior.take(middle))
            own = keys[searched]
            before = (theirs < own) | ((theirs == own) & (self._index.id_ranks.take(middle) < id_places[searched]))
            low[searched] = np.where(before, middle + 1, low[searched])
            high[searched] = np.where(before, high[searched], middle)
        return low

    def leaves(self, sids: IntArray, below: IntArray) -> IntArray:
        """Return (n,) int64 of each SID (n, L) twice the leaves of the index before its own, and 1 where it is one.

        Args:
            sids: of items.
            below: (n,) rows of the index before each item.
        """
        index, last = self._index, len(self._by_id) - 1
        before, behind = np.clip(below - 1, 0, last), np.clip(below, 0, last)
        equal = [(below > 0) & (index.sids.take(before, axis=0) == sids).all(axis=1)]
        equal += [(below <= last) & (index.sids.take(behind, axis=0) == sids).all(axis=1)]
        row = np.where(equal[0], before, behind)
        leaf = np.where(equal[0] | equal[1], bisected(index.leaf_items, row, "right") - 1, 0)
        between = bisected(index.leaf_items, below)
        return np.where(equal[0] | equal[1], 2 * leaf + 1, 2 * between)


@dataclass(frozen=True, slots=True, eq=False)
class DeltaOrder:
    """The living rows of a delta, in order.

    Attributes:
        rows: (m,) int64, of the delta.
        keys: (m,) see `keys_of`, with ids.
        sids: (L, m) codes, a row a position, so that a range of one is contiguous.
        below: (m,) int64, rows of the index before each.
        leaves: (m,) int64, see `IndexOrder.leaves`.
    """

    rows: IntArray
    keys: Keys
    sids: IntArray
    below: IntArray
    leaves: IntArray

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def empty(cls, sids: IntArray) -> DeltaOrder:
        """Return that of no rows, of an index whose SIDs are `sids` (N, L)."""
        none = np.empty(0, np.int64)
        return cls(none, keys_of(sids[:0], np.empty(0), []), sids[:0].T, none, none)

    def without(self, alive: BoolArray) -> DeltaOrder:
        """Return it without the rows that are not `alive` (D,)."""
        kept = alive[self.rows]
        return DeltaOrder(self.rows[kept], self.keys[kept], self.sids[:, kept], self.below[kept], self.leaves[kept])

    def with_rows(self, rows: IntArray, keys: Keys, sids: IntArray, below: IntArray, leaves: IntArray) -> DeltaOrder:
        """Return it with more rows; arguments (n, …) as the attributes, `sids` (n, L)."""
        first = np.argsort(keys, kind="stable")
        at = np.searchsorted(self.keys, keys[first], side="right")
        return DeltaOrder(
            rows=inserted(self.rows, at, rows[first]),
            keys=inserted(self.keys, at, keys[first]),
            sids=inserted(self.sids, at, sids[first].T),
            below=inserted(self.below, at, below[first]),
            leaves=inserted(self.leaves, at, leaves[first]),
        )

    def places(self, n: int) -> FloatArray:
        """Return (n,) float64 of each of `n` rows of the delta a number between those of the rows that it is between.

        Of rows of the index it is their own number. Rows that are not in this order have none: NaN.
        """
        first = run_starts(self.below)
        count = np.diff(np.append(first, len(self.below)))
        nth = np.arange(len(self.below)) - np.repeat(first, count)
        out = np.full(n, np.nan)
        out[self.rows] = self.below - 1 + (nth + 1) / (np.repeat(count, count) + 1)
        return out

    def numbers(self, n: int) -> IntArray:
        """Return (n,) int64 of each of `n` rows of the delta its place in this order, -1 where it is not in it."""
        out = np.full(n, -1)
        out[self.rows] = np.arange(len(self.rows))
        return out

    def edges(self) -> tuple[IntArray, ...]:
        """Return of each depth where runs of rows begin whose SIDs share that many codes and one more; m is the last.

        A range of rows that share the first codes holds whole runs: they are the edges that leave this prefix.
        """
        begins = np.zeros(max(0, len(self.rows) - 1), np.bool_)
        starts = []
        for codes in self.sids:
            begins = begins | (codes[1:] != codes[:-1])
            starts.append(np.concatenate([[0], np.flatnonzero(begins) + 1, [len(self.rows)]]))
        return tuple(starts)

    def sid_ranks(self, n: int) -> FloatArray:
        """Return (n,) float64 of each of `n` rows of the delta a number that compares as its SID does.

        Of a row of the index it is its leaf's: 2 × leaf + 1.
        """
        new = self.leaves % 2 == 0
        # SIDs that the index does not have may share a gap between two leaves: numbered through it.
        number = np.zeros(len(self.rows))
        number[run_starts(self.sids.T)] = 1
        number = np.cumsum(number)
        out = np.full(n, np.nan)
        out[self.rows] = self.leaves + np.where(new, number / (len(self.rows) + 2), 0)
        return out
