"""How likely a slip is that turns a word into another: of the finger, which hits a neighbour, or of the ear."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

_QWERTY = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_ROWS = {
    "fr": ("azertyuiop", "qsdfghjklm", "wxcvbn"),
    "de": ("qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    "cs": ("qwertzuiop", "asdfghjkl", "yxcvbnm"),
    "hu": ("qwertzuiop", "asdfghjkl", "yxcvbnm"),
}
"""Keyboards by language; QWERTY is that of the others."""
_OTHER_SCRIPTS = (
    ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
    ("ςερτυθιοπ", "ασδφγηξκλ", "ζχψωβνμ"),
)
"""Their letters are on no other keyboard, so every language has them."""
_SHIFTED = (0.0, 0.25, 0.75)
"""Where a row begins, in keys."""
_VOWELS = frozenset("aeiouyäöüаеиоуыэюяαειουηω")
_ALIKE = ("ckqs", "sz", "fv", "dt", "bp", "gjk", "mn", "iy", "lr", "vw", "бп", "дт", "гк", "зс", "вф", "шщ", "ηι", "οω")
"""Letters that sound alike somewhere."""

WHOLE, NEAR_KEY, ALIKE, VOWEL, SWAPPED, DOUBLED, SILENT = 1.0, 0.7, 0.7, 0.7, 0.7, 0.5, 0.8
"""Cost of a slip, in edits: of any kind; to a neighbouring key; to a letter that sounds alike; from vowel to vowel; of
two letters in the wrong order; of a letter doubled or halved; of a letter that may be silent, put in or left out."""
_SILENT = frozenset("ehe")
FIRST = 0.7
"""More for a first letter: people know how a word begins."""


class Slips:
    """Slips on the keyboard of a language; immutable."""

    def __init__(self, language: str) -> None:
        boards = (_ROWS.get(language, _QWERTY), *_OTHER_SCRIPTS)
        self._near = frozenset().union(*map(_neighbours, boards))
        self._alike = frozenset(pair for group in _ALIKE for pair in _pairs(group))

    def cost(self, typed: str, meant: str) -> float:
        """Return what it takes to have typed one plain word and meant another, in edits; 0 for the same word."""
        start = _shared(typed, meant)
        ends = _shared(typed[:start:-1], meant[:start:-1])
        # What stands before the first difference is looked at, too: a letter may have been doubled.
        before = max(start - 1, 0)
        first = FIRST if start == 0 and typed != meant else 0.0
        return first + self._least(typed[before : len(typed) - ends], meant[before : len(meant) - ends])

    def _least(self, typed: str, meant: str) -> float:
        """Return the least sum of costs (optimal string alignment)."""
        above: list[float] = []
        row = [0.0]
        for at, letter in enumerate(meant):
            row.append(row[-1] + self._lost(meant, at, letter))
        for i, hit in enumerate(typed):
            two_above, above = above, row
            row = [above[0] + self._lost(typed, i, hit)]
            for j, letter in enumerate(meant):
                least = min(
                    above[j] + self._changed(hit, letter),
                    above[j + 1] + self._lost(typed, i, hit),
                    row[j] + self._lost(meant, j, letter),
                )
                if i and j and hit == meant[j - 1] and letter == typed[i - 1] and hit != letter:
                    least = min(least, two_above[j - 1] + SWAPPED)
                row.append(least)
        return row[-1]

    def _changed(self, hit: str, letter: str) -> float:
        if hit == letter:
            return 0.0
        if (hit, letter) in self._near:
            return NEAR_KEY
        if (hit, letter) in self._alike:
            return ALIKE
        return VOWEL if hit in _VOWELS and letter in _VOWELS else WHOLE

    @staticmethod
    def _lost(word: str, at: int, letter: str) -> float:
        if at and word[at - 1] == letter:
            return DOUBLED
        return SILENT if letter in _SILENT else WHOLE


def _neighbours(rows: tuple[str, ...]) -> set[tuple[str, str]]:
    """Return the pairs of keys that touch, both ways."""
    places = [
        (key, at + shift, row)
        for row, (keys, shift) in enumerate(zip(rows, _SHIFTED, strict=True))
        for at, key in enumerate(keys)
    ]
    return {
        (one, other)
        for one, x, row in places
        for other, x_other, row_other in places
        if one != other and abs(row - row_other) <= 1 and abs(x - x_other) <= 1
    }


def _pairs(group: Iterable[str]) -> set[tuple[str, str]]:
    letters = list(group)
    return {(one, other) for one in letters for other in letters if one != other}


def _shared(a: str, b: str) -> int:
    """Return the length of the longest common beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
