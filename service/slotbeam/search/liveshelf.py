"""The shelf of a live catalog: one walk through the trie of the index and the order of the delta, side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slotbeam.arrays import distinct, ranges
from slotbeam.catalog.delta.catalog import LiveCatalog
from slotbeam.catalog.delta.passing import LivePassing
from slotbeam.decode.beam import Beams, beam_search
from slotbeam.decode.frontier import Opened, Ranges, ScanBudget, open_ranges
from slotbeam.model.protocol import Memory, SequenceModel
from slotbeam.search.candidates import Candidates
from slotbeam.trie.csr import Trie
from slotbeam.types import BoolArray, IntArray


class LiveShelf:
    """`Shelf` over an index and a delta. A prefix is a state of the trie, a range of the delta's order, or both.

    States are numbered as one query meets them, so each query has a shelf of its own.

    Args:
        trie: of the index.
        catalog: over both.
        passing: the rows that may be answered.
    """

    def __init__(self, trie: Trie, catalog: LiveCatalog, passing: LivePassing) -> None:
        self._trie, self._catalog, self._passing = trie, catalog, passing
        self._order = catalog.delta.order
        # Of each state: that of the trie, or -1, its range in the delta's order, its depth, and its items that pass.
        self._table = np.empty((0, 5), np.int64)
        self._leaf = int(trie.levels[-1]) - 1  # has no edges, as a state that the trie does not have

    @property
    def depth(self) -> int:
        """L."""
        return self._trie.depth

    def root(self) -> Ranges:
        """Return the range of all items (`decode.frontier.RangeTree`)."""
        zero = np.zeros(1, np.int64)
        return self._met(zero, zero, np.array([len(self._order)]), 0, zero, np.array([self._passing.base.n]))

    def _met(
        self, base: IntArray, low: IntArray, high: IntArray, depth: int, start: IntArray, stop: IntArray
    ) -> Ranges:
        """Give numbers to states (m,) of one depth.

        Args:
            base: of the trie, or -1.
            low, high: their ranges of the delta's order.
            depth: of all.
            start, stop: their ranges of the index.
        """
        entries = np.empty((len(base), 5), np.int64)
        counts = self._passing.base.count(start, stop) + self._passing.ordered.count(low, high)
        for column, values in enumerate((base, low, high, np.int64(depth), counts)):
            entries[:, column] = values
        states = np.arange(len(self._table), len(self._table) + len(base))
        self._table = np.concatenate([self._table, entries])
        return Ranges(states, start, stop, counts)

    def children(self, states: IntArray, depth: int) -> tuple[IntArray, IntArray, Ranges]:
        """Return every edge that leaves `states` of one depth, by parent, then code: parents, codes, and the ranges."""
        if depth:
            return self._children(states, depth)
        # Those of the root, the widest step, are the same for every query over these rows.
        if not self._passing.begun:
            edges = self._children(states, 0)
            self._passing.begun.append((edges, self._table))
        found: tuple[IntArray, IntArray, Ranges]
        found, self._table = self._passing.begun[0]
        return found

    def _children(self, states: IntArray, depth: int) -> tuple[IntArray, IntArray, Ranges]:
        base, low, high = self._table[states, :3].T
        parent, codes, below = self._trie.expand(np.where(base < 0, self._leaf, base))
        below = below.astype(np.int64)
        leaves = self._trie.leaf_range(below, depth + 1)
        start, stop = (self._catalog.leaf_items[leaf].astype(np.int64) for leaf in leaves)
        if (low == high).all():  # live items are few, or elsewhere
            none = np.zeros(len(below), np.int64)
            return parent, codes, self._met(below, none, none, depth + 1, start, stop)
        # Each range holds whole edges.
        starts = self._catalog.edges[depth]
        begin = np.searchsorted(starts, low)
        owner, edge = ranges(begin, np.searchsorted(starts, high) - begin)
        first, end = starts[edge], starts[edge + 1]
        own = self._order.sids[depth, first].astype(np.int64)
        # Edges of both, each once, by parent, then code.
        width = int(max(own.max(), codes.max(initial=0))) + 1
        of_trie, of_delta = parent * width + codes, owner * width + own
        edges = distinct(np.concatenate([of_trie, of_delta]))
        both = np.zeros((5, len(edges)), np.int64)
        both[0] = -1
        at = np.searchsorted(edges, of_trie)
        both[0, at], both[3, at], both[4, at] = below, start, stop
        both[1:3, np.searchsorted(edges, of_delta)] = first, end
        states, low, high, start, stop = both
        return edges // width, edges % width, self._met(states, low, high, depth + 1, start, stop)

    def expand(self, states: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Return every edge that leaves `states`, as `decode.beam.Tree` has it."""
        if self._table[states[0], 3] == self.depth:
            none = np.empty(0, np.int64)
            return none, none, none
        parent, codes, met = self.children(states, int(self._table[states[0], 3]))
        return parent, codes, met.states

    def cut(self, state: int, start: int, stop: int, count: int) -> int:
        """Return where a state's range of the index ends that holds, with one of the delta, its first `count` items."""
        rows = self._first_of(state, np.array([start]), np.array([stop]), count)
        n = self._passing.base.n
        of_index, new = rows[rows < n], rows[rows >= n] - n
        self._table = self._table.copy()  # which others may share
        self._table[state, 2] = max(self._table[state, 1], self._passing.numbers[new].max(initial=-1) + 1)
        return int(of_index.max()) + 1 if len(of_index) else start

    def _first_of(self, state: int, start: IntArray, stop: IntArray, count: int) -> IntArray:
        """Return (n,) the first `count` rows of a state that pass, in the order of the catalog."""
        n = self._passing.base.n
        rows = self._passing.base.rows(start, stop)[:count]
        low, high = self._table[state, 1:3].tolist()
        new = self._order.rows[self._passing.ordered.rows(np.array([low]), np.array([high]))[:count]]
        at = np.concatenate([rows, self._catalog.places[new]])
        return np.concatenate([rows, new + n])[np.argsort(at, kind="stable")][:count]

    def open(self, model: SequenceModel, memory: Memory, budget: ScanBudget) -> tuple[Opened, Candidates]:
        """Open ranges until they hold the budget; every item in them that passes is a candidate."""
        opened = open_ranges(model, memory, self, budget)
        live = self._table[opened.states, 1:3]
        rows = self._passing.base.rows(opened.start, opened.stop)
        new = self._order.rows[self._passing.ordered.rows(*live.T)] + self._passing.base.n
        return replace(opened, live=live), Candidates(np.concatenate([rows, new]))

    def decode(self, model: SequenceModel, memory: Memory, width: int) -> Beams:
        """Decode SIDs to their full depth, `width` beams wide: the paper's mode."""
        self.root()
        return beam_search(model, memory, self, width, keep=self._leads_to_passing)

    def _leads_to_passing(self, states: IntArray, depth: int) -> BoolArray:
        return np.asarray(self._table[states, 4] > 0)

    def collect(self, beams: Beams, limit: int, per_sid: int | None = None) -> Candidates:
        """Take the items of the beams' SIDs that pass, best beam first, in stored order within one, as `Shelf` does."""
        leaf_items, first = self._catalog.leaf_items, int(self._trie.levels[-2])
        rows: list[IntArray] = []
        held = 0
        for state in beams.states.tolist():
            if held >= limit and per_sid is None:
                break
            leaf = int(self._table[state, 0]) - first
            start, stop = leaf_items[leaf : leaf + 2] if leaf >= 0 else (0, 0)
            most = limit if per_sid is None else per_sid
            rows.append(self._first_of(state, np.array([start]), np.array([stop]), most))
            held += len(rows[-1])
        owner = np.repeat(np.arange(len(rows)), [len(own) for own in rows])
        places = np.concatenate([*rows, np.empty(0, np.int64)])
        return Candidates(places[:limit], beams.logp[owner[:limit]])
