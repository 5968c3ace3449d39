"""Which rows of a live catalog may be answered: a set of the index's rows, and one of the delta's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from slotbeam.catalog.delta.joined import parted
from slotbeam.catalog.passing import Passing
from slotbeam.types import BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class LivePassing:
    """A set of the rows of a live catalog.

    Attributes:
        base: of the N rows of the index.
        delta: (D,) which rows of the delta are members.
        ordered: the same as a set of places in the order of the delta, so that its ranges are counted.
        numbers: (D,) the place of each row there, see `DeltaOrder.numbers`; shared.
        dead: rows of the index that are no items any longer.
        begun: what a first query found at the root of the trie, for the next ones (`LiveShelf.children`).
    """

    base: Passing
    delta: BoolArray
    ordered: Passing
    numbers: IntArray
    dead: int = 0
    begun: list[Any] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, base: Passing, delta: BoolArray, in_order: IntArray, numbers: IntArray, dead: int = 0) -> LivePassing:
        """Return a set of what is told of the rows of the delta in their order; the rest as the attributes.

        Args:
            in_order: (m,) rows of the delta, as `DeltaOrder.rows`; no other is a member.
        """
        passes = delta[in_order]
        return cls(base, delta, Passing(len(passes)) if passes.all() else Passing.of(passes), numbers, dead)

    @property
    def n(self) -> int:
        """N + D."""
        return self.base.n + len(self.delta)

    @property
    def parts(self) -> tuple[Passing, Passing]:
        """The members of the index, and those of the delta in its order."""
        return self.base, self.ordered

    @property
    def is_everything(self) -> bool:
        """Never: that a row is no item any longer is told by this set alone."""
        return False

    @property
    def nbytes(self) -> int:
        """Bytes that it holds."""
        return self.base.nbytes + self.delta.nbytes + self.ordered.nbytes

    def holds(self, rows: IntArray) -> BoolArray:
        """Return (m,) which `rows` (m,) are members."""
        rows = np.asarray(rows, np.int64)
        old, new = parted(rows, self.base.n)
        members = np.empty(len(rows), np.bool_)
        members[old], members[new] = self.base.holds(rows[old]), self.delta[rows[new] - self.base.n]
        return members

    def without(self, rows: IntArray | Sequence[int]) -> LivePassing:
        """Return this set less `rows` (e,), in any order."""
        if not len(rows):
            return self
        out = np.asarray(rows, np.int64)
        base, own = self.base.without(out[out < self.base.n]), out[out >= self.base.n] - self.base.n
        own = own[self.delta[own]]
        delta, ordered = self.delta, self.ordered
        if len(own):
            delta, ordered = delta.copy(), ordered.without(self.numbers[own])
            delta[own] = False
        return LivePassing(base, delta, ordered, self.numbers, self.dead)

    def members(self) -> IntArray:
        """Return (m,) all members, rising."""
        return np.concatenate([self.base.members(), np.flatnonzero(self.delta) + self.base.n])


def less(whole: Passing, gone: IntArray, but: IntArray) -> Passing:
    """Return a set of an index's rows without those that are gone, and with others.

    Args:
        whole: of n rows.
        gone: (g,) rows that are no members of the result.
        but: (b,) rows that are, whether `whole` holds them or not; none of `gone`.
    """
    if not len(gone) and not len(but):
        return whole
    if whole.bits is None:
        mask = np.ones(whole.n, np.bool_)
    else:
        mask = np.unpackbits(whole.bits.view(np.uint8), count=whole.n, bitorder="little").view(np.bool_)
    mask[gone] = False
    mask[but] = True
    return Passing.of(mask)
