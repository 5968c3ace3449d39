"""From a trie to candidate items: one shelf of items under one trie, seen through one filter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slotbeam.arrays import among, distinct, ranges
from slotbeam.catalog.passing import Passing
from slotbeam.decode.beam import Beams, beam_search
from slotbeam.decode.frontier import Opened, Ranges, ScanBudget, end_of, open_ranges
from slotbeam.model.protocol import Memory, SequenceModel
from slotbeam.trie.csr import Trie
from slotbeam.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Candidates:
    """Items to be scored.

    Attributes:
        places: (n,) distinct places on the shelf.
        logp: (n,) float64, log-probability of each item's SID in nats, NaN for an item whose SID was not decoded; None
            where none was. Prefixes of several depths do not compare, so ranges bring none.
    """

    places: IntArray
    logp: FloatArray | None = None

    def joined(self, *more: IntArray) -> Candidates:
        """Return these and, of each of `more` (n,), those not among them: rising, or behind these that have `logp`."""
        if self.logp is None:
            return Candidates(distinct(np.concatenate([self.places, *more])))
        new = np.concatenate(more)
        new = new[np.sort(np.unique(new, return_index=True)[1])]
        new = new[~among(np.sort(self.places), new)]
        return Candidates(np.concatenate([self.places, new]), np.concatenate([self.logp, np.full(len(new), np.nan)]))


@dataclass(frozen=True, slots=True)
class Shelf:
    """Items in leaf order under a trie.

    Attributes:
        trie: over the items' SIDs.
        leaf_items: (n_leaves + 1,) the items of leaf i have places `leaf_items[i]:leaf_items[i + 1]`.
        passing: the places that may be answered.
    """

    trie: Trie
    leaf_items: IntArray
    passing: Passing

    @property
    def depth(self) -> int:
        """L."""
        return self.trie.depth

    def root(self) -> Ranges:
        """Return the range of all items (`decode.frontier.RangeTree`)."""
        zero, end = np.zeros(1, np.int64), self.leaf_items[-1:].astype(np.int64)
        return Ranges(zero, zero, end, self.passing.count(zero, end))

    def children(self, states: IntArray, depth: int) -> tuple[IntArray, IntArray, Ranges]:
        """Return every edge that leaves `states` of one depth, by parent, then code: parents, codes, and the ranges."""
        parent, codes, below = self.trie.expand(states)
        return parent, codes, self._ranges(below.astype(np.int64), depth + 1)

    def _ranges(self, states: IntArray, depth: int) -> Ranges:
        first, last = self.trie.leaf_range(states, depth)
        start, stop = self.leaf_items[first].astype(np.int64), self.leaf_items[last].astype(np.int64)
        return Ranges(states, start, stop, self.passing.count(start, stop))

    def cut(self, state: int, start: int, stop: int, count: int) -> int:
        """Return where a state's range ends that holds its first `count` items that may be answered, and no more."""
        return end_of(lambda row: int(self.passing.before(np.array([row]))[0]), start, stop, count)

    def open(self, model: SequenceModel, memory: Memory, budget: ScanBudget) -> tuple[Opened, Candidates]:
        """Open ranges until they hold the budget; every item in them that passes is a candidate."""
        opened = open_ranges(model, memory, self, budget)
        order = np.argsort(opened.start)  # places rise, so that mapped arrays are read in their order
        return opened, Candidates(self.passing.rows(opened.start[order], opened.stop[order]))

    def decode(self, model: SequenceModel, memory: Memory, width: int) -> Beams:
        """Decode SIDs to their full depth, `width` beams wide: the paper's mode."""
        keep = None if self.passing.is_everything else self._leads_to_passing
        return beam_search(model, memory, self.trie, width, keep=keep)

    def _leads_to_passing(self, states: IntArray, depth: int) -> BoolArray:
        return np.asarray(self._ranges(states, depth).counts > 0)

    def collect(self, beams: Beams, limit: int, per_sid: int | None = None) -> Candidates:
        """Take the items of the beams' SIDs that pass, best beam first, in stored order within one.

        Args:
            beams: of this shelf's trie, full depth.
            limit: items at most.
            per_sid: items of one SID at most.
        """
        first, stop = self.trie.leaf_range(beams.states, self.trie.depth)
        start, stop = self.leaf_items[first], self.leaf_items[stop]
        count = self.passing.count(start, stop)
        if per_sid is None:  # what stands behind `limit` better ones cannot come in
            start, stop, count = (column[np.cumsum(count) - count < limit] for column in (start, stop, count))
        places, (owner, nth) = self.passing.rows(start, stop), ranges(0, count)
        if per_sid is not None:
            owner, places = owner[nth < per_sid], places[nth < per_sid]
        return Candidates(places[:limit], beams.logp[owner[:limit]])
