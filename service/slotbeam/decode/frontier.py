"""Decoding by budget: the trie as a learned inverted file, whose lists are ranges of rows.

A state of the trie is a range of rows. Ranges are opened by probability mass per row until they hold a budget of rows;
one that is too large for what is left of it is decoded one step deeper, any other is handed on whole, to be scanned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple, Protocol

import numpy as np

from slotbeam.model.protocol import Memory, SequenceModel, State
from slotbeam.types import BoolArray, FloatArray, IntArray


class Ranges(NamedTuple):
    """States of a trie, each with its range of rows.

    Attributes:
        states: (m,) int64.
        start, stop: (m,) int64, the rows of each.
        counts: (m,) int64, how many of its items may be answered.
    """

    states: IntArray
    start: IntArray
    stop: IntArray
    counts: IntArray


class RangeTree(Protocol):
    """A trie over items, seen through a filter: every state is a range of them."""

    @property
    def depth(self) -> int:
        """L."""
        ...

    def root(self) -> Ranges:
        """Return the range of all items."""
        ...

    def children(self, states: IntArray, depth: int) -> tuple[IntArray, IntArray, Ranges]:
        """Return every edge that leaves `states` of one depth, by parent, then code: parents, codes, and the ranges."""
        ...

    def cut(self, state: int, start: int, stop: int, count: int) -> int:
        """Return where a state's range ends that holds its first `count` items that may be answered, and no more."""
        ...


@dataclass(frozen=True, slots=True)
class ScanBudget:
    """How much of a trie's items one group looks at: constants of the artifact, so that every replica does the same.

    Attributes:
        rows: ranges are opened until they hold so many rows that pass the filter.
        step: a range that exceeds what is left of `rows` by no more is scanned, and not decoded any deeper.
        width: states that one decoder step goes deeper from, at most.
        steps: decoder steps, at most.
    """

    rows: int
    step: int
    width: int = 8
    steps: int = 16


@dataclass(frozen=True, slots=True)
class Opened:
    """Ranges to be scanned, best first by mass per row; they do not overlap, and each holds an item.

    Attributes:
        start, stop: (r,) int64, the rows of each.
        states, depths: (r,) int64, the trie state that it is, and the state's depth.
        logp: (r,) float64, log-probability of the state's prefix in nats.
        steps, decoded: decoder steps that were taken, and rows in them.
        live: (r, 2) int64, the ranges of a delta's order that they are beside these; None where nothing lives.
    """

    start: IntArray
    stop: IntArray
    states: IntArray
    depths: IntArray
    logp: FloatArray
    steps: int
    decoded: int
    live: IntArray | None = None


@dataclass(frozen=True, slots=True)
class _Nodes:
    """States that are neither opened nor decoded yet.

    Attributes:
        states, depths, start, stop, logp: as in `Opened`.
        counts: (m,) int64, rows of each that pass, > 0.
        batches, parents, codes: (m,) int64, the decoder step that scored each, its row there, and the code scored.
    """

    states: IntArray
    depths: IntArray
    start: IntArray
    stop: IntArray
    logp: FloatArray
    counts: IntArray
    batches: IntArray
    parents: IntArray
    codes: IntArray

    def of(self, which: IntArray | BoolArray) -> _Nodes:
        return _Nodes(*(getattr(self, column.name)[which] for column in fields(self)))

    def and_(self, more: _Nodes) -> _Nodes:
        both = ((getattr(self, column.name), getattr(more, column.name)) for column in fields(self))
        return _Nodes(*(np.concatenate(pair) for pair in both))


Worth = Callable[[FloatArray, IntArray], FloatArray]
"""(log-probability in nats (m,), rows that pass (m,)) → (m,) which states come first, the largest before the others."""


def mass_per_row(logp: FloatArray, counts: IntArray) -> FloatArray:
    """Return the log of the probability a row: what is wanted is the item's range, at the least rows looked at."""
    return np.asarray(logp - np.log(counts))


def open_ranges(
    model: SequenceModel, memory: Memory, tree: RangeTree, budget: ScanBudget, worth: Worth = mass_per_row
) -> Opened:
    """Open the ranges of `tree` that hold most of the probability a row, until they hold `budget.rows` rows that pass.

    With a budget of at least as many rows as pass, all of them are handed on and nothing is decoded.

    Args:
        model: the sequence model.
        memory: of the group's input row.
        tree: over the items' SIDs.
        budget: how much to look at.
        worth: what the best are best by.

    Returns:
        The ranges: at least min(`budget.rows`, rows that pass) rows of them pass, at most `budget.step` more.
    """
    zero = np.zeros(1, np.int64)
    root = tree.root()
    nodes = _Nodes(root.states, zero, root.start, root.stop, np.zeros(1), root.counts, zero, zero, zero)
    nodes = nodes.of(nodes.counts > 0)
    caches: list[State | None] = [None]
    decoded = 0
    while True:
        # A greedy fill of a knapsack. Equal ones in the order of their rows.
        order = np.lexsort((nodes.start, -worth(nodes.logp, nodes.counts)))
        counts, inner = nodes.counts[order], nodes.depths[order] < tree.depth
        left = budget.rows - (np.cumsum(counts) - counts)  # (m,) of the budget when its turn comes
        too_large = (left > 0) & (counts > left + budget.step) & inner
        if len(caches) > budget.steps or not too_large.any():
            break
        # One step takes rows of one depth and one cache; with the first go those that would be next if it held nothing.
        first = int(np.argmax(too_large))
        too_large = (counts > left[first] + budget.step) & inner
        too_large[:first] = False
        left = budget.rows - np.cumsum(np.where(too_large, 0, counts))
        batches = nodes.batches[order]
        deeper = order[np.flatnonzero(too_large & (left > 0) & (batches == batches[first]))[: budget.width]]
        decoded += len(deeper)
        nodes = _decode(model, memory, tree, nodes, deeper, caches)
    opened, left = nodes.of(order[left > 0]), left[left > 0]
    stop = opened.stop
    if len(left) and opened.counts[-1] > left[-1] + budget.step:  # a single SID, or steps ran out: its first items
        end = tree.cut(int(opened.states[-1]), int(opened.start[-1]), int(stop[-1]), int(left[-1]))
        stop = np.append(stop[:-1], end)
    return Opened(opened.start, stop, opened.states, opened.depths, opened.logp, len(caches) - 1, decoded)


def _decode(
    model: SequenceModel,
    memory: Memory,
    tree: RangeTree,
    nodes: _Nodes,
    deeper: IntArray,
    caches: list[State | None],
) -> _Nodes:
    """Return the nodes with those of `deeper`, all scored by one step, replaced by their children that pass."""
    parents, depth = nodes.of(deeper), int(nodes.depths[deeper[0]])
    logp, cache = model.step(memory, depth, caches[int(parents.batches[0])], parents.parents, parents.codes)
    caches.append(cache)
    parent, codes, ranges = tree.children(parents.states, depth)
    children = _Nodes(
        states=ranges.states,
        depths=np.full(len(codes), depth + 1),
        start=ranges.start,
        stop=ranges.stop,
        logp=parents.logp[parent] + logp[parent, codes],
        counts=ranges.counts,
        batches=np.full(len(codes), len(caches) - 1),
        parents=parent,
        codes=codes.astype(np.int64),
    )
    others = np.ones(len(nodes.states), np.bool_)
    others[deeper] = False
    return nodes.of(others).and_(children.of(children.counts > 0))


def end_of(before: Callable[[int], int], start: int, stop: int, count: int) -> int:
    """Return the row behind the `count`-th member within `start:stop`, which holds more; `before` counts members."""
    target = before(start) + count
    low, high = start, stop
    while low < high:  # counts rise with the row
        middle = (low + high) // 2
        low, high = (middle + 1, high) if before(middle) < target else (low, middle)
    return low
