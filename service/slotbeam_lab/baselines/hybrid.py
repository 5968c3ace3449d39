"""Hybrids of BM25 and a teacher: a convex sum of scores, or reciprocal ranks. Their settings are left open.

What is returned is one system a setting, the usual one first: whoever measures chooses among them on other queries
(`slotbeam_lab.measures.choosing`).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from slotbeam.types import FloatArray
from slotbeam_lab.baselines.bm25 import Bm25, best_rows
from slotbeam_lab.baselines.fused import fuse
from slotbeam_lab.baselines.teacher import TeacherIndex
from slotbeam_lab.measures.choosing import Choices
from slotbeam_lab.measures.run import Asked, System

WEIGHTS = (1.0, 0.1, 0.2, 0.35, 0.5, 0.7, 1.4, 2.0, 3.0, 5.0)
"""Of the cosine, BM25 over its maximum having 1."""
CONSTANTS = (60, 5, 20, 120)
"""k of reciprocal rank: the one of Cormack, Clarke and Büttcher first."""
RANK_WEIGHTS = (1.0, 0.25, 0.5, 2.0, 4.0)
"""Of the teacher's reciprocal rank, BM25's having 1."""
DEPTH = 1000
"""Ranks of each branch that are fused."""


class Hybrid:
    """Both sides over one catalog.

    Args:
        lexical, dense: over the same items in the same order.
        candidates: None scores every item by both sides; C takes the C / 2 best of each side, and no others.
    """

    def __init__(self, lexical: Bm25, dense: TeacherIndex, candidates: int | None = None) -> None:
        if lexical.ids != dense.ids:
            raise ValueError("both sides of a hybrid are over the same items in the same order")
        self._ids = dense.ids
        self._half = None if candidates is None else max(1, candidates // 2)
        self._lexical, self._dense = lexical, dense
        self._sides = lru_cache(4)(self._scored)  # every setting is asked the same query in turn

    def convex(self) -> Choices:
        """Return one system a weight w: BM25 / (its maximum for the query) + w × cosine."""
        return {f"w = {weight:g}": self._summed(weight) for weight in WEIGHTS}

    def reciprocal(self) -> Choices:
        """Return one system a pair (k, w): 1 / (k + BM25's rank) + w / (k + the teacher's rank)."""
        return {
            f"k = {constant}, w = {weight:g}": self._ranked(constant, weight)
            for weight in RANK_WEIGHTS
            for constant in CONSTANTS
        }

    def _scored(self, query: str) -> tuple[FloatArray, FloatArray, list[list[str]]]:
        """Return (N,) BM25 over its maximum, (N,) cosines, and the ids of each side's best, best first."""
        lexical, cosines = self._lexical.scores(query), self._dense.cosines(query)
        if lexical is None:
            lexical = np.zeros(len(self._ids), np.float32)
        highest = float(lexical.max(initial=0.0))
        depth = DEPTH if self._half is None else min(DEPTH, self._half)
        rows = best_rows(lexical, min(depth, int(np.count_nonzero(lexical)))), best_rows(cosines, depth)
        ranked = [[self._ids[row] for row in side.tolist()] for side in rows]
        return lexical / highest if highest else lexical, cosines, ranked

    def _summed(self, weight: float) -> System:
        def search(asked: Asked, k: int) -> list[str]:
            lexical, cosines, _ = self._sides(asked.query)
            scores = lexical + np.float32(weight) * cosines
            if self._half is None:
                return [self._ids[row] for row in best_rows(scores, k).tolist()]
            words = best_rows(lexical, min(self._half, int(np.count_nonzero(lexical))))
            rows = np.union1d(words, best_rows(cosines, self._half))
            return [self._ids[row] for row in rows[best_rows(scores[rows], k)].tolist()]

        return search

    def _ranked(self, constant: int, weight: float) -> System:
        return lambda asked, k: fuse(self._sides(asked.query)[2], k, constant, (1.0, weight))
