"""Slips in queries, of two kinds: of the finger, letter by letter, and of people who write what they hear."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from random import Random

_BOARDS = {
    "fr": ("azertyuiop", "qsdfghjklm", "wxcvbn"),
    "de": ("qwertzuiop", "asdfghjkl", "yxcvbnm"),
    "ru": ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
}
_QWERTY = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_ALPHABETS = {"ru": "абвгдежзийклмнопрстуфхцчшщъыьэюя"}
_LATIN = (
    "ph>f f>ph ck>k k>c c>k c>s s>c qu>k x>ks z>s s>z ie>ei ei>ie y>i i>y ou>u oo>u ee>ea ea>ee ai>ay sh>sch th>t t>th "
    "h> au>o eau>o er>or or>er er>re ance>ence tion>sion v>w w>v dt>t ä>e gn>ni j>g g>j"
)
_CYRILLIC = "о>а а>о е>и и>е ц>тс ь> щ>ш ы>и"
_HEARD = tuple(pair.split(">") for pair in f"{_LATIN} {_CYRILLIC}".split(" "))
"""What is heard, and what is written."""
_VOWELS, _DOUBLED = ("aeiou", "аеиоуы"), "bcdfglmnprstкнлпрст"
_LETTERS = re.compile(r"[^\W\d_]+")
LEAST = 4
"""Letters of a word that a slip is made in."""

Slip = Callable[[str, Random, str], str]
"""(word, draws, language) → the word with a slip, or as it was."""


def finger(word: str, draws: Random, language: str) -> str:
    """Leave a letter out, put one in, hit another, or swap two; a long word may suffer twice."""
    for _ in range(2 if len(word) >= 8 and draws.random() < 0.2 else 1):
        at, kind = draws.randrange(len(word)), draws.randrange(4)
        if kind == 0:
            word = word[:at] + word[at + 1 :]
        elif kind == 1:
            word = word[:at] + _hit(word[at], draws, language) + word[at:]
        elif kind == 2:
            word = word[:at] + _hit(word[at], draws, language) + word[at + 1 :]
        else:
            at = draws.randrange(len(word) - 1)
            word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word


def ear(word: str, draws: Random, language: str) -> str:
    """Write a sound another way, double a letter or halve two, take another vowel, or part a word by a space."""
    kind = draws.random()
    if kind < 0.35:
        places = [(m.start(), a, b) for a, b in _HEARD for m in re.finditer(a, word)]
        if places:
            at, heard, written = draws.choice(places)
            return word[:at] + written + word[at + len(heard) :]
    elif kind < 0.6:
        twice = [at for at in range(len(word) - 1) if word[at] == word[at + 1]]
        once = [at for at in range(1, len(word) - 1) if word[at] in _DOUBLED]
        if twice and draws.random() < 0.7:
            at = draws.choice(twice)
            return word[:at] + word[at + 1 :]
        if once:
            at = draws.choice(once)
            return word[:at] + word[at] + word[at:]
    elif kind < 0.8:
        vowels = _VOWELS[language == "ru"]
        places_of = [at for at in range(1, len(word)) if word[at] in vowels]
        if places_of:
            at = draws.choice(places_of)
            return word[:at] + draws.choice([v for v in vowels if v != word[at]]) + word[at + 1 :]
    elif len(word) >= 7:
        at = draws.randrange(3, len(word) - 2)
        return f"{word[:at]} {word[at:]}"
    return word


KINDS: dict[str, Slip] = {"finger": finger, "ear": ear}


def misspelt(query: str, kind: str, draws: Random, language: str) -> str | None:
    """Return a canonical query with a slip in one of its words; None where no word is long enough.

    One slip in eight of the ear leaves a space out. Words in one piece with a digit are left alone.
    """
    words = [m for m in _LETTERS.finditer(query) if len(m[0]) >= LEAST and not _in_code(query, m)]
    if not words:
        return None
    beside = [(a, b) for a, b in pairwise(words) if query[a.end() : b.start()] == " "]
    if kind == "ear" and beside and draws.random() < 0.125:
        left, right = draws.choice(beside)
        return query[: left.end()] + query[right.start() :]
    word = draws.choice(words)
    for _ in range(10):
        slip = KINDS[kind](word[0], draws, language)
        if slip != word[0]:
            return query[: word.start()] + slip + query[word.end() :]
    return None


def _hit(letter: str, draws: Random, language: str) -> str:
    """Return a key beside a letter's, or any letter."""
    rows = _BOARDS.get(language, _QWERTY)
    near = [
        key
        for row, keys in enumerate(rows)
        for at in [keys.find(letter)]
        if at >= 0
        for other in rows[max(0, row - 1) : row + 2]
        for key in other[max(0, at - 1) : at + 2]
        if key != letter
    ]
    return draws.choice(
        near if near and draws.random() < 0.6 else _ALPHABETS.get(language, "abcdefghijklmnopqrstuvwxyz")
    )


def _in_code(query: str, word: re.Match[str]) -> bool:
    start = query.rfind(" ", 0, word.start()) + 1
    return any(map(str.isdigit, query[start : (query.find(" ", word.end()) + len(query) + 1) % (len(query) + 1)]))
