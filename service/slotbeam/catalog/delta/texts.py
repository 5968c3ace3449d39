"""Items of an index and of a delta by what their texts mean."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from slotbeam.arrays import ranges
from slotbeam.catalog.delta.passing import LivePassing
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.textindex import TextIndex
from slotbeam.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class LiveTextIndex(TextIndex):
    """`TextIndex` over both: `vectors` are joined, `rows` and `starts` are those of the index.

    Attributes:
        more, more_starts: rows of the delta list by list, items or not, as `rows` and `starts` are of the index.
        places: (D,) see `DeltaOrder.places`.
        base: N.
    """

    more: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    more_starts: IntArray = field(default_factory=lambda: np.zeros(1, np.int64))
    places: FloatArray = field(default_factory=lambda: np.empty(0))
    base: int = 0

    def _order_of(self, rows: IntArray) -> FloatArray:
        new = rows >= self.base
        at = rows.astype(np.float64)
        at[new] = self.places[rows[new] - self.base]
        return at

    def _rows_near(self, vector: FloatArray, scan: int, passing: Passing | LivePassing) -> IntArray:
        assert isinstance(passing, LivePassing)
        if sum(int(part.count(np.zeros(1, np.int64), np.array([part.n]))[0]) for part in passing.parts) <= scan:
            return passing.members()
        order, held = self._lists_near(vector)
        new = np.diff(self.more_starts)
        held = held + new[order]
        found: list[IntArray] = []
        count = first = 0
        while count < scan and first < len(order):
            # As in an index: as many lists as would do if all of their rows passed.
            stop = first + 1 + int(np.searchsorted(np.cumsum(held[first:]), scan - count))
            opened = order[first:stop]
            places = ranges(self.starts[opened], np.diff(self.starts)[opened])[1]
            rows = self.rows[places].astype(np.int64)
            more = self.more[ranges(self.more_starts[opened], new[opened])[1]]
            found += [rows[passing.base.holds(rows)], more[passing.delta[more]] + self.base]
            count, first = count + len(found[-2]) + len(found[-1]), stop
        return np.sort(np.concatenate(found))
