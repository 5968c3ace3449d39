"""What an answer is worth: of each item the query's words that it carries and a relevance, of the answer a confidence.

Evidence is what ranking has at hand: no item is read, and nothing is looked at but the hits themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from slotbeam.catalog.table import Catalog
from slotbeam.search.calibration import OF_ITEM, Calibration
from slotbeam.search.words import ReadWords
from slotbeam.types import BoolArray, FloatArray, Hits

JUDGED = 10
"""Hits that the confidence looks at: the first ones, as many for every K."""


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Judges the hits of one query.

    Attributes:
        catalog: of the hits.
        calibration: what the evidence weighs.
        words: of the query.
        query_vector: (e,) that of the base group, for bound items, too: one query has one relevance of an item.
        corrected: its words that were.
        text_vector: (m,) of the query; (0,) where the model had no teacher.
    """

    catalog: Catalog
    calibration: Calibration
    words: ReadWords
    query_vector: FloatArray
    corrected: Sequence[object] = ()
    text_vector: FloatArray = field(default_factory=lambda: np.empty(0))

    def judge(self, hits: Hits) -> tuple[Hits, float]:
        """Return the hits with what is said of each, and the confidence in the answer: 0 without a hit."""
        if not len(hits):
            return hits, 0.0
        evidence, matched = self.evidence(hits)
        relevance = self.calibration.relevance_of(evidence)
        return hits.judged(relevance, matched), self.calibration.confidence_of(self.of_answer(evidence, relevance))

    def evidence(self, hits: Hits) -> tuple[FloatArray, BoolArray]:
        """Return (n, len(OF_ITEM)) evidence of each hit, and (n, w) which words it carries."""
        words, index = self.words, self.words.terms.index
        impacts = index.postings.each(words.terms.known, hits.rows)  # (t, n)
        carried = impacts > 0
        matched = words.matched(carried, hits)
        evidence = np.zeros((len(hits), len(OF_ITEM)))
        if len(words.words):
            evidence[:, 0] = (matched * words.weights).sum(axis=1) / words.weights.sum()
        evidence[:, 1] = impacts.sum(axis=0, dtype=np.float64) / (float(index.ceilings[words.terms.known].sum()) or 1.0)
        if words.concepts:
            named = [column for column in words.concepts if column >= 0]
            evidence[:, 2] = carried[named].sum(axis=0) / len(words.concepts)
        length = float(np.linalg.norm(self.query_vector))
        if length:
            evidence[:, 3] = self.catalog.closeness(self.query_vector, hits.rows) / length
        evidence[:, 4] = bool(self.corrected)
        if len(self.text_vector):
            evidence[:, 5] = self.catalog.text_index.closeness(self.text_vector, hits.rows)
        return evidence, matched

    @staticmethod
    def of_answer(evidence: FloatArray, relevance: FloatArray) -> FloatArray:
        """Return (len(OF_ANSWER),) evidence of the answer, of that of its hits, best first."""
        return np.array([relevance[:JUDGED].max(), evidence[:JUDGED, 3].max()])
