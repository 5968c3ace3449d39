"""Words that nobody knows, taken for words of the catalog where that is safe.

What is known is never changed, nor are digits, codes, short words and bound words. A word is taken for the only one
that is a slip away and stands in the title of an item beside the query's other words. What differs in its ending alone
is inflected, or of another language; and where one unknown word stays, so do the others: such a query is of another
world.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA, Prefix

from slotbeam.arrays import among
from slotbeam.catalog.table import Catalog
from slotbeam.catalog.words import plain, spelt_words
from slotbeam.kae.encode import Kae
from slotbeam.language.boundaries import Span
from slotbeam.search.rewriting import TextChange
from slotbeam.types import IntArray

MIN_LETTERS = 5
"""Of a word that is corrected: shorter ones have too many neighbours."""
TWO_SLIPS = 10
"""Letters from which a word may hold two slips, none of them in its first letter."""
ENDING = 2
"""Letters of an ending, at most."""
_PIECE = 3
"""Letters of each of two words without a space between, at least."""
_WEIGHED = 6
"""Candidates that are looked at beside the query's other words: the nearest, of these the most frequent."""
_SAMPLE = 512
"""Items of the rarest word that are looked at for that."""
_TITLES = 32
"""Titles of them that are read."""
_REMEMBERED = 2**14


class MeantWord(NamedTuple):
    """What may have been meant.

    Attributes:
        to: canonical: a word, or two where a space was missing.
        span: of what it replaces in the query: a word, or two where a space was too much.
        slips: letters put in, left out, changed or swapped, or a space too many or too few.
        times: how often it stands in the catalog, twice where in a title.
        fits: whether the title of an item holds it beside the query's other words.
    """

    to: str
    span: Span
    slips: int
    times: int
    fits: bool = True


class Considered(NamedTuple):
    """A word that nobody knows, what it may have been, best first, and what it was taken for, if for anything."""

    word: str
    candidates: tuple[MeantWord, ...]
    corrected: TextChange | None


class Speller:
    """Knows how the words of one catalog are spelt; immutable but for what it remembers."""

    def __init__(self, kae: Kae, catalog: Catalog) -> None:
        self._kae, self._catalog, self._words = kae, catalog, catalog.words
        self._terms, self._folding = catalog.terms, catalog.terms.folding
        self.knows = lru_cache(_REMEMBERED)(self._knows)
        self._like = lru_cache(_REMEMBERED)(lambda word: [*self._near(word), *self._split(word)])

    def consider(self, typed: str, taken: Sequence[Span] = ()) -> list[Considered]:
        """Look at each word of a canonical query that nobody knows, in order.

        Args:
            typed: the query.
            taken: places of what is not looked at: bound words, and what is excluded. Nothing else that is bound
                matters, so that an edit changes no query but those that hold its word.
        """
        each = self.each(typed, taken)
        if all(one.corrected for one in each):
            return each
        return [one._replace(corrected=None) for one in each]

    def each(self, typed: str, taken: Sequence[Span] = ()) -> list[Considered]:
        """Look at each word as though the others did not matter that nobody knows, either."""
        spans = [match.span() for match in spelt_words(typed)]
        free = [span for span in spans if not any(span[0] < end and start < span[1] for start, end in taken)]
        considered: list[Considered] = []
        done = 0
        for at, span in enumerate(free):
            word = typed[slice(*span)]
            if span[0] < done or len(word) < MIN_LETTERS or self.knows(word):
                continue
            before = free[at - 1] if at and free[at - 1][0] >= done else None
            after = free[at + 1] if at + 1 < len(free) else None
            found = [MeantWord(to, span, slips, count) for to, slips, count in self._like(word)]
            found += [*self._joined(typed, before, span), *self._joined(typed, span, after)]
            if any(self._folding.same(word, one.to) for one in found):
                continue  # known, in another spelling
            considered.append(self._judged(typed, word, found, taken))
            done = considered[-1].corrected.span[1] if considered[-1].corrected else done
        return considered

    def _knows(self, word: str) -> bool:
        return self._kae.knows_token(word) or self._words.count(word) > 0 or self._terms.holds(word)

    def _near(self, word: str) -> Iterator[tuple[str, int, int]]:
        """Yield `(word, slips, count)` of the catalog's words a slip or two away."""
        typed = plain(word)
        for to, count in self._words.near(word, 1 if len(typed) < TWO_SLIPS else 2):
            meant = plain(to)
            slips = int(OSA.distance(typed, meant))
            if count > 0 and self._is_slip(typed, meant, slips):
                yield to, slips, count

    @staticmethod
    def _is_slip(typed: str, meant: str, slips: int) -> bool:
        return (slips < 2 or typed[0] == meant[0]) and not is_ending(typed, meant)

    def _split(self, word: str) -> Iterator[tuple[str, int, int]]:
        """Yield `(words, slips, count)` of each two words that stand one behind the other in some item's text."""
        for at in range(_PIECE, len(word) - _PIECE + 1):
            left, right = word[:at], word[at:]
            count = min(self._words.count(left), self._words.count(right))
            if count > 0 and self._stand_together(left, right):
                yield f"{left} {right}", 1, count

    def _stand_together(self, left: str, right: str) -> bool:
        places = [place for word in (left, right) for place in self._terms.known(word)[0].tolist()]
        texts = self._catalog.texts.take(self._carrying(places)[:_SAMPLE]) if places else []
        return any(f" {left} {right} " in f" {text} ".replace("\n", " ") for text in texts)

    def _joined(self, typed: str, left: Span | None, right: Span | None) -> Iterator[MeantWord]:
        """Yield the word that two neighbours are with no space between."""
        if left is not None and right is not None and typed[left[1] : right[0]] == " ":
            word = typed[slice(*left)] + typed[slice(*right)]
            if (count := self._words.count(word)) > 0:
                yield MeantWord(word, (left[0], right[1]), 1, count)

    def _judged(self, typed: str, word: str, found: list[MeantWord], taken: Sequence[Span]) -> Considered:
        found = sorted(found, key=lambda one: (one.slips, -one.times, one.to))[:_WEIGHED]
        found = [one._replace(fits=self._fits(typed, one, taken)) for one in found]
        found.sort(key=lambda one: (not one.fits, one.slips, -one.times, one.to))
        corrected = None
        if found and found[0].fits and self._is_alone(found):
            to, (start, end), *_ = found[0]
            corrected = TextChange(typed[start:end], to, (start, end))
        return Considered(word, tuple(found), corrected)

    def _is_alone(self, found: Sequence[MeantWord]) -> bool:
        """Return whether all others that fit are spellings of the first, or further away."""
        best = found[0]
        return all(not one.fits or one.slips > best.slips or self._folding.same(one.to, best.to) for one in found[1:])

    def _fits(self, typed: str, candidate: MeantWord, taken: Sequence[Span]) -> bool:
        """Return whether the title of an item holds a candidate and all other words of the query that items carry."""
        skipped = (*taken, candidate.span)
        spans = [match.span() for match in spelt_words(typed)]
        beside = " ".join(
            typed[slice(*own)] for own in spans if not any(own[0] < end and start < own[1] for start, end in skipped)
        )
        others = self._terms.known(beside)[0].tolist()
        if not others:
            return True
        wanted = {*others, *self._terms.known(candidate.to)[0].tolist()}
        texts = self._catalog.texts.take(self._carrying([*wanted])[:_TITLES])
        return any(wanted <= {*self._terms.known(text.partition("\n")[0])[0].tolist()} for text in texts)

    def _carrying(self, places: Sequence[int]) -> IntArray:
        """Return rows of items that carry all of these terms: of many, such as are spread over the rarest one's."""
        rarest, *others = sorted((self._terms.postings.of_term(place)[0] for place in set(places)), key=len)
        rows = rarest[:: max(1, len(rarest) // _SAMPLE)]
        for carrying in others:
            rows = rows[among(carrying, rows)]
        return rows


def is_ending(typed: str, meant: str) -> bool:
    """Return whether two plain words differ in an ending alone, as inflected words do, and those of two languages.

    Two letters in the wrong order, or one that is doubled or halved, are a slip there, too.
    """
    shared = int(Prefix.similarity(typed, meant))
    one, other = typed[shared:], meant[shared:]
    if sorted(one) == sorted(other) or one + other == typed[shared - 1 : shared]:
        return False
    is_short = max(len(one), len(other)) <= ENDING
    return is_short and (len(one) == len(other) or one[-1:] != other[-1:])
