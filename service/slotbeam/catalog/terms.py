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

from slotbeam.arrays import load_array
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.postings import Postings
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
        ceilings: (U,) float32, the largest impact of each term anywhere: what a perfect match would weigh.
        postings: of the terms, in this order.
        folding: which the terms are keys of.
    """

    vocabulary: IntArray
    ceilings: FloatArray
    postings: Postings
    folding: Folding = PLAIN

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
        wanted = np.fromiter(map(term_hash, terms), np.uint32)
        if not len(self.vocabulary):
            return np.full(len(wanted), -1)
        place = np.minimum(np.searchsorted(self.vocabulary, wanted), len(self.vocabulary) - 1)
        return np.where(self.vocabulary[place] == wanted, place, -1)

    def rarity(self, places: IntArray, items: int) -> FloatArray:
        """Return (n,) in [0, 1] how rare terms are among so many `items`: their idf over that of a term of no item."""
        documents = self.postings.starts[places + 1] - self.postings.starts[places]
        return np.asarray(np.log1p((items - documents + 0.5) / (documents + 0.5)) / np.log1p(2 * items + 1))

    def _known(self, terms: Iterable[str]) -> tuple[IntArray, bool]:
        # Hashes of 32 bits instead of strings: of 100 000 terms about one pair shares a hash, and counts as one term.
        wanted = np.unique(np.fromiter(map(term_hash, terms), np.uint32))
        if not len(self.vocabulary):
            return np.empty(0, np.int64), not len(wanted)
        place = np.minimum(np.searchsorted(self.vocabulary, wanted), len(self.vocabulary) - 1)
        carried = self.vocabulary[place] == wanted
        return place[carried], bool(carried.all())

    @classmethod
    def load(cls, directory: Path, folding: Folding = PLAIN) -> TermIndex:
        """Map what a `PostingsBuilder` wrote."""
        vocabulary, ceilings = (load_array(directory / f"{name}.npy") for name in ("vocabulary", "ceilings"))
        return cls(vocabulary, ceilings, Postings.load(directory), folding)


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
        return best_rows(self.index.postings, self.known, limit, passing)[0]

    def overlap(self, rows: IntArray) -> FloatArray:
        """Return the lexical overlap of the query with items.

        Args:
            rows: (n,) item rows.

        Returns:
            (n,) float32 in [0, 1]: the items' summed BM25 impacts over the best sum any item could have; 0 for a
            query none of whose terms the catalog knows.
        """
        ceiling = np.float32(float(self.index.ceilings[self.known].sum()))
        return self.index.postings.sums(self.known, rows) / (ceiling or np.float32(1))
