"""Beam search over a trie: candidates are drawn from the trie, so a SID outside it cannot appear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from slotbeam.model.protocol import Memory, SequenceModel
from slotbeam.types import BoolArray, FloatArray, IntArray

StateTest = Callable[[IntArray, int], BoolArray]
"""(states (n,), depth) → (n,) which of them may be kept."""

Ahead = Callable[[IntArray, int], FloatArray]
"""(states (n,), depth) → (n,) nats by which each prefix is favoured while prefixes compete at that depth."""


class Tree(Protocol):
    """What the search asks of a set of SIDs: a `Trie`, or anything whose children are numbered in SID order."""

    @property
    def depth(self) -> int:
        """L."""
        ...

    def expand(self, states: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Return every edge that leaves `states` by parent, then code, as `Trie.expand` does; the root is state 0."""
        ...


@dataclass(frozen=True, slots=True)
class Beams:
    """The prefixes that survived, best first; ties are in SID order.

    Attributes:
        states: (B',) trie states of full depth; B' <= B.
        logp: (B',) float64, log-probability of each prefix in nats.
        expanded: candidates looked at, all steps together.
    """

    states: IntArray
    logp: FloatArray
    expanded: int


def select_best(scores: FloatArray, width: int) -> IntArray:
    """Return the indices, ascending, of the `width` largest `scores` (n,); among equals the smallest index wins."""
    if len(scores) <= width:
        return np.arange(len(scores))
    # Linear in the edges, where a sort is not. Which of equal scores are kept is said here and not left to numpy's way
    # of partitioning: the smallest index is the first SID.
    threshold = np.partition(scores, len(scores) - width)[len(scores) - width]
    chosen = scores > threshold
    ties = np.flatnonzero(scores == threshold)
    chosen[ties[: width - int(chosen.sum())]] = True
    return np.flatnonzero(chosen)


def beam_search(
    model: SequenceModel,
    memory: Memory,
    trie: Tree,
    width: int,
    keep: StateTest | None = None,
    ahead: Ahead | None = None,
) -> Beams:
    """Find the `width` most probable SIDs of `trie`.

    With `width` >= the number of SIDs the result is exhaustive. A trie with fewer SIDs gives fewer beams, an empty
    one none. Scores are log-probabilities under each position's own softmax, not renormalised over the trie.

    Args:
        model: the sequence model; `model.sizes` bounds the trie's codes.
        memory: of the group's input row.
        trie: the SIDs that may be returned.
        width: B >= 1.
        keep: states that fail it are dropped before they compete (filters).
        ahead: what is known of a prefix's future; it decides who survives and is no part of `logp`.

    Raises:
        ValueError: `width` < 1.
    """
    if width < 1:
        raise ValueError(f"beam width must be >= 1, got {width}")
    states: IntArray = np.zeros(1, np.int64)  # the root
    scores: FloatArray = np.zeros(1, np.float64)
    parent: IntArray = np.empty(0, np.int64)
    codes: IntArray = parent
    cache, depth, expanded = None, 0, 0
    while depth < trie.depth and len(states):
        logp, cache = model.step(memory, depth, cache, parent, codes)  # (B', V)
        parent, codes, child = trie.expand(states)
        expanded += len(child)
        depth += 1
        # Before they compete: a beam that leads to nothing that passes would take the place of one that does.
        if keep is not None:
            allowed = keep(child, depth)
            parent, codes, child = parent[allowed], codes[allowed], child[allowed]
        # float64 sums of float32 steps. Not renormalised over the trie's edges: a SID's log-probability must not depend
        # on which other items there are (docs/decisions/softmax-per-position.md).
        candidates = scores[parent] + logp[parent, codes]  # (E',) float64
        worth = candidates if ahead is None else candidates + ahead(child, depth)
        best = select_best(worth, width)  # ascending in child, so beams stay in SID order
        parent, codes, states, scores = parent[best], codes[best].astype(np.int64), child[best], candidates[best]
    # Stable: beams stand in SID order here, so equal ones stay in it.
    order = np.argsort(-scores, kind="stable")
    return Beams(states[order], scores[order], expanded)
