"""Words that nobody knows, taken for words of the catalog where that is safe.

What is known is never changed, nor are digits, codes, short words and bound words. What may have been meant is worth
its place in the catalog less the slips that it takes. It is taken if it clearly leads, and only where an item carries
it beside the query's other words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import inf, log
from typing import NamedTuple, Protocol

from slotbeam.arrays import among
from slotbeam.catalog.table import Catalog
from slotbeam.catalog.words import plain, spelt_words
from slotbeam.kae.encode import Kae
from slotbeam.language.boundaries import Span
from slotbeam.language.slips import Slips
from slotbeam.types import IntArray

MIN_LETTERS = 4
"""Of a word that is corrected."""
TWO_SLIPS = 7
"""Letters from which a word may hold two slips."""
_PIECE = 3
"""Letters of each of two words without a space between, at least."""
_WEIGHED = 6
"""Candidates that are looked at beside the query's other words: the best without them."""
_SAMPLE = 512
"""Items of the rarest word that are looked at for that."""
_REMEMBERED = 2**14

# In nats, fitted on half of the catalogs (docs/log.md).
FREQUENCY, SLIP = 0.5, 3.0
"""What ln(count) is worth, and what an edit costs."""
LETTER, LEAD, MOST_LEAD = 1 / 3, 1.6, 4.0
"""What a letter of the typed word is worth, for long words have few neighbours; and a nat before the next candidate, up
to so many."""
SAFE = 5.0
"""What a correction has to be worth."""
SPACE = 0.5
"""Cost of a space too many or too few, in edits."""
RARE = 0.7
"""Edits at most to a word that the dictionary alone knows: nothing in the catalog speaks for it."""


class MeantWord(NamedTuple):
    """What may have been meant.

    Attributes:
        to: canonical: a word, or two where a space was missing.
        span: of what it replaces in the query: a word, or two where a space was too much.
        cost: of the slips, in edits.
        times: how often it stands in the catalog.
        score: what it is worth, in nats.
        fits: whether an item carries it beside the query's other words.
    """

    to: str
    span: Span
    cost: float
    times: int
    score: float
    fits: bool = True


class Corrected(NamedTuple):
    """A word that was taken for another one, both canonical; `span` is its place in the text that was looked at."""

    word: str
    to: str
    span: Span


class Considered(NamedTuple):
    """A word that nobody knows, what it may have been, best first, and what it was taken for, if for anything."""

    word: str
    candidates: tuple[MeantWord, ...]
    corrected: Corrected | None


class BoundWords(Protocol):
    """What is asked of the words that bindings hold."""

    def has_token(self, token: str) -> bool: ...
    def holds_word(self, text: str) -> bool: ...


class Speller:
    """Knows how the words of one catalog are spelt; immutable but for what it remembers."""

    def __init__(self, kae: Kae, catalog: Catalog, language: str) -> None:
        self._kae, self._catalog, self._words = kae, catalog, catalog.words
        self._terms, self._folding, self._slips = catalog.terms, catalog.terms.folding, Slips(language)
        self.knows = lru_cache(_REMEMBERED)(self._knows)
        self._like = lru_cache(_REMEMBERED)(lambda word: [*self._near(word), *self._split(word)])

    def consider(self, typed: str, bound: BoundWords, taken: Sequence[Span] = ()) -> list[Considered]:
        """Look at each word of a canonical query that nobody knows, in order.

        Args:
            typed: the query.
            bound: words of bindings; none of them is corrected, or what was meant.
            taken: places of what is not looked at: bound words, and what is excluded.
        """
        spans = [match.span() for match in spelt_words(typed)]
        free = [span for span in spans if not any(span[0] < end and start < span[1] for start, end in taken)]
        considered: list[Considered] = []
        done = 0
        for at, span in enumerate(free):
            word = typed[slice(*span)]
            if span[0] < done or len(word) < MIN_LETTERS or self.knows(word) or bound.has_token(word):
                continue
            before = free[at - 1] if at and free[at - 1][0] >= done else None
            after = free[at + 1] if at + 1 < len(free) else None
            found = [MeantWord(to, span, cost, count, _worth(cost, count)) for to, cost, count in self._like(word)]
            found += [*self._joined(typed, before, span), *self._joined(typed, span, after)]
            if any(self._folding.same(word, one.to) for one in found):
                continue  # known, in another spelling
            found = [one for one in found if not bound.holds_word(one.to)]
            considered.append(self._judged(typed, word, found, taken))
            done = considered[-1].corrected.span[1] if considered[-1].corrected else done
        return considered

    def _knows(self, word: str) -> bool:
        return self._kae.knows_token(word) or self._words.count(word) > 0 or self._terms.holds(word)

    def _near(self, word: str) -> Iterator[tuple[str, float, int]]:
        """Yield `(word, cost, count)` of the words a slip or two away."""
        typed = plain(word)
        for to, count in self._words.near(word, 1 if len(typed) < TWO_SLIPS else 2):
            cost = self._slips.cost(typed, plain(to))
            if count or cost <= RARE:
                yield to, cost, count

    def _split(self, word: str) -> Iterator[tuple[str, float, int]]:
        """Yield `(words, cost, count)` of each two words that stand one behind the other in some item's text."""
        for at in range(_PIECE, len(word) - _PIECE + 1):
            left, right = word[:at], word[at:]
            count = min(self._words.count(left), self._words.count(right))
            if count > 0 and self._stand_together(left, right):
                yield f"{left} {right}", SPACE, count

    def _stand_together(self, left: str, right: str) -> bool:
        places = [place for word in (left, right) for place in self._terms.known(word)[0].tolist()]
        texts = self._catalog.texts.take(self._carrying(places)[:_SAMPLE]) if places else []
        return any(f" {left} {right} " in f" {text} ".replace("\n", " ") for text in texts)

    def _joined(self, typed: str, left: Span | None, right: Span | None) -> Iterator[MeantWord]:
        """Yield the word that two neighbours are with no space between."""
        if left is not None and right is not None and typed[left[1] : right[0]] == " ":
            word = typed[slice(*left)] + typed[slice(*right)]
            if (count := self._words.count(word)) > 0:
                yield MeantWord(word, (left[0], right[1]), SPACE, count, _worth(SPACE, count))

    def _judged(self, typed: str, word: str, found: list[MeantWord], taken: Sequence[Span]) -> Considered:
        found = sorted(found, key=lambda one: (-one.score, one.to))[:_WEIGHED]
        found = [one._replace(fits=self._fits(typed, one, taken)) for one in found]
        found.sort(key=lambda one: (not one.fits, -one.score, one.to))
        corrected = None
        if found and found[0].fits and self._is_safe(word, found):
            to, (start, end), *_ = found[0]
            corrected = Corrected(typed[start:end], to, (start, end))
        return Considered(word, tuple(found), corrected)

    def _is_safe(self, word: str, found: Sequence[MeantWord]) -> bool:
        best = found[0]
        rivals = (one.score for one in found[1:] if one.fits and not self._folding.same(one.to, best.to))
        lead = min(best.score - next(rivals, -inf), MOST_LEAD)
        return best.score + LETTER * len(plain(word)) + LEAD * lead >= SAFE

    def _fits(self, typed: str, candidate: MeantWord, taken: Sequence[Span]) -> bool:
        """Return whether an item carries a candidate and all other words of the query that items carry."""
        skipped = (*taken, candidate.span)
        spans = [match.span() for match in spelt_words(typed)]
        beside = [
            typed[slice(*own)] for own in spans if not any(own[0] < end and start < own[1] for start, end in skipped)
        ]
        beside = self._terms.known(" ".join(beside))[0].tolist()
        own = self._terms.known(candidate.to)[0].tolist()
        if not own:  # a word of the dictionary: the items that carry what it means
            own = self._terms.read("", self._kae.encode(candidate.to).concept_terms).known.tolist()
        return not beside or len(self._carrying([*own, *beside])) > 0

    def _carrying(self, places: Sequence[int]) -> IntArray:
        """Return rows of items that carry all of these terms: of many, such as are spread over the rarest one's."""
        rarest, *others = sorted((self._terms.postings.of_term(place)[0] for place in set(places)), key=len)
        rows = rarest[:: max(1, len(rarest) // _SAMPLE)]
        for carrying in others:
            rows = rows[among(carrying, rows)]
        return rows


def _worth(cost: float, count: int) -> float:
    return FREQUENCY * log(count + 0.5) - SLIP * cost
