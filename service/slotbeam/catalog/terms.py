"""Lexical overlap: which terms of a query an item carries, how much they weigh, and which items carry most.

Terms are the keys of a text's tokens (`language.fold`), kept as 32-bit hashes. Each (item, term) has a BM25 impact
computed once at build (`postingsbuilder`); the largest sums of them are found by `topk`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slotbeam.arrays import bisected, load_array
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.postings import Postings
from slotbeam.catalog.statistics import TermStatistics
from slotbeam.catalog.topk import best_rows
from slotbeam.language.fold import PLAIN, Folding
from slotbeam.language.segments import is_spaceless
from slotbeam.language.tokens import codes
from slotbeam.types import FloatArray, IntArray


def terms_tell(canonical: str) -> bool:
    """Return whether a text that holds a word as a whole word (`kae.matcher`) surely has all terms of the word.

    In a script without spaces a word may end inside of a term.
    """
    return not is_spaceless(canonical)


def term_hash(term: str) -> int:
    return zlib.crc32(term.encode())


@dataclass(frozen=True, slots=True)
class TermIndex:
    """Terms ↔ items.

    Attributes:
        vocabulary: (U,) uint32, hashes of the terms, sorted.
        ceilings: (U,) float32, what each term weighs at its best (`TermStatistics.ceilings`).
        postings: of the terms, in this order.
        folding: which the terms are keys of.
        statistics: that impacts were worked out by; None in an index of before they were kept.
    """

    vocabulary: IntArray
    ceilings: FloatArray
    postings: Postings
    folding: Folding = PLAIN
    statistics: TermStatistics | None = None

    def read(self, canonical: str, concept_terms: Iterable[str] = ()) -> QueryTerms:
        """Look up the terms of a query, once for all that is asked about them.

        Args:
            canonical: the query.
            concept_terms: of the query (`Encoded.concept_terms`).
        """
        return QueryTerms(self, self._known([*self.folding.terms(canonical), *codes(canonical), *concept_terms])[0])

    def holds(self, token: str) -> bool:
        """Return whether an item carries this token in any spelling; False for what is no single term."""
        terms = self.folding.terms(token)
        return len(terms) == 1 and len(self._known(terms)[0]) == 1

    def known(self, canonical: str) -> tuple[IntArray, bool]:
        """Return (n,) places in the vocabulary of the distinct terms that items carry, and whether these are all."""
        return self._known(self.folding.terms(canonical))

    def known_readings(self, canonical: str) -> list[IntArray | None]:
        """Return of each reading of a text the places (n,) of its distinct terms in the vocabulary, rising.

        None stands for a reading that has a term which no item carries. A text without terms has no reading.
        """
        readings = ([token.key for token in reading] for reading in self.folding.readings(canonical))
        known = [self._known(terms) for terms in readings if terms]
        return [places if all_known else None for places, all_known in known]

    def places(self, terms: Sequence[str]) -> IntArray:
        """Return (n,) the place of each term in the vocabulary, -1 for one that no item carries."""
        return self._places_of(np.fromiter(map(term_hash, terms), np.uint32))

    def best(self, places: IntArray, limit: int, passing: Passing | None) -> IntArray:
        """Return (n,) rows of the items with the largest sums of impacts, best first, ties in row order.

        Args:
            places: (t,) of terms, in the order in which their impacts are added.
            limit: how many at most.
            passing: the rows that may be answered; None: every row.
        """
        return best_rows(self.postings, places, limit, passing)[0]

    def rarity(self, places: IntArray, items: int) -> FloatArray:
        """Return (n,) in [0, 1] how rare terms are among so many `items`: their idf over that of a term of no item."""
        if self.statistics is None:
            documents: IntArray = self.postings.starts[places + 1] - self.postings.starts[places]
        else:
            documents, items = self._documents(places), self.statistics.items
        return np.asarray(np.log1p((items - documents + 0.5) / (documents + 0.5)) / np.log1p(2 * items + 1))

    def _documents(self, places: IntArray) -> IntArray:
        """Return (n,) how many items carry each term, as the statistics have it."""
        assert self.statistics is not None
        documents = np.ones(len(places), np.int64)
        held = places < len(self.vocabulary)
        documents[held] = self.statistics.documents_of(self.vocabulary[places[held]])
        return documents

    def _known(self, terms: Iterable[str]) -> tuple[IntArray, bool]:
        # Hashes of 32 bits instead of strings: of 100 000 terms about one pair shares a hash, and counts as one term.
        places = self._places_of(np.unique(np.fromiter(map(term_hash, terms), np.uint32)))
        carried = places >= 0
        return places[carried], bool(carried.all())

    def _places_of(self, hashes: IntArray) -> IntArray:
        """Return (n,) int64 the place of each term, -1 for one that no item carries."""
        if not len(self.vocabulary):
            return np.full(len(hashes), -1)
        place = np.minimum(bisected(self.vocabulary, hashes), len(self.vocabulary) - 1)
        return np.where(self.vocabulary[place] == hashes, place, -1)

    @classmethod
    def load(cls, directory: Path, folding: Folding = PLAIN) -> TermIndex:
        """Map what a `PostingsBuilder` wrote."""
        vocabulary, ceilings = (load_array(directory / f"{name}.npy") for name in ("vocabulary", "ceilings"))
        postings = Postings.load(directory)
        statistics = TermStatistics.load(directory, vocabulary, postings.starts)
        return cls(vocabulary, ceilings, postings, folding, statistics)


@dataclass(frozen=True, slots=True)
class QueryTerms:
    """A query's terms in one index.

    Attributes:
        index: where they were looked up.
        known: (t,) their places in its vocabulary, rising, of those that items carry.
    """

    index: TermIndex
    known: IntArray

    def best(self, limit: int, passing: Passing | None = None) -> IntArray:
        """Return (n,) rows of the items with the largest overlap, best first, ties in row order.

        Args:
            limit: how many at most; as many come where so many that pass the filter carry a term of the query.
            passing: the rows that may be answered; None: every row.
        """
        return self.index.best(self.known, limit, passing)

    def overlap(self, rows: IntArray) -> FloatArray:
        """Return the lexical overlap of the query with items.

        Args:
            rows: (n,) item rows.

        Returns:
            (n,) float32 >= 0: the items' summed BM25 impacts over what the terms weigh at their best, so that 1 is a
            whole match; 0 for a query none of whose terms the catalog knows.
        """
        ceiling = np.float32(float(self.index.ceilings[self.known].sum()))
        return self.index.postings.sums(self.known, rows) / (ceiling or np.float32(1))
