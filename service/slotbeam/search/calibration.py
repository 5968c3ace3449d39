"""What relevance and confidence weigh: two small logistic models, fitted by training and kept in the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from slotbeam.types import FloatArray

OF_ITEM = ("words", "overlap", "concepts", "closeness", "corrected", "meaning")
OF_ANSWER = ("relevance", "closeness")
BIAS = "bias"
RELEVANCE = {BIAS: -7.5, "words": 10.1, "overlap": 0.5, "concepts": 1.9, "closeness": 0.5}
"""Of an artifact that was not calibrated: fitted to three catalogs at once (docs/log.md)."""
CONFIDENCE = {BIAS: -5.1, "relevance": 6.7, "closeness": 1.2}
"""Likewise."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of evidence, in log-odds; what is not named weighs nothing.

    The evidence of an item, each in [0, 1] but for `closeness` and `meaning`, which are in [-1, 1]:

    `words`      share of the query's words that it carries, each by its rarity; a word of no item is the rarest
    `overlap`    lexical overlap
    `concepts`   share of the query's concepts that it carries
    `closeness`  cosine of query vector and item vector
    `corrected`  1 where a word of the query was corrected
    `meaning`    cosine of text vectors; 0 where the model had no teacher

    The evidence of an answer: the largest relevance and the largest closeness of its first items.

    Attributes:
        relevance: weights of `OF_ITEM`, and the bias.
        confidence: weights of `OF_ANSWER`, and the bias.
    """

    relevance: Mapping[str, float] = field(default_factory=lambda: dict(RELEVANCE))
    confidence: Mapping[str, float] = field(default_factory=lambda: dict(CONFIDENCE))

    def relevance_of(self, evidence: FloatArray) -> FloatArray:
        """Return (n,) relevances of the evidence (n, len(OF_ITEM)) of items."""
        return _logistic(evidence, self.relevance, OF_ITEM)

    def confidence_of(self, evidence: FloatArray) -> float:
        """Return the confidence of the evidence (len(OF_ANSWER),) of an answer."""
        return float(_logistic(evidence[None, :], self.confidence, OF_ANSWER)[0])


def _logistic(evidence: FloatArray, weights: Mapping[str, float], names: tuple[str, ...]) -> FloatArray:
    own = np.array([weights.get(name, 0.0) for name in names])
    # Row by row, and no product of matrices: what is said of an item does not depend on the items beside it.
    odds = np.sum(np.ascontiguousarray(evidence) * own, axis=1) + weights.get(BIAS, 0.0)
    return np.asarray(np.round(1 / (1 + np.exp(-odds)), 6))
