"""The items whose impacts sum highest: exact, and most postings are never read.

Block-max pruning over windows of neighbouring rows (Mallia, Suel and Tonellotto, SIGIR 2024): the largest impacts of
the terms bound what any item of a window can reach; windows are worked out best bound first, until none that is left
can hold an item of the top.

A sum is that of float32 additions in the order of the terms, for items and for bounds alike. Rounding is monotone, so
a bound is never below a sum that it bounds; and an item's sum is the same to the last bit as `Postings.sums` gives.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from slotbeam.arrays import ranges
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.postings import Postings
from slotbeam.types import FloatArray, IntArray

_FIRST, _GROWTH, _MOST = 64, 4, 1024
"""Windows of the first round, how many times more in each later one, and at most: sums of a round stay in the cache."""

_SUMMED = 2**14
"""Rows that pass, scattered, up to which all their sums cost less than looking for the windows of the best ones."""


def best_rows(
    postings: Postings, terms: IntArray, limit: int, passing: Passing | None = None
) -> tuple[IntArray, FloatArray]:
    """Return the `limit` items with the highest sums, ties in row order.

    Args:
        postings: of N items.
        terms: (t,) distinct places of terms, in the order in which their impacts are added.
        limit: >= 0.
        passing: the rows that may be answered; None: every row.

    Returns:
        Rows (n,) int64 and sums (n,) float32, best first; fewer than `limit` where fewer that pass carry a term.
    """
    if not limit:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    if passing is not None and passing.few is not None and len(passing.few) <= _SUMMED:
        rows = passing.rows(np.zeros(1, np.int64), np.array([passing.n]))
        sums = postings.sums(terms, rows)
        carrying = np.flatnonzero(sums)
        best = carrying[np.lexsort((rows[carrying], -sums[carrying]))[:limit]]
        return rows[best], sums[best]
    lists = [_of_term(postings, term) for term in terms.tolist()]
    bounds = np.zeros(postings.windows, np.float32)
    for each in lists:
        bounds += each.maxima()
    if passing is not None and passing.is_everything:
        passing = None
    if passing is not None:
        some = np.flatnonzero(bounds)
        begin, end = (np.minimum(windows << postings.window_bits, passing.n) for windows in (some, some + 1))
        bounds[some[passing.count(begin, end) == 0]] = 0
    top, mask = _Top(limit), (1 << postings.window_bits) - 1
    for windows in _rounds(bounds, top, postings.window_bits):
        sums = np.zeros(len(windows) << postings.window_bits, np.float32)
        first = np.full(len(bounds), -1)  # (W,) where the sums of each window of this round begin
        first[windows] = np.arange(len(windows)) << postings.window_bits
        for each in lists:
            each.add(sums, windows, first)
        near = np.flatnonzero(sums >= max(top.least, np.finfo(np.float32).tiny))
        rows = (windows[near >> postings.window_bits] << postings.window_bits) + (near & mask)
        if passing is not None:
            passes = passing.holds(rows)
            rows, near = rows[passes], near[passes]
        top.take(rows, sums[near])
    order = np.lexsort((top.rows, -top.sums))
    return top.rows[order], top.sums[order]


class _Top:
    """The best items so far.

    Attributes:
        least: the lowest sum of a full top; 0 while it is not full.
        last: the row of the item that has it, the last one of these to stay.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.rows: IntArray = np.empty(0, np.int64)
        self.sums: FloatArray = np.empty(0, np.float32)
        self.least, self.last = np.float32(0), 0

    def take(self, rows: IntArray, sums: FloatArray) -> None:
        """Take what is among the best of these items (n,), none of which was given before."""
        rows, sums = np.append(self.rows, rows), np.append(self.sums, sums)
        spare = len(sums) - self._limit
        if spare >= 0:
            self.least = np.partition(sums, spare)[spare]
            above = sums > self.least
            ties = np.sort(rows[sums == self.least])
            self.last = int(ties[self._limit - int(above.sum()) - 1])
            kept = above | ((sums == self.least) & (rows <= self.last))
            rows, sums = rows[kept], sums[kept]
        self.rows, self.sums = rows, sums


def _rounds(bounds: FloatArray, top: _Top, window_bits: int) -> Iterator[IntArray]:
    """Yield windows, rising, round by round, until `top`, which takes each round's items, can take none of the rest."""
    left: IntArray = np.flatnonzero(bounds)
    size = _FIRST
    while True:
        bound = bounds[left]
        # Of a window whose bound just reaches the top only rows before the last one there can still come in.
        left = left[(bound > top.least) | ((bound == top.least) & (left <= top.last >> window_bits))]
        if not len(left):
            return
        bound = bounds[left]
        chosen = np.ones(len(left), np.bool_)
        if len(left) > size:
            cut = np.partition(bound, -size)[-size]
            chosen = bound > cut
            chosen[np.flatnonzero(bound == cut)[: size - int(chosen.sum())]] = True
        yield left[chosen]
        left = left[~chosen]
        size = min(size * _GROWTH, _MOST)


class _Light:
    """A term of few items: its postings are read whole, once."""

    def __init__(self, rows: IntArray, impacts: FloatArray, windows: int, window_bits: int) -> None:
        self._mask = (1 << window_bits) - 1
        self._rows = rows.astype(np.int64)  # numpy's own type of indices, which it would make in each step
        self._window = self._rows >> window_bits
        self._impacts = impacts.astype(np.float32)
        self._windows = windows

    def maxima(self) -> FloatArray:
        maxima = np.zeros(self._windows, np.float32)
        np.maximum.at(maxima, self._window, self._impacts)
        return maxima

    def add(self, sums: FloatArray, windows: IntArray, first: IntArray) -> None:
        at = first[self._window]
        inside = np.flatnonzero(at >= 0)
        np.add.at(sums, at[inside] + (self._rows[inside] & self._mask), self._impacts[inside])


class _Heavy:
    """A term of many items: only the postings of the windows asked for are read."""

    def __init__(self, rows: IntArray, impacts: FloatArray, maxima: FloatArray, edges: IntArray, window_bits: int):
        self._mask = (1 << window_bits) - 1
        self._rows, self._impacts, self._maxima, self._edges = rows, impacts, maxima, edges
        self._bits = window_bits

    def maxima(self) -> FloatArray:
        return self._maxima.astype(np.float32)

    def add(self, sums: FloatArray, windows: IntArray, first: IntArray) -> None:
        start = self._edges[windows]
        number, posting = ranges(start, self._edges[windows + 1] - start)
        at = (number << self._bits) + (self._rows[posting] & self._mask)
        np.add.at(sums, at, self._impacts[posting].astype(np.float32))


def _of_term(postings: Postings, term: int) -> _Light | _Heavy:
    rows, impacts = postings.of_term(term)
    number = postings.heavy_number(term)
    if number is None:
        return _Light(rows, impacts, postings.windows, postings.window_bits)
    return _Heavy(rows, impacts, postings.maxima[number], postings.edges[number], postings.window_bits)
