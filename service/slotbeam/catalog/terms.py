"""Lexical overlap: which terms of a query an item carries, how much they weigh, and which items carry most.

Terms are tokens of canonical text with plurals folded, kept as 32-bit hashes. Each (item, term) has a BM25 impact
computed once at build (`postingsbuilder`); the largest sums of them are found by `topk`.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slotbeam.arrays import load_array
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.postings import Postings
from slotbeam.catalog.topk import best_rows
from slotbeam.language.boundaries import is_cjk
from slotbeam.types import FloatArray, IntArray

_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # kana and Han
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def stem(token: str) -> str:
    """Fold English plurals and a few endings; other tokens come back as they are."""
    if len(token) > 3 and token.isascii() and token.isalpha():
        if token.endswith("ies") and len(token) > 4:
            return token[:-3] + "y"
        if token.endswith(("sses", "shes", "ches", "xes", "zes")):
            return token[:-2]
        if token.endswith("s") and not token.endswith(("ss", "us", "is")):
            return token[:-1]
    return token


def terms(canonical: str) -> list[str]:
    """Return the terms of `canonical` in order; a CJK character is a term of its own."""
    return [stem(token) for token in _TOKEN.findall(canonical)]


def terms_tell(canonical: str) -> bool:
    """Return whether a text that holds a word as a whole word (`kae.matcher`) surely has all terms of the word.

    Hangul, for one, is written with spaces and has terms of several characters, but a word may end inside of one.
    """
    if canonical.isascii():
        return True
    return not any(is_cjk(char) and not re.match(f"[{_UNSPACED}]", char) for char in set(canonical))


def term_hash(term: str) -> int:
    return zlib.crc32(term.encode())


@dataclass(frozen=True, slots=True)
class TermIndex:
    """Terms ↔ items.

    Attributes:
        vocabulary: (U,) uint32, hashes of the terms, sorted.
        ceilings: (U,) float32, the largest impact of each term anywhere: what a perfect match would weigh.
        postings: of the terms, in this order.
    """

    vocabulary: IntArray
    ceilings: FloatArray
    postings: Postings

    def read(self, lexical_text: str) -> QueryTerms:
        """Look up the terms of a query, once for all that is asked about them.

        Args:
            lexical_text: the query, canonical; concept terms may stand behind it (`Encoded.lexical_text`).
        """
        return QueryTerms(self, self.known(lexical_text)[0])

    def holds(self, token: str) -> bool:
        """Return whether an item carries this very term, give or take a plural; False for what is no single term."""
        return len(terms(token)) == 1 and len(self.known(token)[0]) == 1

    def known(self, lexical_text: str) -> tuple[IntArray, bool]:
        """Return (n,) places in the vocabulary of the distinct terms that items carry, and whether these are all."""
        # Hashes of 32 bits instead of strings: of 100 000 terms about one pair shares a hash, and counts as one term.
        wanted = np.unique(np.fromiter((term_hash(t) for t in terms(lexical_text)), np.uint32))
        if not len(self.vocabulary):
            return np.empty(0, np.int64), not len(wanted)
        place = np.minimum(np.searchsorted(self.vocabulary, wanted), len(self.vocabulary) - 1)
        carried = self.vocabulary[place] == wanted
        return place[carried], bool(carried.all())

    @classmethod
    def load(cls, directory: Path) -> TermIndex:
        """Map what a `PostingsBuilder` wrote."""
        vocabulary, ceilings = (load_array(directory / f"{name}.npy") for name in ("vocabulary", "ceilings"))
        return cls(vocabulary, ceilings, Postings.load(directory))


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
