"""Words as ICU's dictionaries cut them: runs of Thai, Lao, Khmer, Burmese, and of kana with Chinese characters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

from icu4py.breakers import WordBreaker

_REMEMBERED = 2**12
# The dictionaries have what NFKC takes apart: vowels with AM, and two Lao consonants.
_TAKEN_APART = re.compile("\u0e4d\u0e32|\u0ecd\u0eb2|\u0eab[\u0e99\u0ea1]")
_PUT_TOGETHER = {
    "\u0e4d\u0e32": "\u0e33",
    "\u0ecd\u0eb2": "\u0eb3",
    "\u0eab\u0e99": "\u0edc",
    "\u0eab\u0ea1": "\u0edd",
}
_NO_START = re.compile("[\u0e01-\u0e12\u0e14-\u0e17\u0e19-\u0e2e\u0e81-\u0eae]$|[\u1000-\u1021]\u103a")
"""What no word is or starts with: a Thai or Lao consonant alone (but ณ and ธ), a Burmese one that ends a syllable."""
_ANCHORS = {0x1C: "โรงเรียน", 0x1D: "ໂຮງຮຽນ", 0x20: "စာအုပ်", 0x21: "စာအုပ်", 0x2F: "ស្បែកជើង"}
"""A long word of each script, by 128 characters of Unicode."""
LEAST = 4
"""Characters of a word that is found against ICU's cuts: shorter ones stand in any run of unknown characters."""


@lru_cache(_REMEMBERED)
def cuts(run: str) -> tuple[int, ...]:
    """Return where ICU cuts inside of a run, rising. The dictionary is that of its script, whatever the locale."""
    return tuple(start for start, _ in WordBreaker(run, "en").segments() if start)


@lru_cache(_REMEMBERED)
def edges(run: str) -> tuple[int, ...]:
    """Return where words may begin and end inside of a canonical run of Thai, Lao, Khmer or Burmese, rising."""
    whole, places = _whole(run), list(range(len(run) + 1))
    if len(whole) < len(run):
        inside = {pair.start() + 1 for pair in _TAKEN_APART.finditer(run)}
        places = [at for at in places if at not in inside]
    # Where ICU knows no word it leaves single consonants, which are none: they go on with what stands before.
    return tuple(
        places[at]
        for at, following in pairwise((*cuts(whole), len(whole)))
        if not _NO_START.match(whole, at, following)
    )


def explains(run: str, start: int, end: int) -> bool:
    """Return whether the run reads better with a word at `run[start:end]`, whose ends ICU does not cut at.

    ICU knows no new names, and what it takes for words around them is often none. A name stands wherever it is not
    inside one word of the dictionary. A word of the dictionary stands where fewer characters are left that belong to
    no word, and never cuts another one.
    """
    if end - start < LEAST or any(_continues(run[at : at + 1]) for at in (start, end)):
        return False
    whole, before, behind = _whole(run), _whole(run[:start]), _whole(run[end:])
    first, last = len(before), len(whole) - len(behind)
    if _unknown(whole[first:last]):
        return not any(begin <= first and last <= stop for begin, stop in _known(whole))
    if any(begin < at < stop for at in (first, last) for begin, stop in _known(whole)):
        return False
    return _unknown(before) + _unknown(behind) < _unknown(whole)


@lru_cache(_REMEMBERED)
def _known(whole: str) -> tuple[tuple[int, int], ...]:
    """Return the spans of the segments that are words of the dictionary."""
    spans = pairwise((0, *cuts(whole), len(whole)))
    return tuple((start, end) for start, end in spans if start < end and _is_known(whole[start:end]))


def _unknown(whole: str) -> int:
    """Return how many characters belong to no word of the dictionary."""
    return len(whole) - sum(end - start for start, end in _known(whole))


@lru_cache(2**14)
def _is_known(segment: str) -> bool:
    """Return whether a segment is a word of the dictionary: between two that are it is cut out again."""
    anchor = _ANCHORS.get(ord(segment[0]) >> 7, "")
    return cuts(anchor + segment + anchor) == (len(anchor), len(anchor) + len(segment))


def _continues(char: str) -> bool:
    """Return whether a character goes on with the syllable before it."""
    return char != "" and (char in "ะาๅະາຽ" or unicodedata.category(char)[0] == "M")


def _whole(run: str) -> str:
    return _TAKEN_APART.sub(lambda pair: _PUT_TOGETHER[pair[0]], run)
