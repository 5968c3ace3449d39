"""The words of a query in one catalog: which anybody knows, how rare each is, and by which terms an item carries it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.catalog.table import Catalog
from slotbeam.catalog.terms import QueryTerms, TermIndex
from slotbeam.kae.encode import Encoded, Match, concept_term
from slotbeam.language.boundaries import Span
from slotbeam.language.fold import Reading
from slotbeam.language.tokens import codes
from slotbeam.search.unknown import QueryWord, WordResult, split_words
from slotbeam.types import BoolArray, FloatArray, Hits, IntArray

_STEPS = 2**20
"""Of a weight: as few bits as make every sum of weights exact, in whatever order they are added."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadWords:
    """The words of a query, and what they are in a catalog. Columns are numbers of `terms.known`.

    Attributes:
        words: in order.
        terms: of the query: those of its words, and one for each of its concepts.
        ways: of each word: an item carries it that carries all columns of one of these, its spellings and its concepts.
        holders: of each word the number of the binding that it triggered, among those of the query, or None.
        weights: (w,) in (0, 1], how rare each word is: 1 where no item carries it.
        concepts: the column of each concept that represents a position, -1 for one that no item carries.
    """

    words: tuple[QueryWord, ...]
    terms: QueryTerms
    ways: tuple[tuple[IntArray, ...], ...]
    holders: tuple[int | None, ...]
    weights: FloatArray
    concepts: tuple[int, ...]

    @property
    def in_base(self) -> bool:
        """Whether an item carries one of the words, or the dictionary knows one, whatever is bound."""
        return bool(self.concepts) or any(self.ways)

    @property
    def are_known(self) -> list[bool]:
        """Of each word whether it is bound, in the dictionary, or carried by an item."""
        pairs = zip(self.words, self.ways, strict=True)
        return [word.result is not WordResult.UNKNOWN or bool(ways) for word, ways in pairs]

    def matched(self, carried: BoolArray, hits: Hits) -> BoolArray:
        """Return (n, w): which words each hit carries.

        Args:
            carried: (t, n) which terms each carries.
            hits: n of them; an item of a binding carries the word that triggered it.
        """
        matched = np.zeros((len(self.words), carried.shape[1]), np.bool_)
        for row, ways, holder in zip(matched, self.ways, self.holders, strict=True):
            for columns in ways:
                row |= carried[columns[0]] if len(columns) == 1 else carried[columns].all(axis=0)
            if holder is not None and hits.bindings:
                row |= hits.held[:, holder]
        return matched.T


def look_up(
    encoded: Encoded, bound: Sequence[Span], catalog: Catalog, aliases: Sequence[tuple[Span, str]] = ()
) -> ReadWords:
    """Look the words of a query up in a catalog.

    Args:
        encoded: the base reading of the query.
        bound: where its bound words stand in `encoded.text`, one a binding.
        catalog: whose items carry them, or do not.
        aliases: canonical texts that a part of it says, too: an item that carries one carries that part.
    """
    index = catalog.terms
    words = split_words(encoded, bound)
    readings = index.folding.readings(encoded.text)
    of_words = (token.key for reading in readings for token in reading)
    others = [(span, index.folding.terms(text)) for span, text in aliases]
    of_aliases = (term for _, terms in others for term in terms)
    keys = dict.fromkeys([*of_words, *codes(encoded.text), *encoded.concept_terms, *of_aliases])
    places = index.places(list(keys))
    known = np.unique(places[places >= 0])
    column = dict(zip(keys, np.where(places >= 0, np.searchsorted(known, places), -1).tolist(), strict=True))

    ways = []
    for word in words:
        spelt = [tuple(column[token.key] for token in _standing_in(word, reading)) for reading in readings]
        whole = sum(_overlap(match, word) for match in encoded.matches) == word.end - word.start
        named = [column[concept_term(match.concept)] for match in encoded.matches if whole and _overlap(match, word)]
        told = [tuple(column[term] for term in terms) for (start, end), terms in others if start < word.end <= end]
        ways.append(_possible([*spelt, tuple(named), *told], known, index))
    holders = [
        next((number for number, (start, end) in enumerate(bound) if start <= word.start and word.end <= end), None)
        for word in words
    ]
    chosen = [column[concept_term(match.concept)] for match in encoded.chosen if match is not None]
    return ReadWords(
        words=words,
        terms=QueryTerms(index, known),
        ways=tuple(ways),
        holders=tuple(holders),
        weights=_rarity(ways, index.rarity(known, len(catalog))),
        concepts=tuple(chosen),
    )


def _standing_in(word: QueryWord, reading: Reading) -> Reading:
    """Return the tokens that share a character with the word."""
    first = bisect_right(reading, word.start, key=lambda token: token.end)
    return reading[first : bisect_left(reading, word.end, key=lambda token: token.start)]


def _possible(ways: Iterable[tuple[int, ...]], known: IntArray, index: TermIndex) -> tuple[IntArray, ...]:
    """Return the ways that an item takes: characters of a script without spaces are common, words of them are not."""
    possible = []
    for way in dict.fromkeys(tuple(sorted(set(way))) for way in ways):
        columns = np.array(way, np.int64)
        if way and way[0] >= 0 and (len(way) == 1 or len(index.postings.carrying_all(known[columns]))):
            possible.append(columns)
    return tuple(possible)


def _rarity(ways: Sequence[tuple[IntArray, ...]], rarity: FloatArray) -> FloatArray:
    """Return (w,) how rare each word is: as the commonest of its ways, which is as rare as its rarest term."""
    weights = [min((float(rarity[columns].max()) for columns in own), default=1.0) for own in ways]
    return np.array([max(1, round(weight * _STEPS)) / _STEPS for weight in weights])


def _overlap(match: Match, word: QueryWord) -> int:
    """Return how many characters a match and a word share."""
    return max(0, min(match.end, word.end) - max(match.start, word.start))
