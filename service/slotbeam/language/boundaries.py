"""Where a word may begin and end: between letters and what is none, and between scripts without spaces."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right

from slotbeam.language.numbers import FRACTION, FRACTION_REACH
from slotbeam.language.segments import Span, explains, inner_edges, is_torn

__all__ = ["JOINTS", "Boundaries", "Span", "in_word", "is_cjk"]

_CJK_RANGES: tuple[Span, ...] = (
    (0x1100, 0x1200),  # Hangul Jamo
    (0x2E80, 0x2FE0),  # radicals
    (0x3005, 0x3008),  # iteration marks
    (0x3021, 0x302A),
    (0x3031, 0x3036),
    (0x3038, 0x303D),
    (0x3040, 0x3100),  # Hiragana, Katakana
    (0x3100, 0x3130),  # Bopomofo
    (0x3130, 0x3190),  # Hangul compatibility
    (0x31A0, 0x31C0),
    (0x31F0, 0x3200),
    (0x3400, 0x4DC0),  # Han extension A
    (0x4E00, 0xA000),  # Han
    (0xAC00, 0xD7B0),  # Hangul syllables
    (0xF900, 0xFB00),  # compatibility ideographs
    (0x20000, 0x323B0),  # Han extensions B..H
)
JOINTS = ".,:'"
"""What holds a number together between two digits: `1.8`, `1:5`, `5'10"`."""
_PARTED = re.compile(r"[\n|;!?]|, |\w{4}\. ")
"""What ends a part of a text, a list's element or a sentence: no word reaches across it in another spelling."""
_FLAGS = range(0x1F1E6, 0x1F200)
_CJK_STARTS = [start for start, _ in _CJK_RANGES]


def is_cjk(char: str) -> bool:
    """Return whether `char` is Chinese, Japanese or Korean."""
    code = ord(char)
    if code < 0x1100:
        return False
    return code < _CJK_RANGES[bisect_right(_CJK_STARTS, code) - 1][1]


def in_word(char: str) -> bool:
    """Return whether `char` is what words are made of: a letter, a digit or a combining mark."""
    return char.isalnum() or (not char.isascii() and unicodedata.category(char)[0] == "M")


class Boundaries:
    """Where words may begin and end in one text.

    Letters, digits and combining marks hold together; everything else, `_` included, separates. The two regional
    indicators of a flag hold together: the flag of Germany (D, E) is not in those of Andorra and Spain (A, D, E, S).
    What is of a script without spaces is apart from everything else, and inside of its runs `segments` decides. After a
    digit one syllable is a counter and no word ("3개", "3本").

    A size is not in another one: `JOINTS` hold a number together ("8 m" is not in "1.8 m"), as a mixed number does
    (neither "8" nor "1/2" is in "8-1/2"); the denominator of a fraction is no number (2" is not in 1/2"), but what
    comes before one may end in its numerator ("iphone 7" is in "iphone 7/8").

    Args:
        text: canonical.
        language: of the catalog (`fold.Folding`).
    """

    def __init__(self, text: str, language: str) -> None:
        self._text = text
        self._language = language
        self._inner: tuple[set[int], set[int]] | None = None
        self._begins: dict[int, bool] = {}
        self._ends: dict[int, bool] = {}

    def begins(self, at: int) -> bool:
        """Return whether a word may start at `text[at]`."""
        known = self._begins.get(at)
        if known is None:
            known = self._begins[at] = self._is_edge(at, 0)
        return known

    def ends(self, at: int) -> bool:
        """Return whether a word may end behind `text[at - 1]`."""
        known = self._ends.get(at)
        if known is None:
            known = self._ends[at] = self._is_edge(at, 1)
        return known

    def hold_spelt(self, start: int, end: int) -> bool:
        """Return whether a word that is spelt as `text[start:end]` is may stand there."""
        if self.begins(start) and self.ends(end):
            return True
        return self._text[start] > "\u0dff" and explains(self._text, start, end)

    def hold(self, start: int, end: int) -> bool:
        """Return whether a word in another spelling may stand at `text[start:end]`: with other signs between tokens."""
        if _PARTED.search(self._text, start, end):
            return False
        return self.begins(start) and self.ends(end) and not is_torn(self._text, start, end)

    def _is_edge(self, at: int, side: int) -> bool:
        text = self._text
        if at <= 0 or at >= len(text):
            return True
        before, after = text[at - 1], text[at]
        # Most characters are letters of ASCII: what can be told without a call is, for an item has hundreds of edges.
        if before.isalnum() or (before > "\x7f" and in_word(before)):
            if after.isalnum() or (after > "\x7f" and in_word(after)):
                return max(before, after) > "\x7f" and self._is_inner_edge(at, side)
            if not before.isdigit() or not text[at + 1 : at + 2].isdigit():
                return True
            return not (after in JOINTS or (after in "-/" and _in_fraction(text, at)))
        if ord(before) in _FLAGS and ord(after) in _FLAGS:
            start = at
            while start and ord(text[start - 1]) in _FLAGS:
                start -= 1
            return (at - start) % 2 == 0
        if at < 2 or not after.isdigit() or not text[at - 2].isdigit():
            return True
        return not (before in JOINTS or (before in "-/" and _in_fraction(text, at)))

    def _is_inner_edge(self, at: int, side: int) -> bool:
        """Return the same of a place between two characters of words."""
        if self._inner is None:
            self._inner = inner_edges(self._text, self._language)
        return at in self._inner[side] and unicodedata.category(self._text[at])[0] != "M"


def _in_fraction(text: str, at: int) -> bool:
    """Return whether a fraction holds `text[at - 1]` and `text[at]`, one of them its sign, together."""
    for found in FRACTION.finditer(text, max(0, at - FRACTION_REACH), at + FRACTION_REACH):
        if found.start() < at < found.end():
            return found["whole"] is not None or text[at] != "/"
    return False
