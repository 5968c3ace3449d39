"""Which known words mean much the same as an unknown one, and of which categories they are. Pure code."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from slotbeam.kae.categories import CATEGORIES
from slotbeam.model.textvectors import TextVectors

NEAREST = 24
"""Known words that have a say."""
SHARPNESS = 12.0
"""Of two of them the nearer one counts e to the power of this times the difference of their cosines as much."""
LEAST = 0.3
"""Cosine of words that have something in common; what is no nearer has no say."""
_OTHERWISE = 0.1
"""Chance that a word's category has nothing to do with its meaning: nothing is ruled out."""
_SHOWN = 3


class WordsAlike:
    """The known words by their text vectors; immutable.

    Args:
        words: (n,) canonical, each with its category.
        texts: what makes a vector of a word.
    """

    def __init__(self, words: Sequence[tuple[str, str]], texts: TextVectors) -> None:
        self._words, self._categories = [word for word, _ in words], [category for _, category in words]
        self._texts = texts
        vectors = [texts.of_query(word) for word in self._words]
        self._vectors = np.array(vectors, np.float32).reshape(len(words), texts.width)
        counts = Counter(self._categories)
        self._shares = {name: (counts[name] + 1) / (len(words) + len(CATEGORIES)) for name in CATEGORIES}
        self._near = lru_cache(256)(self._nearest)  # each category asks for the same word

    def points(self, word: str) -> dict[str, float]:
        """Return category → the log of how much likelier it is for a word that means this."""
        votes = dict.fromkeys(CATEGORIES, 0.0)
        near = self._near(word)
        total = sum(weight for _, weight in near)
        if not total:
            return votes
        for number, weight in near:
            votes[self._categories[number]] += weight / total
        return {
            name: math.log((1 - _OTHERWISE) * votes[name] / share + _OTHERWISE) for name, share in self._shares.items()
        }

    def nearest(self, word: str, category: str) -> list[str]:
        """Return some known words of a category that mean much the same, the nearest first."""
        near = self._near(word)
        return [self._words[number] for number, _ in near if self._categories[number] == category][:_SHOWN]

    def _nearest(self, word: str) -> list[tuple[int, float]]:
        """Return the nearest words by number, each with what its vote weighs, the nearest first."""
        close = self._vectors @ self._texts.of_query(word).astype(np.float32)
        best = np.argsort(-close, kind="stable")[:NEAREST]
        return [(n, math.exp(SHARPNESS * float(close[n]))) for n in best.tolist() if close[n] > LEAST]
