"""Lexical overlap: which terms of a query an item carries, how much they weigh, and which items carry most.

Terms are tokens of canonical text with plurals folded, kept as 32-bit hashes. Each (item, term) has a BM25 impact
computed once at build, so that scoring a few thousand candidates is one pass over mapped arrays.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slotbeam.arrays import load_array, ranges, running_totals, save_array
from slotbeam.types import FloatArray, IntArray

_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_]+")
_MOST_ROWS = 3000
"""Items that `best` looks at, at most: those of the rarest terms."""
_K1, _B = 1.2, 0.75  # Robertson's usual values; the baseline in eval uses its own library


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


def term_hash(term: str) -> int:
    return zlib.crc32(term.encode())


@dataclass(frozen=True, slots=True)
class TermIndex:
    """Item → terms.

    Attributes:
        offsets: (N + 1,) int64, the terms of row r are `offsets[r]:offsets[r + 1]`.
        places: (P,) uint16 (uint32 beyond 65 536 terms), the term's place in the vocabulary.
        impacts: (P,) float16, BM25 impact of the term in the item.
        vocabulary: (U,) uint32, hashes of the terms, sorted.
        ceilings: (U,) float32, the largest impact of each term anywhere: what a perfect match would weigh.
        starts: (U + 1,) int64, the items of term u are `rows[starts[u]:starts[u + 1]]`.
        rows: (P,) int32, rising within a term.
    """

    offsets: IntArray
    places: IntArray
    impacts: FloatArray
    vocabulary: IntArray
    ceilings: FloatArray
    starts: IntArray
    rows: IntArray

    @classmethod
    def build(cls, texts: Sequence[str]) -> TermIndex:
        """Index `texts` (N canonical texts, in row order)."""
        hash_lists: list[IntArray] = []
        counts: list[IntArray] = []
        lengths = np.zeros(len(texts), np.float64)
        cache: dict[str, int] = {}
        for i, text in enumerate(texts):
            text_terms = terms(text)
            lengths[i] = len(text_terms)
            values, count = np.unique(
                np.fromiter((cache.setdefault(t, term_hash(t)) for t in text_terms), np.uint32, len(text_terms)),
                return_counts=True,
            )
            hash_lists.append(values)
            counts.append(count)
        offsets = running_totals([len(r) for r in hash_lists])
        hashes = np.concatenate(hash_lists) if hash_lists else np.empty(0, np.uint32)
        frequency = np.concatenate(counts).astype(np.float64) if counts else np.empty(0, np.float64)
        vocabulary, inverse = np.unique(hashes, return_inverse=True)
        documents = np.bincount(inverse, minlength=len(vocabulary))
        # log(1 + …), as Lucene has it: a term of more than half the items would weigh less than nothing otherwise.
        idf = np.log1p((len(texts) - documents + 0.5) / (documents + 0.5))
        norm = _K1 * (1 - _B + _B * lengths / max(1.0, lengths.mean() if len(lengths) else 1.0))
        impacts = idf[inverse] * frequency * (_K1 + 1) / (frequency + np.repeat(norm, np.diff(offsets)))
        # The best sum any item could have bounds every overlap by 1: the weight in the item score then means the same
        # for queries of one word and of ten.
        ceilings = np.zeros(len(vocabulary), np.float32)
        np.maximum.at(ceilings, inverse, impacts.astype(np.float32))
        owner = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(offsets))
        postings = owner[np.argsort(inverse, kind="stable")]
        # The smallest type that fits: every plane maps these arrays, and every query scans its candidates' part of
        # them.
        places = inverse.astype(np.uint16 if len(vocabulary) <= 2**16 else np.uint32)
        starts = running_totals(documents)
        return cls(
            offsets, places, impacts.astype(np.float16), vocabulary.astype(np.uint32), ceilings, starts, postings
        )

    def read(self, lexical_text: str) -> QueryTerms:
        """Look up the terms of a query, once for all that is asked about them.

        Args:
            lexical_text: the query, canonical; concept terms may stand behind it (`Encoded.lexical_text`).
        """
        return QueryTerms(self, self._known(lexical_text))

    def holds(self, token: str) -> bool:
        """Return whether an item carries this very term, give or take a plural; False for what is no single term."""
        return len(terms(token)) == 1 and len(self._known(token)) == 1

    def _known(self, lexical_text: str) -> IntArray:
        """Return (n,) places in the vocabulary of the query's distinct terms that the catalog knows."""
        # Hashes of 32 bits instead of strings: of 100 000 terms about one pair shares a hash, and counts as one term.
        wanted = np.unique(np.fromiter((term_hash(t) for t in terms(lexical_text)), np.uint32))
        place = np.minimum(np.searchsorted(self.vocabulary, wanted), max(0, len(self.vocabulary) - 1))
        return place[self.vocabulary[place] == wanted] if len(self.vocabulary) else np.empty(0, np.int64)

    def save(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        for name in self.__slots__:
            save_array(directory / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, directory: Path) -> TermIndex:
        return cls(*(load_array(directory / f"{name}.npy") for name in cls.__slots__))


class QueryTerms:
    """A query's terms in one index. What `best` worked out, `overlap` knows: one object a query, for one thread."""

    def __init__(self, index: TermIndex, known: IntArray) -> None:
        """Take the index and `known`, (t,) places in its vocabulary of the query's distinct terms."""
        self._index = index
        self._known = known
        self._ceiling = float(index.ceilings[known].sum())
        self._seen: tuple[IntArray, FloatArray] = (np.empty(0, np.int64), np.empty(0, np.float32))

    def best(self, limit: int) -> IntArray:
        """Return (n,) rows of the items with the largest overlap, at most `limit` of them, best first.

        Only items of the query's rarest terms are looked at, whole terms of them, a few thousand items in all: a term
        that more items carry tells little, and words like that are what the dictionary holds.
        """
        index, known = self._index, self._known
        counts = index.starts[known + 1] - index.starts[known]
        # Whole terms, the rarest first: a part of a term's items would be those of the lowest rows, a choice by SID.
        rarest = np.argsort(counts, kind="stable")
        taken = known[rarest[np.cumsum(counts[rarest]) <= _MOST_ROWS]]
        if not len(taken):
            return np.empty(0, np.int64)
        rows = np.unique(np.concatenate([index.rows[index.starts[t] : index.starts[t + 1]] for t in taken.tolist()]))
        # Kept for the item score, which asks about these again, among the items that the beams brought.
        self._seen = rows, self._overlap(rows)
        order = np.argsort(-self._seen[1], kind="stable")[:limit]
        return np.asarray(rows[order], np.int64)

    def overlap(self, rows: IntArray) -> FloatArray:
        """Return the lexical overlap of the query with items.

        Args:
            rows: (n,) item rows.

        Returns:
            (n,) float32 in [0, 1]: the items' summed BM25 impacts over the best sum any item could have; 0 for a
            query none of whose terms the catalog knows.
        """
        seen, values = self._seen
        if not len(seen):
            return self._overlap(rows)
        # `seen` is sorted and unique, so bisection tells which are known. Every item is summed by itself, term by term,
        # so a value from here is the same to the last bit as one worked out among other items.
        place = np.minimum(np.searchsorted(seen, rows), len(seen) - 1)
        fresh = np.flatnonzero(seen[place] != rows)
        out = values[place]
        out[fresh] = self._overlap(rows[fresh])
        return out

    def _overlap(self, rows: IntArray) -> FloatArray:
        index = self._index
        out = np.zeros(len(rows), np.float32)
        if self._ceiling == 0.0 or len(rows) == 0:
            return out
        start = index.offsets[rows]
        owner, posting = ranges(start, index.offsets[rows + 1] - start)
        places = index.places[posting]
        # A pass for each term of the query, of which there are few: a join would sort all terms of all these items.
        for term in self._known.tolist():
            hit = np.flatnonzero(places == term)  # a term occurs once in an item, so no index repeats
            out[owner[hit]] += index.impacts[posting[hit]].astype(np.float32)
        return out / np.float32(self._ceiling)
