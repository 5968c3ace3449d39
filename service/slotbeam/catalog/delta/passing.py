"""Which rows of a live catalog may be answered: a set of the index's rows, and a mask of the delta's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from slotbeam.catalog.passing import Passing
from slotbeam.types import BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class LivePassing:
    """A set of the rows of a live catalog.

    Attributes:
        base: of the N rows of the index.
        delta: (D,) which rows of the delta are members.
        dead: rows of the index that are no items any longer.
    """

    base: Passing
    delta: BoolArray
    dead: int = 0

    @property
    def n(self) -> int:
        """N + D."""
        return self.base.n + len(self.delta)

    @property
    def is_everything(self) -> bool:
        """Never: that a row is no item any longer is told by this set alone."""
        return False

    @property
    def nbytes(self) -> int:
        """Bytes that it holds."""
        return self.base.nbytes + self.delta.nbytes

    def holds(self, rows: IntArray) -> BoolArray:
        """Return (m,) which `rows` (m,) are members."""
        rows = np.asarray(rows, np.int64)
        new = rows >= self.base.n
        if not new.any():
            return self.base.holds(rows)
        members = np.empty(len(rows), np.bool_)
        members[~new] = self.base.holds(rows[~new])
        members[new] = self.delta[rows[new] - self.base.n]
        return members

    def without(self, rows: IntArray | Sequence[int]) -> LivePassing:
        """Return this set less `rows` (e,), in any order."""
        if not len(rows):
            return self
        out = np.asarray(rows, np.int64)
        delta = self.delta
        if (out >= self.base.n).any():
            delta = delta.copy()
            delta[out[out >= self.base.n] - self.base.n] = False
        return replace(self, base=self.base.without(out[out < self.base.n]), delta=delta)

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
