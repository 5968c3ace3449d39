"""Postings: which items carry each term and how much it weighs there, and where along the rows it weighs most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from slotbeam.arrays import among, load_array, save_array
from slotbeam.types import FloatArray, IntArray

WINDOW_BITS = 8
"""A window is 2⁸ rows: of 2⁶ to 2¹⁰ the fastest or next to it at 10⁴, 10⁵ and 10⁶ items (docs/log.md)."""
_HEAVY = 4
"""Postings a window, on average, from which a term's windows are stored; those of other terms are quickly made."""


@dataclass(frozen=True, slots=True)
class Postings:
    """Term → items. Rows are in SID order, so a term of like items stands close together, in few windows of rows.

    Attributes:
        starts: (U + 1,) int32, int64 from 2³¹ postings on: those of term u are `starts[u]:starts[u + 1]`.
        rows: (P,) int32, rising within a term.
        impacts: (P,) float16, > 0: BM25 impact of the term in the item.
        heavy: (H,) int32, rising: the terms whose windows are stored.
        maxima: (H, W) float16, the largest impact in each window; 0 where no item carries the term.
        edges: (H, W + 1) int32, the term's postings in window w are `edges[w]:edges[w + 1]`, counted from its first.
        window_bits: a window is 2 ** window_bits rows, the last one may reach beyond the catalog.
    """

    starts: IntArray
    rows: IntArray
    impacts: FloatArray
    heavy: IntArray
    maxima: FloatArray
    edges: IntArray
    window_bits: int = WINDOW_BITS

    @classmethod
    def of(
        cls, starts: IntArray, rows: IntArray, impacts: FloatArray, n_rows: int, window_bits: int = WINDOW_BITS
    ) -> Postings:
        """Find the windows of the heavy terms among `n_rows` items; the arrays are those of the same names."""
        heavy, maxima, edges = empty_windows(np.diff(starts), n_rows, window_bits)
        for number, term in enumerate(heavy.tolist()):
            own = slice(int(starts[term]), int(starts[term + 1]))
            fill_windows(maxima[number], edges[number], rows[own], impacts[own], window_bits)
        return cls(starts, rows, impacts, heavy, maxima, edges, window_bits)

    @property
    def windows(self) -> int:
        """W, how many windows there are."""
        return int(self.maxima.shape[1])

    def of_term(self, term: int) -> tuple[IntArray, FloatArray]:
        """Return the rows and impacts of a term, each (n,)."""
        own = slice(int(self.starts[term]), int(self.starts[term + 1]))
        return self.rows[own], self.impacts[own]

    def heavy_number(self, term: int) -> int | None:
        """Return where the windows of `term` are stored; None for a term whose are not."""
        number = int(np.searchsorted(self.heavy, term))
        return number if number < len(self.heavy) and self.heavy[number] == term else None

    def sums(self, terms: IntArray, rows: IntArray) -> FloatArray:
        """Return (n,) float32: the summed impacts of `terms` (t,), in their order, in each of `rows` (n,)."""
        out = np.zeros(len(rows), np.float32)
        for _, at, impacts in met(self._of_terms(terms), rows):
            out[at] += impacts
        return out

    def each(self, terms: IntArray, rows: IntArray) -> FloatArray:
        """Return (t, n) float32: the impact of each of `terms` (t,) in each of `rows` (n,); 0 where it is not."""
        out = np.zeros((len(terms), len(rows)), np.float32)
        for number, at, impacts in met(self._of_terms(terms), rows):
            out[number, at] = impacts
        return out

    def _of_terms(self, terms: IntArray) -> Iterator[tuple[int, IntArray, FloatArray]]:
        return ((number, *self.of_term(term)) for number, term in enumerate(terms.tolist()))

    def carrying_all(self, terms: IntArray) -> IntArray:
        """Return the rows (n,), rising, of the items that carry every one of `terms` (t,), t > 0."""
        rarest, *others = sorted((self.of_term(term)[0] for term in terms.tolist()), key=len)
        for carrying in others:
            rarest = rarest[among(carrying, rarest)]
        return rarest

    def save(self, directory: Path) -> None:
        for name in ARRAYS:
            save_array(directory / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, directory: Path) -> Postings:
        """Map what `save`, or a `PostingsBuilder` with this directory, wrote."""
        arrays: list[Any] = [load_array(directory / f"{name}.npy") for name in ARRAYS]
        return cls(*arrays)


def met(
    lists: Iterable[tuple[int, IntArray, FloatArray]], rows: IntArray
) -> Iterator[tuple[int, IntArray, FloatArray]]:
    """Yield of each term its number, where in `rows` it is carried, and its impacts there, float32.

    Args:
        lists: of each term its number, the rows that carry it, int32, rising, at least one, and its impacts.
        rows: (n,).
    """
    order = np.argsort(rows)  # neighbours look at the same postings
    wanted = rows[order].astype(np.int32)  # the type of what is searched, which numpy would convert otherwise
    for number, carrying, impacts in lists:
        place = np.searchsorted(carrying, wanted)
        hit = np.flatnonzero(carrying[np.minimum(place, len(carrying) - 1)] == wanted)
        yield number, order[hit], impacts[place[hit]].astype(np.float32)


ARRAYS = tuple(field.name for field in fields(Postings) if field.name != "window_bits")


def empty_windows(documents: IntArray, n_rows: int, window_bits: int) -> tuple[IntArray, FloatArray, IntArray]:
    """Return `heavy`, and `maxima` and `edges` to be filled.

    Args:
        documents: (U,) how many items carry each term.
        n_rows: items.
        window_bits: as in `Postings`.
    """
    windows = max(1, -(-n_rows >> window_bits))
    heavy = np.flatnonzero(documents >= _HEAVY * windows).astype(np.int32)
    return heavy, np.zeros((len(heavy), windows), np.float16), np.zeros((len(heavy), windows + 1), np.int32)


def fill_windows(maxima: FloatArray, edges: IntArray, rows: IntArray, impacts: FloatArray, window_bits: int) -> None:
    """Fill `maxima` (W,) and `edges` (W + 1,) of the term that has these `rows` and `impacts`, each (n,)."""
    edges[:] = np.searchsorted(rows >> window_bits, np.arange(len(edges), dtype=rows.dtype))
    held = np.flatnonzero(np.diff(edges))
    maxima[held] = np.maximum.reduceat(impacts, edges[held])
