"""Text vectors: what a text means, by a table of token vectors that training distilled from a teacher.

A static encoder, as model2vec's: the vector of a text is the normalised sum of the vectors of its tokens. It needs
neither the teacher nor PyTorch, and a new item or a word that no item holds has a vector at once.

Symbols: V tokens, m components, C centroids, n texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from slotbeam.errors import ArtifactError
from slotbeam.types import FloatArray, IntArray

TABLE, TOKENIZER = "text_vectors.npz", "text_tokenizer.json"
"""In the artifact's `model/`; a model that had no teacher has neither."""

MAX_WORDS = 96
"""Words of an item's text that its vector is made of; those of the title are taken twice."""
_LONGEST_WORD = 16
"""Characters: of a longer text no more is read than that many of so long words hold."""
_REMEMBERED = 2**14
"""Words whose sums are remembered: those of a catalog repeat."""


def words_of_item(title: str, others: Iterable[str]) -> list[str]:
    """Return the words that an item's vector is made of: those of its canonical title, twice, and its other texts'."""
    words = title.split()[:MAX_WORDS]
    rest = [word for text in others for word in text[: _LONGEST_WORD * MAX_WORDS].split()]
    return [*words, *words, *rest[: MAX_WORDS - len(words)]]


def ids_of(tokenizer: Tokenizer, word: str) -> list[int]:
    """Return the tokens of a word."""
    return list(tokenizer.encode(word, add_special_tokens=False).ids)


@dataclass(frozen=True, eq=False)
class TextVectors:
    """The encoder. All sums are of whole numbers, so a text has the same bytes on every processor.

    Attributes:
        tokenizer: splits a word into tokens.
        table: (V, m) int8, of each token.
        scales: (V,) int32, what each row of the table is multiplied by; 0 for a token that says nothing.
        centroids: (C, m) int8, of the lists that an index sorts its items into.
    """

    tokenizer: Tokenizer
    table: IntArray
    scales: IntArray
    centroids: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sum_of", lru_cache(_REMEMBERED)(self._sum))

    @property
    def width(self) -> int:
        """How many components a vector has: m."""
        return int(self.table.shape[1])

    def of_query(self, canonical: str) -> FloatArray:
        """Return (m,) the unit vector of a canonical text; zeros for one that says nothing."""
        total = self._total(canonical.split()[:MAX_WORDS])
        return np.asarray(total / (np.sqrt(np.square(total).sum()) or 1.0))

    def of_item(self, title: str, others: Sequence[str]) -> FloatArray:
        """Return (m,) float64 whole numbers: the sum of an item's canonical title, twice, and its other texts."""
        return self._total(words_of_item(title, others))

    def units(self, totals: FloatArray) -> IntArray:
        """Return (n, m) int8, 127 × the unit vector of each of `totals` (n, m)."""
        square = np.zeros(len(totals))
        for component in totals.T:  # in this order: a sum along an axis may be taken in another for another shape
            square += component * component
        return np.asarray(np.rint(totals / np.sqrt(np.maximum(square, 1.0))[:, None] * 127), np.int8)

    def lists_of(self, units: IntArray) -> IntArray:
        """Return (n,) int32, the nearest centroid of each of `units` (n, m) int8; of equal ones the first."""
        # Products of int8 are below 2²⁴ in all, so float32 adds them exactly.
        near = units.astype(np.float32) @ self.centroids.T.astype(np.float32)
        return np.asarray(np.argmax(near, axis=1), np.int32)

    @classmethod
    def load(cls, directory: Path) -> TextVectors | None:
        """Read them from the artifact's `model/`; None where there are none. Raises `ArtifactError`."""
        path = directory / TABLE
        if not path.is_file():
            return None
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                table, scales, centroids = (arrays[name] for name in ("table", "scales", "centroids"))
            tokenizer = Tokenizer.from_file(str(directory / TOKENIZER))
        except Exception as error:  # tokenizers raises bare Exception
            raise ArtifactError(f"{path} cannot be read: {error}; copy the artifact again", file=path.name) from error
        if (
            tokenizer.get_vocab_size() > len(table)
            or len(table) != len(scales)
            or table.shape[1:] != centroids.shape[1:]
        ):
            raise ArtifactError(f"{path} does not fit {TOKENIZER}; copy the artifact again", file=path.name)
        return cls(tokenizer, table, scales.astype(np.int32), centroids)

    def save(self, directory: Path) -> None:
        """Write what `load` reads."""
        np.savez_compressed(directory / TABLE, table=self.table, scales=self.scales, centroids=self.centroids)
        self.tokenizer.save(str(directory / TOKENIZER), pretty=False)

    def knows(self, canonical: str) -> bool:
        """Return whether one of the words of a text is a token of its own: letters in any order are many small ones."""
        own = (ids_of(self.tokenizer, word) for word in canonical.split()[:MAX_WORDS] if len(word) > 2)
        return any(len(ids) == 1 and self.scales[ids[0]] > 0 for ids in own)

    def _total(self, words: Sequence[str]) -> FloatArray:
        total = np.zeros(self.width)
        for word in words:
            total += self._sum_of(word)  # type: ignore[attr-defined]
        return total

    def _sum(self, word: str) -> FloatArray:
        """Return (m,) of one word: words are tokenised alone, so each of them is read once."""
        ids = ids_of(self.tokenizer, word)
        own = self.table[ids].astype(np.float64) * self.scales[ids, None]
        return np.asarray(own.sum(axis=0))
