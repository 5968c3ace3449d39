"""What BM25 counts: of one index, and for all that is added to it later or built to be compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slotbeam.arrays import bisected, load_array, save_array
from slotbeam.types import FloatArray, IntArray

_K1, _B = 0.6, 0.4  # below Robertson's: beside text vectors a word that is repeated tells less (docs/log.md)


@dataclass(frozen=True, slots=True, eq=False)
class TermStatistics:
    """Counts of the items that they were taken of.

    Attributes:
        items: N.
        mean_length: of an item, in terms.
        vocabulary: (U,) uint32, hashes of the terms, sorted.
        documents: (U,) how many items carry each.
    """

    items: int
    mean_length: float
    vocabulary: IntArray
    documents: IntArray

    def documents_of(self, hashes: IntArray) -> IntArray:
        """Return (n,) int64 how many items carry each term; a term that none carried counts as one of one item."""
        if not len(self.vocabulary):
            return np.ones(len(hashes), np.int64)
        place = np.minimum(bisected(self.vocabulary, hashes), len(self.vocabulary) - 1)
        return np.where(self.vocabulary[place] == hashes, self.documents[place], 1).astype(np.int64)

    def idf(self, documents: IntArray) -> FloatArray:
        """Return (n,) float64 the inverse document frequency of terms that so many items carry."""
        # log(1 + …), as Lucene has it: a term of more than half the items would weigh less than nothing otherwise.
        return np.asarray(np.log1p((self.items - documents + 0.5) / (documents + 0.5)))

    def impacts(
        self, idf: FloatArray, frequency: FloatArray | np.float64, lengths: IntArray | FloatArray | np.float64
    ) -> FloatArray:
        """Return (n,) float64 BM25 impacts of terms that stand so often in items of such lengths, in terms."""
        norm = _K1 * (1 - _B + _B * lengths / max(1.0, self.mean_length))
        return np.asarray(idf * frequency * (_K1 + 1) / (frequency + norm))

    @staticmethod
    def stored(impacts: FloatArray) -> FloatArray:
        """Return (n,) float16 impacts as postings keep them: none is 0, which would say that no item carries it."""
        return np.maximum(impacts.astype(np.float16), np.finfo(np.float16).smallest_subnormal)

    def ceilings(self, documents: IntArray) -> FloatArray:
        """Return (n,) float32 what terms weigh in an item of mean length that has them in its title, counted twice.

        By formula and not the largest impact of any item, so that an item that comes later changes no other's overlap.
        """
        length = np.float64(max(1.0, self.mean_length))
        return np.asarray(self.impacts(self.idf(documents), np.float64(2), length), np.float32)

    def save(self, directory: Path, vocabulary: IntArray) -> None:
        """Write the counts; of terms only where `vocabulary` (U',), whose postings are counted, is another's."""
        save_array(directory / "statistics.npy", np.array([self.items, self.mean_length]))
        if vocabulary is not self.vocabulary:
            save_array(directory / "counted.npy", self.vocabulary)
            save_array(directory / "documents.npy", self.documents.astype(np.int32))

    @classmethod
    def load(cls, directory: Path, vocabulary: IntArray, starts: IntArray) -> TermStatistics | None:
        """Map what `save` wrote; None of an index of before.

        Args:
            directory: `terms/` of an index.
            vocabulary, starts: of its postings, which are counted where the statistics are its own.
        """
        if not (directory / "statistics.npy").is_file():
            return None
        items, mean_length = load_array(directory / "statistics.npy").tolist()
        if (directory / "counted.npy").is_file():
            counted, documents = (load_array(directory / f"{name}.npy") for name in ("counted", "documents"))
            return cls(int(items), mean_length, counted, documents)
        return cls(int(items), mean_length, vocabulary, np.diff(starts))
