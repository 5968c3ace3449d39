"""Postings of live items, and of an index and them together. Places are the index's, then those of new terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from slotbeam.arrays import among, ranges, run_starts
from slotbeam.catalog.delta.passing import LivePassing
from slotbeam.catalog.postings import Postings
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
        both = [(np.repeat(run.places, np.diff(run.starts)), run.rows, run.impacts) for run in (self, later)]
        return PostingsRun.of(*(np.concatenate(column) for column in zip(*both, strict=True)))

    def of_terms(self, terms: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Return all postings of `terms` (t,), one term behind the other: of each the term's number, row and impact."""
        if not len(self.places):
            return self.rows, self.rows, self.impacts.astype(np.float32)
        at = np.minimum(np.searchsorted(self.places, terms), len(self.places) - 1)
        held = np.flatnonzero(self.places[at] == terms)
        start = self.starts[at[held]]
        owner, posting = ranges(start, self.starts[at[held] + 1] - start)
        return held[owner], self.rows[posting], self.impacts[posting].astype(np.float32)

    def of_term(self, place: int) -> tuple[IntArray, FloatArray]:
        """Return the rows and impacts of a term, each (n,)."""
        at = int(np.searchsorted(self.places, place))
        if at == len(self.places) or self.places[at] != place:
            return self.rows[:0], self.impacts[:0]
        own = slice(int(self.starts[at]), int(self.starts[at + 1]))
        return self.rows[own], self.impacts[own]


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
        n, new = self.alive.base.n, rows >= self.alive.base.n
        known = terms[terms < self._terms]
        if not new.any():
            return self.base.sums(known, rows)
        out = np.zeros(len(rows), np.float32)
        out[~new] = self.base.sums(known, rows[~new])
        out[new] = self._delta_sums(terms)[rows[new] - n]
        return out

    def _delta_sums(self, terms: IntArray) -> FloatArray:
        """Return (D,) float32: the summed impacts of `terms` in each row of the delta."""
        key = terms.tobytes()
        for known, sums in self.summed[:]:  # another thread may put its own there meanwhile
            if known == key:
                return sums
        out = np.zeros(len(self.alive.delta), np.float32)
        for run in self.runs:
            _, rows, impacts = run.of_terms(terms)
            np.add.at(out, rows, impacts)  # one after the other: in each row in the order of the terms
        self.summed[:] = [(key, out)]
        return out

    def each(self, terms: IntArray, rows: IntArray) -> FloatArray:
        """Return (t, n) float32: the impact of each of `terms` (t,) in each of `rows` (n,); 0 where it is not."""
        n, new = self.alive.base.n, rows >= self.alive.base.n
        known = terms < self._terms
        out = np.zeros((len(terms), len(rows)), np.float32)
        out[np.ix_(known, ~new)] = self.base.each(terms[known], rows[~new])
        at = np.flatnonzero(new)
        if len(at):
            place = np.full(len(self.alive.delta), -1)
            place[rows[at] - n] = at
            for run in self.runs:
                number, carrying, impacts = run.of_terms(terms)
                met = np.flatnonzero(place[carrying] >= 0)
                out[number[met], place[carrying[met]]] = impacts[met]
        return out

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
        of_delta = self._delta_sums(terms)
        new = np.flatnonzero((of_delta > 0) & passing.delta)
        if len(rows) == limit and len(new):
            new = new[of_delta[new] >= sums[-1]]
        if not len(new) or not limit:
            return rows
        at = np.concatenate([rows, places[new]])
        rows, sums = np.concatenate([rows, new + n]), np.concatenate([sums, of_delta[new]])
        return np.asarray(rows[np.lexsort((at, -sums))[:limit]])
