"""What can be said of a word without knowing what it is: what it looks like, and what stands beside it. Pure code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from slotbeam.language.boundaries import is_cjk

SHAPES = ("digits", "mixed", "cjk", "many", "short", "long")
"""What `shape` may return."""

_TOKEN = re.compile(r"[^\W_]+")
_END = re.compile(r"[.!?;:\n|]")


class KnownWord(NamedTuple):
    """A known word in a line: where it begins and ends, its category, and its concept's number."""

    start: int
    end: int
    category: str
    concept: int


class Neighbours(NamedTuple):
    """What stands left and right of a word (see `neighbours_of`)."""

    left: str
    right: str


def shape(word: str) -> str:
    """Return what a canonical word looks like: digits, digits and letters, CJK, several words, short or long."""
    if any(character.isdigit() for character in word):
        return "mixed" if any(character.isalpha() for character in word) else "digits"
    if any(is_cjk(character) for character in word):
        return "cjk"
    if " " in word:
        return "many"
    return "short" if len(word) < 5 else "long"


def neighbours_of(line: str, start: int, end: int, known: Sequence[KnownWord]) -> Neighbours:
    """Return what is beside a word: a known word's category, the word there, or `^` and `$`, a sentence's two ends."""
    before = [word for word in known if word.end <= start]
    after = [word for word in known if word.start >= end]
    left = line[before[-1].end if before else 0 : start].strip()
    right = line[end : after[0].start if after else len(line)].strip()
    return Neighbours(
        "^" if _END.search(left[-1:]) else (_TOKEN.findall(left) or [before[-1].category if before else "^"])[-1],
        "$" if _END.match(right) else (_TOKEN.findall(right) or [after[0].category if after else "$"])[0],
    )
