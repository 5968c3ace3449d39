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
        lists: (D,) int32, the list of each row of the delta.
        places: (D,) see `DeltaOrder.places`.
        base: N.
    """

    lists: IntArray = field(default_factory=lambda: np.empty(0, np.int32))
    places: FloatArray = field(default_factory=lambda: np.empty(0))
    base: int = 0

    def _in_order(self, rows: IntArray) -> IntArray:
        at = rows.astype(np.float64)
        new = rows >= self.base
        at[new] = self.places[rows[new] - self.base]
        return rows[np.argsort(at, kind="stable")]

    def _rows_near(self, vector: FloatArray, scan: int, passing: Passing | LivePassing) -> IntArray:
        assert isinstance(passing, LivePassing)
        members = np.flatnonzero(passing.delta)
        total = int(passing.base.count(np.zeros(1, np.int64), np.array([self.base]))[0]) + len(members)
        if total <= scan:
            return self._in_order(passing.members())
        order, held = self._lists_near(vector)
        of_lists = self.lists[members]
        held = held + np.bincount(of_lists, minlength=len(held))[order]
        found: list[IntArray] = []
        count = first = 0
        while count < scan and first < len(order):
            # As in an index: as many lists as would do if all of their rows passed.
            stop = first + 1 + int(np.searchsorted(np.cumsum(held[first:]), scan - count))
            opened = order[first:stop]
            places = ranges(self.starts[opened], np.diff(self.starts)[opened])[1]
            rows = self.rows[places].astype(np.int64)
            is_opened = np.zeros(len(held), np.bool_)
            is_opened[opened] = True
            found += [rows[passing.base.holds(rows)], members[is_opened[of_lists]] + self.base]
            count, first = count + len(found[-2]) + len(found[-1]), stop
        return self._in_order(np.concatenate(found))
