"""What a word of a script without spaces may be taken for: its characters in longer words and in titles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from slotbeam.arrays import Strings
from slotbeam.catalog.wholewords import rows_with
from slotbeam.kae.matcher import Matcher
from slotbeam.language.fold import PLAIN, Folding
from slotbeam.language.segments import is_spaceless

_READ = 2000
"""Texts that are read at most, some 50 ms."""


class LookAlikes(NamedTuple):
    """Texts that hold the characters of a word beside others of its kind, each with whether the word is found in it.

    Attributes:
        words: of the dictionary, shortest first.
        titles: of the catalog, canonical, in its order; the first few that are hit and the first few that are not.
    """

    words: dict[str, bool]
    titles: dict[str, bool]


def looks_like(
    word: str, texts: Strings, words: Iterable[str], folding: Folding = PLAIN, limit: int = 10
) -> LookAlikes:
    """Return what a word would hit, or not hit, besides itself; nothing for a word that spaces tell from others.

    Args:
        word: canonical, not empty.
        texts: (N,) canonical, the title first (`catalog.table.Catalog.texts`).
        words: of the dictionary, canonical.
        folding: of the catalog's language.
        limit: words at most, and titles of each kind.
    """
    if not is_spaceless(word):
        return LookAlikes({}, {})
    matcher = Matcher([word], folding, [word])
    longer = sorted((other for other in words if word in other and word != other), key=lambda one: (len(one), one))
    found: dict[bool, dict[str, None]] = {True: {}, False: {}}
    for row in islice(rows_with(re.compile(re.escape(word.encode())), texts), _READ):
        title = texts[row].partition("\n")[0]
        hits = matcher.find(title)
        if word in title and all(_touches(title, start, end) for start, end, _ in hits):
            found[bool(hits)][title] = None
    return LookAlikes(
        {other: bool(matcher.find(other)) for other in longer[:limit]},
        {title: hit for hit, some in found.items() for title in islice(some, limit)},
    )


def _touches(text: str, start: int, end: int) -> bool:
    """Return whether a character of a script without spaces stands right beside a span."""
    return is_spaceless(text[max(start - 1, 0) : start] + text[end : end + 1])
