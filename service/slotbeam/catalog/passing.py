"""Which items may be answered: a bitset over rows with rank, and what one request leaves out besides."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np

from slotbeam.arrays import among, bisected, distinct, ranges, running_totals
from slotbeam.types import BoolArray, IntArray

_WORD = 64
_ALL = np.uint64(2**64 - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """A set of the rows 0..n-1 that is counted over any range in constant time.

    Attributes:
        n: rows.
        bits: (⌈n / 64⌉ + 1,) uint64, row r is bit r % 64 of word r // 64; None: every row.
        ranks: (⌈n / 64⌉ + 1,) int32, bits that are set before each word; None with `bits`.
        few: (m,) int32, the rows that are set, rising, where they are so few that the list is no larger than the bits.
        left_out: (e,) int64 rows that are set and yet no member, rising: what one request excludes of a set that many
            share.
    """

    n: int
    bits: IntArray | None = None
    ranks: IntArray | None = None
    few: IntArray | None = None
    left_out: IntArray | None = None

    @classmethod
    def of(cls, mask: BoolArray) -> Passing:
        """Return the set of the rows r whose `mask[r]`, (n,), is true."""
        n = len(mask)
        octets = np.zeros((n // _WORD + 1) * 8, np.uint8)
        packed = np.packbits(mask, bitorder="little")
        octets[: len(packed)] = packed
        bits = octets.view("<u8")
        totals = running_totals(np.bitwise_count(bits), np.int32)
        few = np.flatnonzero(mask).astype(np.int32) if totals[-1] * 32 <= n else None
        return cls(n, bits, totals[:-1], few)

    @property
    def is_everything(self) -> bool:
        """Whether every row is a member."""
        return self.bits is None and self.left_out is None

    @property
    def nbytes(self) -> int:
        """Bytes that it holds."""
        return sum(held.nbytes for held in (self.bits, self.ranks, self.few) if held is not None)

    def without(self, rows: IntArray | Sequence[int]) -> Passing:
        """Return this set less `rows` (e,), in any order; the bits are shared, not copied."""
        if not len(rows):
            return self
        rows = distinct(np.asarray(rows, np.int64))
        members = rows[self.holds(rows)]
        return replace(self, left_out=members) if len(members) else self

    def holds(self, rows: IntArray) -> BoolArray:
        """Return (m,) which `rows` (m,) are members."""
        rows = np.asarray(rows, np.int64)
        if self.bits is None:
            members = np.ones(len(rows), np.bool_)
        else:
            members = (self.bits[rows // _WORD] >> (rows % _WORD).astype(np.uint64)) & np.uint64(1) != 0
        if self.left_out is not None:
            members &= ~among(self.left_out, rows)
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

    def members(self) -> IntArray:
        """Return (m,) int64: all members, rising."""
        return self.rows(np.zeros(1, np.int64), np.array([self.n]))

    def rows(self, start: IntArray, stop: IntArray) -> IntArray:
        """Return (m,) int64: the members within the ranges, one range behind the other, rising within each."""
        start, stop = np.asarray(start, np.int64), np.asarray(stop, np.int64)
        if self.bits is None:
            members: IntArray = ranges(start, stop - start)[1]
        elif self.few is not None:
            low, high = bisected(self.few, start), bisected(self.few, stop)
            members = self.few[ranges(low, high - low)[1]].astype(np.int64)
        else:
            # The words of all ranges one behind the other, less the bits before and behind each range.
            first = start // _WORD
            length = -(-stop // _WORD) - first
            some = length > 0
            _, word = ranges(first[some], length[some])
            bits, ends = self.bits[word], np.cumsum(length[some])
            bits[ends - length[some]] &= _ALL << (start[some] % _WORD).astype(np.uint64)
            bits[ends - 1] &= _ALL >> (-stop[some] % _WORD).astype(np.uint64)
            nth = np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little"))
            members = word[nth // _WORD] * _WORD + nth % _WORD
        return members if self.left_out is None else members[~among(self.left_out, members)]


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
