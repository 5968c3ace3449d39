"""Dictionary words in canonical text: Aho-Corasick, boundaries checked before the longest match is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ahocorasick_rs import AhoCorasick

from slotbeam.errors import InputError
from slotbeam.language.boundaries import Span, is_boundary

Occurrence = tuple[int, int, int]
"""(start, end, word index): character offsets into the text, end exclusive."""

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
