"""Dictionary words in canonical text: Aho-Corasick, boundaries checked before the longest match is chosen."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from ahocorasick_rs import AhoCorasick

from slotbeam.errors import InputError

Span = tuple[int, int]
Occurrence = tuple[int, int, int]
"""(start, end, word index): character offsets into the text, end exclusive."""

# Scripts written without spaces (and Hangul, whose particles follow a noun without one): every edge is a boundary.
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
_FLAGS = range(0x1F1E6, 0x1F200)
_CJK_STARTS = [start for start, _ in _CJK_RANGES]


def is_cjk(char: str) -> bool:
    """Return whether `char` is of a script that writes no spaces between words."""
    code = ord(char)
    if code < 0x1100:
        return False
    return code < _CJK_RANGES[bisect_right(_CJK_STARTS, code) - 1][1]


def in_word(char: str) -> bool:
    """Return whether `char` is what words are made of: a letter, a digit or a combining mark."""
    return char.isalnum() or (not char.isascii() and unicodedata.category(char)[0] == "M")


def is_boundary(text: str, at: int) -> bool:
    """Return whether a word may start or end between `text[at - 1]` and `text[at]`.

    Letters, digits and combining marks hold together; everything else, `_` included, separates; CJK characters are
    boundaries on both sides. The point or comma inside a decimal number holds it together: "8 m" is not in "1.8 m".
    The two regional indicators of a flag hold together: the flag of Germany (D, E) is not in those of Andorra and Spain
    (A, D, E, S).
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    # Most characters are letters of ASCII: what can be told without a call is, for an item has hundreds of edges.
    if before.isalnum() or (before > "\x7f" and in_word(before)):
        if after.isalnum() or (after > "\x7f" and in_word(after)):
            return max(before, after) > "\x7f" and (is_cjk(before) or is_cjk(after))
        return not (after in ".," and at + 1 < len(text) and before.isdigit() and text[at + 1].isdigit())
    if ord(before) in _FLAGS and ord(after) in _FLAGS:
        start = at
        while start and ord(text[start - 1]) in _FLAGS:
            start -= 1
        return (at - start) % 2 == 0
    return not (before in ".," and at >= 2 and after.isdigit() and text[at - 2].isdigit())


_LETTER, _POINT, _DIGIT = 1, 2, 5
_IN_WORD, _IN_NUMBER = 1, _DIGIT | _POINT
_ASCII_KINDS = bytes(
    _DIGIT if 48 <= code < 58 else _LETTER if chr(code).isalpha() and code < 128 else _POINT * (chr(code) in ".,")
    for code in range(256)
)
"""What `is_boundary` asks of an ASCII character: bits that a pair of characters is judged by."""


class Matcher:
    """An automaton over `words`; immutable, safe to share between threads.

    Args:
        words: (N,) distinct, non-empty canonical texts; a match reports the index of its word here.
    """

    def __init__(self, words: Sequence[str]) -> None:
        if not all(words):
            raise InputError("a word of the matcher is empty; every word needs at least one character")
        # The library's own leftmost-longest would choose before boundaries are known: "usb c" in "usb cable" would hide
        # "usb".
        self._automaton = AhoCorasick(words) if len(words) else None

    def find_all(self, text: str) -> list[Occurrence]:
        """Return every boundary-valid occurrence, overlapping ones included, ordered by start, then longest first."""
        if self._automaton is None or not text:
            return []
        if text.isascii():
            return self._in_ascii(text)
        # Overlapping words share ends, so each place is judged once.
        edges: dict[int, bool] = {}
        occurrences: list[Occurrence] = []
        for word, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            for at in (start, end):
                if at not in edges:
                    edges[at] = is_boundary(text, at)
            if edges[start] and edges[end]:
                occurrences.append((start, end, word))
        occurrences.sort(key=lambda match: (match[0], -match[1], match[2]))
        return occurrences

    def _in_ascii(self, text: str) -> list[Occurrence]:
        """Return what `find_all` does, of ASCII text: an item has hundreds of edges, and a call for each takes long."""
        kinds = b"\0\0%b\0\0" % text.encode().translate(_ASCII_KINDS)
        occurrences: list[Occurrence] = []
        for word, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):  # type: ignore[union-attr]
            for at in (start + 2, end + 2):
                before, after = kinds[at - 1], kinds[at]
                if before & after & _IN_WORD:
                    break
                if before | after == _IN_NUMBER and (kinds[at + 1] if after == _POINT else kinds[at - 2]) == _DIGIT:
                    break
            else:
                occurrences.append((start, end, word))
        occurrences.sort(key=lambda match: (match[0], -match[1], match[2]))
        return occurrences

    def find(self, text: str, blocked: Iterable[Span] = ()) -> list[Occurrence]:
        """Return the leftmost-longest, non-overlapping ones among the boundary-valid occurrences.

        Args:
            text: canonical text.
            blocked: spans that no match may overlap; they are taken out before the longest match is chosen.
        """
        return leftmost_longest(self.find_all(text), blocked)


def leftmost_longest(occurrences: Iterable[Occurrence], blocked: Iterable[Span] = ()) -> list[Occurrence]:
    """Choose among matches that are ordered by start, then longest first."""
    # Left out before the choice: a longer match that reaches into a closed span must not hide a shorter one beside it.
    closed = tuple(blocked)
    chosen: list[Occurrence] = []
    reach = 0
    for match in occurrences:
        start, end, _ = match
        if start < reach or any(start < stop and begin < end for begin, stop in closed):
            continue
        chosen.append(match)
        reach = end
    return chosen
