"""Near misses: a query word one edit away from a bound word (opt-in per binding)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

MIN_LETTERS = 5
"""Shorter bound words have too many neighbours that mean something else."""

_TOKEN = re.compile(r"[^\W_]+")


def one_edit_apart(a: str, b: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours turns `a` into `b`; False when equal."""
    if len(a) > len(b):
        a, b = b, a
    if len(b) - len(a) > 1 or a == b:
        return False
    first = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) < len(b):
        return a[first:] == b[first + 1 :]
    if a[first + 1 :] == b[first + 1 :]:
        return True
    swapped = a[:first] + a[first + 1 : first + 2] + a[first : first + 1] + a[first + 2 :]
    return swapped == b


def near_misses(
    canonical: str, words: Sequence[tuple[str, int]], is_base_word: Callable[[str], bool]
) -> Iterator[tuple[int, int, int]]:
    """Yield `(start, end, word number)` for query tokens that miss a bound word by one edit.

    Args:
        canonical: the query.
        words: `(canonical word, its number)` of the bindings that opted in.
        is_base_word: a token the dictionary knows is never a misspelling.
    """
    eligible = [(word, number) for word, number in words if len(word) >= MIN_LETTERS]
    for token in _TOKEN.finditer(canonical) if eligible else ():
        text = token[0]
        for word, number in eligible:
            if one_edit_apart(text, word) and not is_base_word(text):
                yield token.start(), token.end(), number
                break
