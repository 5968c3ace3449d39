"""Words in canonical text: Aho-Corasick, boundaries checked before the longest match is chosen.

Words are found as they are spelt and, with a folding, in their other spellings, too. The exact spelling goes first.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
from itertools import accumulate

from ahocorasick_rs import AhoCorasick

from slotbeam.errors import InputError
from slotbeam.language.boundaries import JOINTS, Boundaries, Span
from slotbeam.language.fold import PLAIN, Folding, joined_keys
from slotbeam.language.numbers import FRACTION, MAY_BE_FRACTION

Occurrence = tuple[int, int, int]
"""(start, end, word index): character offsets into the text, end exclusive."""

_LETTER, _JOINT, _DIGIT, _SLASH = 1, 2, 5, 8
_IN_WORD, _IN_NUMBER = _LETTER | _SLASH, _DIGIT | _JOINT
_ASCII_KINDS = bytes(
    _DIGIT if 48 <= code < 58 else _LETTER if chr(code).isalpha() and code < 128 else _JOINT * (chr(code) in JOINTS)
    for code in range(256)
)
"""What `Boundaries` asks of an ASCII character: bits that a pair of characters is judged by."""


def _leftmost_longest(match: Occurrence) -> Span:
    return match[0], -match[1]


class Matcher:
    """An automaton over `words`; immutable, safe to share between threads.

    Args:
        words: (N,) distinct, non-empty canonical texts; a match reports the index of its word here. Where several are
            one word but for their spelling, and a text has another one, the first of them is found.
        folding: which spellings are one word; None finds words as they are spelt.
        exact: words that are found as they are spelt only.
        order: the numbers of the words, where another one than theirs says which is the first of them.
    """

    def __init__(
        self,
        words: Sequence[str],
        folding: Folding | None = None,
        exact: Collection[str] = (),
        order: Iterable[int] | None = None,
    ) -> None:
        if not all(words):
            raise InputError("a word of the matcher is empty; every word needs at least one character")
        self._language = (folding or PLAIN).language
        # The library's own leftmost-longest would choose before boundaries are known: "usb c" in "usb cable" would hide
        # "usb".
        self._automaton = AhoCorasick(words) if len(words) else None
        self._folded = Folded(words, folding, exact, order) if folding is not None and len(words) else None

    def find_all(self, text: str) -> list[Occurrence]:
        """Return every boundary-valid occurrence, overlapping ones included, ordered by start, then longest first."""
        if self._automaton is None or not text:
            return []
        bounds = Boundaries(text, self._language)
        spelt = self._in_ascii(text) if text.isascii() else self._in_any(text, bounds)
        if self._folded is None:
            return spelt
        # A span that is spelt as a word is in no other spelling.
        more = self._folded.find_all(text, bounds, {(start, end) for start, end, _ in spelt})
        return sorted([*spelt, *more], key=_leftmost_longest) if more else spelt

    def _in_any(self, text: str, bounds: Boundaries) -> list[Occurrence]:
        """Return what is spelt as the words are."""
        occurrences: list[Occurrence] = []
        for word, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):  # type: ignore[union-attr]
            if bounds.hold_spelt(start, end):
                occurrences.append((start, end, word))
        occurrences.sort(key=_leftmost_longest)
        return occurrences

    def _in_ascii(self, text: str) -> list[Occurrence]:
        """Return what `_in_any` does, of ASCII text: an item has hundreds of edges, and a call for each takes long."""
        kinds = _kinds(text)
        occurrences: list[Occurrence] = []
        for word, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):  # type: ignore[union-attr]
            for at in (start + 2, end + 2):
                before, after = kinds[at - 1], kinds[at]
                if before & after & _IN_WORD:
                    break
                if (before | after) & _IN_NUMBER == _IN_NUMBER:
                    beyond = kinds[at + 1] if after == _JOINT else kinds[at - 2]
                    if beyond & _DIGIT == _DIGIT:
                        break
            else:
                occurrences.append((start, end, word))
        occurrences.sort(key=_leftmost_longest)
        return occurrences

    def find(self, text: str, blocked: Iterable[Span] = ()) -> list[Occurrence]:
        """Return the leftmost-longest, non-overlapping ones among the boundary-valid occurrences.

        Args:
            text: canonical text.
            blocked: spans that no match may overlap; they are taken out before the longest match is chosen.
        """
        return leftmost_longest(self.find_all(text), blocked)


class Folded:
    """An automaton over the keys of words: it finds their other spellings. Arguments as for `Matcher`."""

    def __init__(
        self, words: Sequence[str], folding: Folding, exact: Collection[str] = (), order: Iterable[int] | None = None
    ) -> None:
        self._folding = folding
        self._words: dict[str, int] = {}
        for number in range(len(words)) if order is None else order:
            if words[number] not in exact:
                for key in folding.keys(words[number]):
                    self._words.setdefault(key, number)
        self._numbers = list(self._words.values())
        self._automaton = AhoCorasick(list(self._words)) if self._words else None

    def find_all(self, text: str, bounds: Boundaries, spelt: Container[Span] = ()) -> list[Occurrence]:
        """Return every boundary-valid occurrence in any spelling; of those of a span, what says most of it first.

        Args:
            text: canonical text.
            bounds: of it.
            spelt: spans that are left out.
        """
        found: dict[Occurrence, int] = {}
        if self._automaton is None:
            return []
        for reading in self._folding.readings(text):
            keys = joined_keys(reading)
            ends = list(accumulate(len(token.key) + 2 for token in reading))
            begins = dict(zip([0, *ends], [token.start for token in reading], strict=False))
            stops = dict(zip(ends, [token.end for token in reading], strict=True))
            for number, start, end in self._automaton.find_matches_as_indexes(keys, overlapping=True):
                span = begins[start], stops[end]
                if span not in spelt:
                    found.setdefault((*span, self._numbers[number]), start - end)
        valid = [one for one in found if bounds.hold(one[0], one[1])]
        return sorted(valid, key=lambda one: (found[one], one[2])) if len(valid) > 1 else valid


def _kinds(text: str) -> bytes | bytearray:
    """Return the bits of each character of ASCII text, two blanks on either side."""
    kinds = b"\0\0%b\0\0" % text.encode().translate(_ASCII_KINDS)
    if "/" not in text or not MAY_BE_FRACTION.search(text):
        return kinds
    marked = bytearray(kinds)
    for found in FRACTION.finditer(text):
        slash = text.index("/", found.start()) + 2
        marked[slash] |= _SLASH
        marked[slash + 1] |= _SLASH
        if found["whole"] is not None:
            marked[slash] |= _LETTER
            marked[found.end("whole") + 2] |= _LETTER
    return marked


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
