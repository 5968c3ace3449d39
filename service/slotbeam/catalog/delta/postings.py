"""Postings of live items, and of an index and them together. Places are the index's, then those of new terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from slotbeam.arrays import among, distinct, ranges, run_starts, running_totals
from slotbeam.catalog.delta.joined import parted
from slotbeam.catalog.delta.passing import LivePassing
from slotbeam.catalog.postings import Postings, met
from slotbeam.catalog.topk import best_rows
from slotbeam.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class PostingsRun:
    """Postings of some live items.

    Attributes:
        places: (u,) int64, rising, of the terms.
        starts: (u + 1,) those of term i are `rows[starts[i]:starts[i + 1]]`.
        rows: (P,) int32 rows of the delta, rising within a term.
        impacts: (P,) float16.
    """

    places: IntArray
    starts: IntArray
    rows: IntArray
    impacts: FloatArray

    @classmethod
    def of(cls, places: IntArray, rows: IntArray, impacts: FloatArray) -> PostingsRun:
        """Sort postings (P,), given with rows that rise."""
        order = np.argsort(places, kind="stable")
        ordered = places[order]
        first = run_starts(ordered)
        return cls(ordered[first], np.append(first, len(ordered)), rows[order].astype(np.int32), impacts[order])

    def __len__(self) -> int:
        return len(self.rows)

    def joined(self, later: PostingsRun) -> PostingsRun:
        """Return both as one run; the rows of the later one are behind all of these."""
        places = distinct(np.concatenate([self.places, later.places]))
        rows = np.empty(len(self) + len(later), np.int32)
        impacts, lengths = np.empty(len(rows), np.float16), np.zeros((2, len(places)), np.int64)
        for run, own in zip((self, later), lengths, strict=True):
            own[np.searchsorted(places, run.places)] = np.diff(run.starts)
        starts = running_totals(lengths.sum(axis=0))
        for run, first, own in zip((self, later), (starts[:-1], starts[:-1] + lengths[0]), lengths, strict=True):
            at = ranges(first, own)[1]
            rows[at], impacts[at] = run.rows, run.impacts
        return PostingsRun(places, starts, rows, impacts)

    def of_term(self, place: int) -> tuple[IntArray, FloatArray]:
        """Return the rows and impacts of a term, each (n,)."""
        held = list(self.of_terms(np.array([place])))
        return held[0][1:] if held else (self.rows[:0], self.impacts[:0])

    def of_terms(self, terms: IntArray) -> Iterator[tuple[int, IntArray, FloatArray]]:
        """Yield of each of `terms` (t,) that is here its number, rows and impacts."""
        low, high = (np.searchsorted(self.places, terms, side) for side in ("left", "right"))
        starts, stops = self.starts[low].tolist(), self.starts[high].tolist()
        for number in np.flatnonzero(low < high).tolist():
            own = slice(starts[number], stops[number])
            yield number, self.rows[own], self.impacts[own]


def postings_of(hashes_of_rows: Sequence[IntArray]) -> tuple[IntArray, IntArray, IntArray]:
    """Count the terms of items.

    Args:
        hashes_of_rows: (n,) of each item the hashes of its terms, one for each occurrence.

    Returns:
        hashes (P,) uint32, the item of each (P,) int64, rising, and how often it stands there (P,) int64.
    """
    lengths = np.array([len(own) for own in hashes_of_rows], np.int64)
    owner = np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths)
    hashes = np.concatenate([*hashes_of_rows, np.empty(0, np.uint32)]).astype(np.uint64)
    keys, counts = np.unique(owner << np.uint64(32) | hashes, return_counts=True)
    return (keys & np.uint64(2**32 - 1)).astype(np.uint32), (keys >> np.uint64(32)).astype(np.int64), counts


@dataclass(frozen=True, slots=True, eq=False)
class LivePostings:
    """Term → rows of a live catalog: what `Postings` says of an index, of an index and a delta.

    Attributes:
        base: of the index, of N rows and U terms.
        runs: of the delta, earlier rows first.
        alive: which rows are items.
        summed: the last terms that were summed over the delta, and the sums: a query asks for them twice.
    """

    base: Postings
    runs: tuple[PostingsRun, ...]
    alive: LivePassing
    summed: list[tuple[bytes, FloatArray]] = field(default_factory=list, repr=False)

    @property
    def _terms(self) -> int:
        return len(self.base.starts) - 1

    def of_term(self, term: int) -> tuple[IntArray, FloatArray]:
        """Return the rows and impacts of a term in items, each (n,)."""
        rows, impacts = self._of_base(term)
        if not self.alive.base.is_everything:
            kept = self.alive.base.holds(rows)
            rows, impacts = rows[kept], impacts[kept]
        more, their = self.of_delta(term)
        if not len(more):
            return rows, impacts
        kept = self.alive.delta[more]
        return np.concatenate([rows, more[kept] + self.alive.base.n]), np.concatenate([impacts, their[kept]])

    def of_delta(self, term: int) -> tuple[IntArray, FloatArray]:
        """Return the rows of the delta that carry a term, rising, whether alive or not, and its impacts there."""
        parts = [run.of_term(term) for run in self.runs]
        parts = [part for part in parts if len(part[0])]
        if len(parts) == 1:
            return parts[0]
        rows, impacts = zip(*parts, strict=True) if parts else ((), ())
        return np.concatenate([*rows, np.empty(0, np.int32)]), np.concatenate([*impacts, np.empty(0, np.float16)])

    def _of_base(self, term: int) -> tuple[IntArray, FloatArray]:
        if term >= self._terms:
            return np.empty(0, np.int32), np.empty(0, np.float16)
        return self.base.of_term(term)

    def is_carried(self, terms: IntArray) -> BoolArray:
        """Return (t,) of each of `terms` (t,) whether an item carries it."""
        known, starts = np.minimum(terms, self._terms - 1), self.base.starts
        # Of more rows than are dead one is alive.
        carried = (terms < self._terms) & (starts[known + 1] - starts[known] > self.alive.dead)
        for at in np.flatnonzero(~carried).tolist():
            rows, more = self._of_base(terms[at])[0], self.of_delta(terms[at])[0]
            carried[at] = self.alive.base.holds(rows).any() or self.alive.delta[more].any()
        return np.asarray(carried)

    def sums(self, terms: IntArray, rows: IntArray) -> FloatArray:
        """Return (n,) float32: the summed impacts of `terms` (t,), in their order, in each of `rows` (n,)."""
        n, known = self.alive.base.n, terms[terms < self._terms]
        old, new = parted(rows, n)
        out = np.empty(len(rows), np.float32)
        out[old] = self.base.sums(known, rows[old])
        if len(own := rows[new] - n):
            out[new] = self._delta_sums(terms)[own]
        return out

    def _delta_sums(self, terms: IntArray) -> FloatArray:
        """Return (D,) float32: the summed impacts of `terms` in each row of the delta."""
        key = terms.tobytes()
        for known, sums in self.summed[:]:  # another thread may put its own there meanwhile
            if known == key:
                return sums
        out = np.zeros(len(self.alive.delta), np.float32)
        for run in self.runs:
            for _, rows, impacts in run.of_terms(terms):
                np.add.at(out, rows, impacts.astype(np.float32))  # in each row in the order of the terms
        self.summed[:] = [(key, out)]
        return out

    def each(self, terms: IntArray, rows: IntArray) -> FloatArray:
        """Return (t, n) float32: the impact of each of `terms` (t,) in each of `rows` (n,); 0 where it is not."""
        order = np.argsort(rows)
        ordered, known = rows[order], terms < self._terms
        old, new = parted(ordered, self.alive.base.n)
        # In the order of the rows first, where those of each part stand together.
        out = np.zeros((len(terms), len(rows)), np.float32)
        out[known, old] = self.base.each(terms[known], ordered[old])
        own = ordered[new] - self.alive.base.n
        for run in self.runs if len(own) else ():
            for number, at, impacts in met(run.of_terms(terms), own):
                out[number, new][at] = impacts
        each = np.empty_like(out)
        each[:, order] = out
        return each

    def carrying_all(self, terms: IntArray) -> IntArray:
        """Return the rows (n,), rising, of the items that carry every one of `terms` (t,), t > 0."""
        rarest, *others = sorted((self.of_term(term)[0] for term in terms.tolist()), key=len)
        for carrying in others:
            rarest = rarest[among(carrying, rarest)]
        return rarest

    def best(self, terms: IntArray, limit: int, passing: LivePassing, places: FloatArray) -> IntArray:
        """Return (n,) the `limit` rows that pass with the highest sums, ties in the order of the live catalog.

        Args:
            terms: (t,) distinct places of terms, in the order in which their impacts are added.
            limit: >= 0.
            passing: the rows that may be answered.
            places: (D,) see `DeltaOrder.places`.
        """
        n = passing.base.n
        rows, sums = best_rows(self.base, terms[terms < self._terms], limit, passing.base)
        if not limit:
            return rows
        of_delta = self._delta_sums(terms)
        # Of a full top the last one tells which rows of the delta are read at all.
        new = np.flatnonzero(of_delta >= sums[-1] if len(rows) == limit else of_delta > 0)
        new = new[passing.delta[new]]
        if not len(new):
            return rows
        at = np.concatenate([rows, places[new]])
        rows, sums = np.concatenate([rows, new + n]), np.concatenate([sums, of_delta[new]])
        if len(rows) > limit:
            best = np.flatnonzero(sums >= np.partition(sums, -limit)[-limit])
            rows, sums, at = rows[best], sums[best], at[best]
        return np.asarray(rows[np.lexsort((at, -sums))[:limit]])
