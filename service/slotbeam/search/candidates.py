"""From beams to candidate items: one shelf of items under one trie, seen through one filter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from slotbeam.arrays import ranges
from slotbeam.catalog.table import passing
from slotbeam.decode.beam import Beams, StateTest
from slotbeam.trie.csr import Trie
from slotbeam.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Candidates:
    """Items to be scored.

    Attributes:
        places: (n,) places on the shelf.
        logp: (n,) float64, of the beam that brought the item, in nats; NaN for an item no beam brought.
        full: whether `logp` is of full SIDs (else of the prefixes that decoding stopped at).
    """

    places: IntArray
    logp: FloatArray
    full: bool

    def without(self, taken: IntArray) -> Candidates:
        """Return those that are not in `taken` (n,)."""
        # A mask, not a set difference: what stays keeps its order, which is that of the beams.
        new = ~np.isin(self.places, taken)
        return Candidates(self.places[new], self.logp[new], self.full)

    def first(self, limit: int) -> Candidates:
        """Return the first `limit` of them."""
        return Candidates(self.places[:limit], self.logp[:limit], self.full)

    def followed_by(self, more: Candidates) -> Candidates:
        """Return these and, behind them, `more`."""
        places = np.concatenate([self.places, more.places])
        return Candidates(places, np.concatenate([self.logp, more.logp]), self.full)

    def joined(self, places: IntArray, limit: int) -> Candidates:
        """Return these and, behind them, those of `places` (n,) that are not among them: `limit` in all.

        Where they are too many the last of these are dropped, and no new one.
        """
        # NaN, and not a score of a beam, says that no beam brought the item: the item score then takes the worst
        # beam's, and the answer shows no `sid_logp`.
        new = places[~np.isin(places, self.places)][:limit]
        kept = slice(0, limit - len(new))
        logp = np.concatenate([self.logp[kept], np.full(len(new), np.nan)])
        return Candidates(np.concatenate([self.places[kept], new]), logp, self.full)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Items in leaf order under a trie.

    Attributes:
        trie: over the items' SIDs.
        leaf_items: (n_leaves + 1,) the items of leaf i have places `leaf_items[i]:leaf_items[i + 1]`.
        filter_counts: (M + 1,) how many of the places before each pass the request's filter; None without a filter.
    """

    trie: Trie
    leaf_items: IntArray
    filter_counts: IntArray | None

    def _items(self, states: IntArray, depth: int) -> tuple[IntArray, IntArray]:
        first, stop = self.trie.leaf_range(states, depth)
        return self.leaf_items[first], self.leaf_items[stop]

    def _count(self, start: IntArray, stop: IntArray) -> IntArray:
        # Two look-ups count what passes in a range of any length: so one filter serves every depth of the trie, and a
        # state is tested without a look at its items.
        return stop - start if self.filter_counts is None else self.filter_counts[stop] - self.filter_counts[start]

    @property
    def keep(self) -> StateTest | None:
        """Which states lead to an item that passes the filter; None without a filter, when all do."""
        return None if self.filter_counts is None else self._leads_to_passing

    def _leads_to_passing(self, states: IntArray, depth: int) -> BoolArray:
        return np.asarray(self._count(*self._items(states, depth)) > 0)

    def fits(self, states: IntArray, depth: int, limit: int) -> bool:
        """Return whether the ranges below `states` hold at most `limit` items that pass."""
        return int(self._count(*self._items(states, depth)).sum()) <= limit

    def collect(self, beams: Beams, limit: int, per_sid: int | None = None) -> Candidates:
        """Take the items of the beams' ranges, best beam first, in stored order within one.

        Args:
            beams: from this shelf's trie.
            limit: items at most.
            per_sid: items of one SID at most.
        """
        # The leaves below a state are one range and the items of a leaf another, so a beam's items are one range of
        # places: nothing is sorted or looked up item by item.
        start, stop = self._items(beams.states, beams.depth)
        count = self._count(start, stop)  # (B',) items of each range that pass
        if per_sid is None:  # what stands behind `limit` better ones cannot come in
            count = np.where(np.cumsum(count) - count < limit, count, 0)
        if self.filter_counts is None:
            owner, places = ranges(start, count)
        else:  # the place behind which the running count is one more than before
            # Counts rise by one at each place that passes, so the n-th of them is found by bisection and the others,
            # which may be most of the range, are never written out.
            owner, nth = ranges(self.filter_counts[start] + 1, count)
            # The counts' own type: of another one numpy would convert all N of them, for every query.
            places = np.searchsorted(self.filter_counts, nth.astype(self.filter_counts.dtype)) - 1
        if per_sid is not None:
            # By what passes, not by what is stored: a SID whose first items are filtered out still gives `per_sid` of
            # them.
            leaf = np.searchsorted(self.leaf_items, places, side="right") - 1
            within = self._count(self.leaf_items[leaf], places) < per_sid
            owner, places = owner[within], places[within]
        return Candidates(places[:limit], beams.logp[owner[:limit]], beams.depth == self.trie.depth)

    def beside(self, beams: Beams, taken: IntArray, limit: int, per_sid: int | None = None) -> Iterator[Candidates]:
        """Yield what the ranges that the beams came from hold beside `taken` (n,), one block for each shallower depth.

        It ends at the root, with `limit` items in all, `taken` counted, or when every item that passes was taken.
        """
        # Where nothing is left to bring the walk up would go on to the root for nothing.
        total = int(self._count(self.leaf_items[:1], self.leaf_items[-1:])[0])
        # From the deepest level up: the longer the prefix, the more its items share with what was decoded.
        for depth in reversed(range(len(beams.trail))):
            if len(taken) >= min(limit, total):
                return
            block = self.collect(beams.at(depth), limit, per_sid).without(taken).first(limit - len(taken))
            taken = np.concatenate([taken, block.places])
            yield block

    def walk(self, taken: IntArray, wanted: int) -> Candidates:
        """Return up to `wanted` further places that pass and are not in `taken`, in stored order."""
        n = int(self.leaf_items[-1])
        # One pass over the M items of a binding: the base group, whose shelf is the catalog, never comes here.
        free = passing(self.filter_counts, np.arange(n))
        free[taken] = False
        places = np.flatnonzero(free)[:wanted]
        return Candidates(places, np.full(len(places), np.nan), full=False)
