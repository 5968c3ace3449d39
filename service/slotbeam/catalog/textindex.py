"""Items by what their texts mean: an inverted file over text vectors, whose lists are the model's own centroids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slotbeam.arrays import load_array, ranges, running_totals, save_array
from slotbeam.catalog.closeness import closeness
from slotbeam.catalog.passing import Passing
from slotbeam.types import FloatArray, IntArray

_PARTS = ("vectors", "centroids", "rows", "starts")


@dataclass(frozen=True, slots=True, eq=False)
class TextIndex:
    """N items in C lists.

    Attributes:
        vectors: (N, m) int8, 127 × the unit text vectors, in row order; (N, 0) where the model had no teacher.
        centroids: (C, m) int8, of the lists.
        rows: (N,) int32, list by list, rising in each.
        starts: (C + 1,) list c holds `rows[starts[c]:starts[c + 1]]`.
    """

    vectors: IntArray
    centroids: IntArray
    rows: IntArray
    starts: IntArray

    @classmethod
    def load(cls, directory: Path, items: int) -> TextIndex:
        """Map what `save_lists` and the vectors' own file hold; an index of `items` items without them has none."""
        if not directory.is_dir():
            none = np.zeros((0, 0), np.int8)
            return cls(np.zeros((items, 0), np.int8), none, np.zeros(0, np.int32), np.zeros(1, np.int64))
        return cls(*(load_array(directory / f"{name}.npy") for name in _PARTS))

    def closeness(self, vector: FloatArray, rows: IntArray) -> FloatArray:
        """Return (n,) cosines of a query's text vector (m,), a unit one, with those of `rows`."""
        return closeness(self.vectors, vector, rows)

    def nearest(self, vector: FloatArray, limit: int, scan: int, passing: Passing) -> IntArray:
        """Return (n,) the nearest rows that pass of those in the nearest lists, best first, ties in row order.

        Args:
            vector: (m,) of a query; of one that says nothing there are none.
            limit: how many at most.
            scan: lists are looked at until they hold so many rows that pass.
            passing: the rows that may be answered.
        """
        if not limit or not self.vectors.shape[1] or not vector.any():
            return np.empty(0, np.int64)
        rows = self._rows_near(vector, scan, passing)
        close = self.closeness(vector, rows)
        if len(rows) > limit:
            best = np.flatnonzero(close >= np.partition(close, -limit)[-limit])
            rows, close = rows[best], close[best]
        return np.asarray(rows[np.lexsort((self._order_of(rows), -close))][:limit])

    def _order_of(self, rows: IntArray) -> IntArray | FloatArray:
        """Return (n,) numbers that compare as `rows` do in the order of the catalog."""
        return rows

    def _rows_near(self, vector: FloatArray, scan: int, passing: Passing) -> IntArray:
        """Return (n,) the rows that pass of the nearest lists, rising: `scan` of them at least, or all."""
        if passing.count(np.zeros(1, np.int64), np.array([passing.n]))[0] <= scan:
            return passing.members()
        order, held = self._lists_near(vector)
        found: list[IntArray] = []
        count = first = 0
        while count < scan and first < len(order):
            # As many lists as would do if all of their rows passed.
            stop = first + 1 + int(np.searchsorted(np.cumsum(held[first:]), scan - count))
            places = ranges(self.starts[order[first:stop]], held[first:stop])[1]
            rows = self.rows[places].astype(np.int64)
            found.append(rows if passing.is_everything else rows[passing.holds(rows)])
            count, first = count + len(found[-1]), stop
        return np.sort(np.concatenate(found))

    def _lists_near(self, vector: FloatArray) -> tuple[IntArray, IntArray]:
        """Return (C,) the lists, the nearest first, and how many rows each holds."""
        near = closeness(self.centroids, vector, np.arange(len(self.centroids)))
        order = np.argsort(-near, kind="stable")
        return order, np.diff(self.starts)[order]


def save_lists(directory: Path, centroids: IntArray, lists: IntArray) -> None:
    """Write which rows each list holds, of the list of each row (N,)."""
    save_array(directory / "centroids.npy", centroids)
    save_array(directory / "rows.npy", np.argsort(lists, kind="stable").astype(np.int32))
    save_array(directory / "starts.npy", running_totals(np.bincount(lists, minlength=len(centroids))))
