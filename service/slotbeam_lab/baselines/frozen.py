"""What stands in an artifact where `Kae` stands: text → vector → codes of a frozen quantiser.

Vectors come without a downloaded model: TF-IDF, then a truncated SVD (latent semantic analysis). The SVD is fitted on
each item's text joined with the queries that led to it, so a word that only users type lies near the catalog's words
that it stands for: what the aligned encoder of OneSearch (arXiv 2509.03236) learns from clicks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.codebook import Codebook
from slotbeam.kae.dictionary import Dictionary
from slotbeam.kae.encode import Describable, Encoded, Kae
from slotbeam.kae.importance import Importance
from slotbeam.language.boundaries import Span, is_cjk
from slotbeam.language.normalize import normalize
from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.baselines.quantise import Quantiser
from slotbeam_train.lexicon.words import singular, tokens

DIMENSIONS = 96
_WORDS = 60_000


@lru_cache(maxsize=1 << 18)
def _terms(token: str) -> tuple[str, ...]:
    """Return a token as it is counted: its singular; a run of CJK characters as its characters and pairs."""
    if is_cjk(token[0]):
        return (*token, *(token[at : at + 2] for at in range(len(token) - 1)))
    return (singular(token),)


def terms_of(text: str) -> list[str]:
    """Return the terms of canonical text, in order."""
    return [term for token, _, _ in tokens(text) for term in _terms(token)]


class SpectralVectors:
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
    def fit(cls, texts: Iterable[str], dimensions: int = DIMENSIONS, seed: int = 0) -> SpectralVectors:
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
        """Return (N, d) float32 unit rows; a text without a known word has a row of zeros."""
        return unit(np.asarray(self._counter.transform(texts) @ self._components, np.float32))

    def save(self, path: Path) -> None:
        """Write one `.npz`."""
        blob = np.frombuffer("\n".join(self._words).encode(), np.uint8)
        np.savez(path, words=blob, idf=self._counter.idf_, components=self._components)

    @classmethod
    def load(cls, path: Path) -> SpectralVectors:
        with np.load(path, allow_pickle=False) as arrays:
            words = arrays["words"].tobytes().decode().split("\n")
            return cls(words, arrays["idf"], arrays["components"])


def unit(vectors: FloatArray) -> FloatArray:
    """Scale rows to length 1; rows of (nearly) zero become zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), 0.0).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Embedding:
    """Texts → vectors.

    Attributes:
        texts: the projection.
        keywords: with a dictionary the vector is OneSearch's keyword-enhanced one,
            `fused = norm(1/2 text + 1/2 mean(matched word vectors))`; a word's vector is its own text's.
    """

    texts: SpectralVectors
    keywords: Kae | None = None

    def vectors(self, texts: Sequence[str]) -> FloatArray:
        """Return (N, d) unit rows of canonical texts; zeros for a text without a known word."""
        plain = self.texts.vectors(texts)
        if self.keywords is None:
            return plain
        numbers, words = self._words
        means = np.zeros_like(plain)
        for row, text in enumerate(texts):
            matched = [numbers[match.surface] for match in self.keywords.encode(text).matches]
            if matched:
                means[row] = words[matched].mean(axis=0)
        return unit(0.5 * plain + 0.5 * means)

    @cached_property
    def _words(self) -> tuple[dict[str, int], FloatArray]:
        """Number every surface of the dictionary; and the vector (surfaces, d) of each."""
        surfaces = self.keywords.dictionary.surfaces if self.keywords else ()
        return {surface: number for number, surface in enumerate(surfaces)}, self.texts.vectors(surfaces)


class FrozenBook(Codebook):
    """The positions of a closed codebook: no concept owns a slot, and nothing is reserved."""

    def __init__(self, sizes: tuple[int, ...], sha: str) -> None:
        """Take the number of codes of every position, and what identifies the quantiser."""
        none, groups = (0,) * len(sizes), (CATEGORIES, *[()] * (len(sizes) - 1))
        clusters = tuple(size - 1 for size in sizes)  # code 0 is that of a text without a known word
        super().__init__(groups, clusters, none, none, np.empty(0, np.int32), Dictionary([]))
        self._quantiser_sha = sha

    @cached_property
    def sha(self) -> str:
        """The identity of the codes: the quantiser's, for words have no part in them."""
        return self._quantiser_sha


class FrozenEncoding(Kae):
    """A `Kae` without a word, whose codes a frozen quantiser gives. A new word changes nothing in it."""

    def __init__(self, embedding: Embedding, quantiser: Quantiser, sha: str = "") -> None:
        none = np.empty(0, np.int32)
        words = Importance(np.empty(0, np.float32), np.empty((0, 2), np.int32), none)
        super().__init__(Dictionary([]), FrozenBook(quantiser.sizes, sha), words)
        self.embedding, self.quantiser = embedding, quantiser

    def codes(self, texts: Sequence[str]) -> IntArray:
        """Return (N, L) codes of canonical texts."""
        return self.quantiser.codes(self.embedding.vectors(texts))

    def encode(self, text: str, blocked: Iterable[Span] = ()) -> Encoded:
        """Return the query SID of one canonical text; no words are matched."""
        return Encoded(text, tuple(self.codes([text])[0].tolist()), (), (None,) * len(self.codebook))

    def encode_item(self, item: Describable) -> Encoded:
        """Refuse: an item's codes are those of its whole text (`codes`), not of single words."""
        raise TypeError("a frozen quantiser codes an item by its text; use codes(). This is a bug.")

    def knows(self, surface: str) -> bool:
        """Whether the projection has a vector for it."""
        return bool(self.embedding.texts.vectors([surface]).any())

    def forge(self, texts: Sequence[str]) -> IntArray:
        """Return (N, L) codes of item texts as written, a part a line; unseen words add nothing."""
        return self.codes(["\n".join(map(normalize, text.split("\n"))) for text in texts])
