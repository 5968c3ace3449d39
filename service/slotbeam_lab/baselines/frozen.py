"""What stands in an artifact where `Kae` stands: text → vector → codes of a frozen quantiser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.codebook import Codebook
from slotbeam.kae.dictionary import Dictionary
from slotbeam.kae.encode import Describable, Encoded, Kae
from slotbeam.kae.importance import Importance
from slotbeam.kae.matcher import Span
from slotbeam.kae.normalize import normalize
from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.baselines.quantise import Quantiser
from slotbeam_lab.baselines.textvectors import TextVectors, unit


@dataclass(frozen=True, eq=False)
class Embedding:
    """Texts → vectors.

    Attributes:
        texts: the projection.
        keywords: with a dictionary the vector is OneSearch's keyword-enhanced one,
            `fused = norm(1/2 text + 1/2 mean(matched word vectors))`; a word's vector is its own text's.
    """

    texts: TextVectors
    keywords: Kae | None = None

    def vectors(self, texts: Sequence[str]) -> FloatArray:
        """(N, d) unit rows of canonical texts; zeros for a text without a known word."""
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
        """Every surface of the dictionary: its number, and the vector (surfaces, d) of each."""
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
        """(N, L) codes of canonical texts."""
        return self.quantiser.codes(self.embedding.vectors(texts))

    def encode(self, text: str, blocked: Iterable[Span] = ()) -> Encoded:
        """The query SID of one canonical text; no words are matched."""
        return Encoded(text, tuple(self.codes([text])[0].tolist()), (), (None,) * len(self.codebook))

    def encode_item(self, item: Describable) -> Encoded:
        """Refuse: an item's codes are those of its whole text (`codes`), not of single words."""
        raise TypeError("a frozen quantiser codes an item by its text; use codes(). This is a bug.")

    def knows(self, surface: str) -> bool:
        """Whether the projection has a vector for it."""
        return bool(self.embedding.texts.vectors([surface]).any())

    def forge(self, texts: Sequence[str]) -> IntArray:
        """(N, L) codes of item texts as written, a part a line; unseen words add nothing."""
        return self.codes(["\n".join(map(normalize, text.split("\n"))) for text in texts])
