"""Which items may be answered: a bitset over rows with rank, and what one request leaves out besides."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np

from slotbeam.arrays import ranges, running_totals
from slotbeam.types import BoolArray, IntArray

_WORD = 64


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """A set of the rows 0..n-1 that is counted over any range in constant time.

    Attributes:
        n: rows.
        bits: (⌈n / 64⌉ + 1,) uint64, row r is bit r % 64 of word r // 64; None: every row.
        ranks: (⌈n / 64⌉ + 1,) int32, bits that are set before each word; None with `bits`.
        left_out: (e,) int64 rows that are set and yet no member, rising: what one request excludes of a set that many
            share.
    """

    n: int
    bits: IntArray | None = None
    ranks: IntArray | None = None
    left_out: IntArray | None = None

    @classmethod
    def of(cls, mask: BoolArray) -> Passing:
        """Return the set of the rows r whose `mask[r]`, (n,), is true."""
        n = len(mask)
        octets = np.zeros((n // _WORD + 1) * 8, np.uint8)
        packed = np.packbits(mask, bitorder="little")
        octets[: len(packed)] = packed
        bits = octets.view("<u8")
        return cls(n, bits, running_totals(np.bitwise_count(bits), np.int32)[:-1])

    @property
    def is_everything(self) -> bool:
        """Whether every row is a member."""
        return self.bits is None and self.left_out is None

    @property
    def nbytes(self) -> int:
        """Bytes that it holds."""
        return 0 if self.bits is None or self.ranks is None else int(self.bits.nbytes + self.ranks.nbytes)

    def without(self, rows: IntArray | Sequence[int]) -> Passing:
        """Return this set less `rows` (e,), in any order; the bits are shared, not copied."""
        if not len(rows):
            return self
        rows = np.unique(np.asarray(rows, np.int64))
        return replace(self, left_out=rows[self.holds(rows)])

    def holds(self, rows: IntArray) -> BoolArray:
        """Return (m,) which `rows` (m,) are members."""
        rows = np.asarray(rows, np.int64)
        if self.bits is None:
            members = np.ones(len(rows), np.bool_)
        else:
            members = (self.bits[rows // _WORD] >> (rows % _WORD).astype(np.uint64)) & np.uint64(1) != 0
        if self.left_out is not None:
            members &= ~np.isin(rows, self.left_out)
        return np.asarray(members)

    def before(self, rows: IntArray) -> IntArray:
        """Return (m,) int64: the members before each row of `rows` (m,), 0..n."""
        rows = np.asarray(rows, np.int64)
        if self.bits is None or self.ranks is None:
            totals = rows
        else:
            word = rows // _WORD
            # Of the row's own word only the bits below it count: a shift by 64 would be undefined, one by 0..63 is not.
            below = (np.uint64(1) << (rows % _WORD).astype(np.uint64)) - np.uint64(1)
            totals = self.ranks[word].astype(np.int64) + np.bitwise_count(self.bits[word] & below)
        return totals if self.left_out is None else totals - np.searchsorted(self.left_out, rows)

    def count(self, start: IntArray, stop: IntArray) -> IntArray:
        """Return (m,) int64: the members within each range `start[i]:stop[i]`."""
        return self.before(stop) - self.before(start)

    def rows(self, start: IntArray, stop: IntArray) -> IntArray:
        """Return (m,) int64: the members within the ranges, one range behind the other, rising within each."""
        if self.bits is None:
            members = ranges(np.asarray(start, np.int64), stop - start)[1]
        else:
            octets = self.bits.view(np.uint8)
            found = [np.empty(0, np.int64)]
            for first, last in zip(np.asarray(start).tolist(), np.asarray(stop).tolist(), strict=True):
                # By whole octets, so that a range is unpacked where it lies; what stands before it in the first is cut.
                whole = np.unpackbits(octets[first // 8 : (last + 7) // 8], bitorder="little")
                found.append(first + np.flatnonzero(whole[first % 8 : first % 8 + last - first]))
            members = np.concatenate(found)
        return members if self.left_out is None else members[~np.isin(members, self.left_out)]


class KeptSets:
    """Sets by what they were asked for with, the last ones that were used: frontends repeat the same few filters."""

    def __init__(self, most_bytes: int = 2**26) -> None:
        self._most_bytes = most_bytes
        self._held: OrderedDict[bytes, Passing] = OrderedDict()
        self._lock = Lock()
        self.nbytes = 0

    def get(self, wanted: bytes, make: Callable[[], Passing]) -> Passing:
        """Return the set of `wanted`; one that is not held is made, and the least lately used ones go for it."""
        with self._lock:
            if wanted in self._held:
                self._held.move_to_end(wanted)
                return self._held[wanted]
        made = make()  # not under the lock: two threads may make the same set, and queries for others go on
        with self._lock:
            if wanted not in self._held:
                self._held[wanted] = made
                self.nbytes += len(wanted) + made.nbytes
            while self.nbytes > self._most_bytes:
                gone, passing = self._held.popitem(last=False)
                self.nbytes -= len(gone) + passing.nbytes
        return made
