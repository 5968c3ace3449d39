"""What relevance and confidence weigh: two small logistic models, fitted by training and kept in the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from slotbeam.types import FloatArray

OF_ITEM = ("words", "weighted", "all", "overlap", "concepts", "entity", "closeness", "understood", "corrected")
OF_ANSWER = ("understood", "coverage", "relevance", "closeness", "corrected")
BIAS = "bias"
RELEVANCE = {
    BIAS: -4.0,
    "words": 1.0,
    "weighted": 3.0,
    "overlap": 1.0,
    "concepts": 1.0,
    "entity": 0.5,
    "closeness": 1.0,
}
"""Of an artifact that was not calibrated."""
CONFIDENCE = {BIAS: -4.0, "understood": 3.0, "coverage": 3.0, "relevance": 2.0}
"""Likewise."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of evidence, in log-odds; what is not named weighs nothing.

    The evidence of an item, each in [0, 1] but for `closeness`, which is in [-1, 1]:

    `words`       share of the query's words that it carries
    `weighted`    the same, each word by its rarity; a word that no item carries is the rarest
    `all`         1 where it carries every word
    `overlap`     lexical overlap
    `concepts`    share of the query's concepts that it carries
    `entity`      1 where it carries the concept that stands for what is looked for
    `closeness`   cosine of query vector and item vector
    `understood`  share of the query's words that anybody knows, each by its rarity
    `corrected`   1 where a word of the query was corrected

    The evidence of an answer: `understood` and `corrected` likewise, and the largest `weighted` (`coverage`), relevance
    and closeness of its first items.

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
