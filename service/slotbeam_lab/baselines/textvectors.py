"""Vectors of texts without a downloaded model: TF-IDF, then a truncated SVD (latent semantic analysis).

The SVD is fitted on each item's text joined with the queries that led to it, so a word that only users type lies near
the catalog's words that it stands for: what the aligned encoder of OneSearch (arXiv 2509.03236) learns from clicks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from slotbeam.kae.matcher import is_cjk
from slotbeam.types import FloatArray
from slotbeam_train.lexicon.words import singular, tokens

DIMENSIONS = 96
_WORDS = 60_000


@lru_cache(maxsize=1 << 18)
def _terms(token: str) -> tuple[str, ...]:
    """A token as it is counted: its singular; a run of CJK characters as its characters and pairs."""
    if is_cjk(token[0]):
        return (*token, *(token[at : at + 2] for at in range(len(token) - 1)))
    return (singular(token),)


def terms_of(text: str) -> list[str]:
    """The terms of canonical text, in order."""
    return [term for token, _, _ in tokens(text) for term in _terms(token)]


class TextVectors:
    """A projection of canonical texts; immutable.

    Args:
        words: (W,) terms.
        idf: (W,) inverse document frequencies.
        components: (W, d) of the SVD.
    """

    def __init__(self, words: Sequence[str], idf: FloatArray, components: FloatArray) -> None:
        self._words = list(words)
        self._components = np.asarray(components, np.float32)
        self._counter = TfidfVectorizer(analyzer=terms_of, vocabulary=self._words, sublinear_tf=True, dtype=np.float32)
        self._counter.idf_ = np.asarray(idf, np.float32)

    @property
    def dimensions(self) -> int:
        return int(self._components.shape[1])

    @classmethod
    def fit(cls, texts: Iterable[str], dimensions: int = DIMENSIONS, seed: int = 0) -> TextVectors:
        """Learn from canonical texts; a term of one text alone is left out where there are enough of others."""
        documents = list(texts)
        counter = TfidfVectorizer(
            analyzer=terms_of,
            sublinear_tf=True,
            min_df=2 if len(documents) > 2 else 1,
            max_features=_WORDS,
            dtype=np.float32,
        )
        matrix = counter.fit_transform(documents)
        rank = max(1, min(dimensions, min(matrix.shape) - 1))
        svd = TruncatedSVD(rank, n_iter=4, random_state=seed).fit(matrix)
        return cls(counter.get_feature_names_out().tolist(), counter.idf_, svd.components_.T)

    def vectors(self, texts: Iterable[str]) -> FloatArray:
        """(N, d) float32 unit rows; a text without a known word has a row of zeros."""
        return unit(np.asarray(self._counter.transform(texts) @ self._components, np.float32))

    def save(self, path: Path) -> None:
        """Write one `.npz`."""
        blob = np.frombuffer("\n".join(self._words).encode(), np.uint8)
        np.savez(path, words=blob, idf=self._counter.idf_, components=self._components)

    @classmethod
    def load(cls, path: Path) -> TextVectors:
        with np.load(path, allow_pickle=False) as arrays:
            words = arrays["words"].tobytes().decode().split("\n")
            return cls(words, arrays["idf"], arrays["components"])


def unit(vectors: FloatArray) -> FloatArray:
    """Rows scaled to length 1; rows of (nearly) zero become zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), 0.0).astype(np.float32)
