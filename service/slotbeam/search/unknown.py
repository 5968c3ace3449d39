"""The words of a query by what slotbeam made of them: bound, known (in the dictionary) or unknown."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import NamedTuple

from slotbeam.kae.encode import Encoded
from slotbeam.language.boundaries import Span, in_word, is_cjk


class WordResult(StrEnum):
    """What became of a word of a query."""

    BOUND = "bound"
    KNOWN = "known"
    UNKNOWN = "unknown"


class Understood(StrEnum):
    """How much of a query: every word, some words, none (or it has none)."""

    WHOLLY = "wholly"
    PARTLY = "partly"
    NOT = "not"


class QueryWord(NamedTuple):
    """A word of a canonical query: `text == query[start:end]`."""

    text: str
    start: int
    end: int
    result: WordResult


def split_words(encoded: Encoded, bound: Iterable[Span]) -> tuple[QueryWord, ...]:
    """Split the canonical query into words, in order.

    A word is a run of letters, digits and marks; a run of CJK characters is one word, cut where a match begins or ends.

    Args:
        encoded: the base reading of the query.
        bound: spans of the bound words in `encoded.text`; they go before base matches.
    """
    text = encoded.text
    label = [WordResult.UNKNOWN] * len(text)
    for match in encoded.matches:
        label[match.start : match.end] = [WordResult.KNOWN] * (match.end - match.start)
    for start, end in bound:
        label[start:end] = [WordResult.BOUND] * (end - start)
    words: list[QueryWord] = []
    begin, open_run = 0, None
    for at, char in enumerate(text):
        run = (label[at], is_cjk(char)) if in_word(char) or _decimal_point(text, at) else None
        if run != open_run:
            if open_run is not None:
                words.append(QueryWord(text[begin:at], begin, at, open_run[0]))
            begin, open_run = at, run
    if open_run is not None:
        words.append(QueryWord(text[begin:], begin, len(text), open_run[0]))
    return tuple(words)


def words_that(words: Iterable[QueryWord], result: WordResult) -> list[str]:
    """Return the words that this became of, in order."""
    return [word.text for word in words if word.result is result]


def understood(words: Collection[QueryWord]) -> Understood:
    """Return how much of a query was understood by the dictionary and the bindings."""
    unknown = sum(word.result is WordResult.UNKNOWN for word in words)
    if unknown == len(words):
        return Understood.NOT
    return Understood.PARTLY if unknown else Understood.WHOLLY


def is_countable(word: str) -> bool:
    """Return whether an unknown word is worth counting: more than one character, not digits alone."""
    return len(word) > 1 and any(char.isalpha() for char in word)


def _decimal_point(text: str, at: int) -> bool:
    return text[at] in ".," and text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit()
