"""Near misses: a query word one edit away from a bound word (opt-in per binding), taken for a slip of the finger.

What reads as meant is no slip: digits are typed as they are meant (`rtx4070` is not `rtx4080`), and so is a word that
somebody knows (`press` is not `dress`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import takewhile

MIN_LETTERS = 5
"""Shorter bound words have too many neighbours that mean something else."""

IsWord = Callable[[str, str], bool]
"""(token, bound word) → whether the token is a word in its own right, and no other form of the bound one."""

_TOKEN = re.compile(r"[^\W_]+")


def tokens(canonical: str) -> list[str]:
    """Return the runs of letters and digits of a canonical text."""
    return _TOKEN.findall(canonical)


def one_edit_apart(a: str, b: str) -> bool:
    """Return whether one insertion, deletion, substitution or swap of neighbours turns `a` into another text, `b`."""
    if len(a) > len(b):
        a, b = b, a
    if len(b) - len(a) > 1 or a == b:
        return False
    first = _shared(a, b)
    if len(a) < len(b):
        return a[first:] == b[first + 1 :]
    if a[first + 1 :] == b[first + 1 :]:
        return True
    swapped = a[:first] + a[first + 1 : first + 2] + a[first : first + 1] + a[first + 2 :]
    return swapped == b


def touches_digit(a: str, b: str) -> bool:
    """Return whether the edit between two texts one edit apart is of a digit or beside one, wherever it may have been.

    A letter doubled or halved may be either of the two: each such place counts.
    """
    start, stop = _shared(a, b), _shared(a[::-1], b[::-1])
    low = max(0, min(start, len(a) - stop, len(b) - stop) - 1)
    return any(character.isdigit() for text in (a, b) for character in text[low : max(start, len(text) - stop) + 1])


def near_misses(
    canonical: str, words: Sequence[tuple[str, int]], bound: Collection[str], is_word: IsWord
) -> Iterator[tuple[int, int, int]]:
    """Yield `(start, end, word number)` for query tokens that miss a bound word by one edit.

    Args:
        canonical: the query.
        words: `(canonical word, its number)` of the bindings that opted in.
        bound: tokens of bound words: none of them is a misspelling.
        is_word: nor is what dictionary or catalog know as another word; asked only of tokens that are one edit away.
    """
    eligible = [(word, number) for word, number in words if len(word) >= MIN_LETTERS]
    for token in _TOKEN.finditer(canonical) if eligible else ():
        text = token[0]
        for word, number in eligible:
            if not one_edit_apart(text, word) or touches_digit(text, word):
                continue
            if text not in bound and not is_word(text, word):
                yield token.start(), token.end(), number
                break


def _shared(a: str, b: str) -> int:
    """Return the length of the longest common beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
