"""What a canonical text is made of: words, numbers, signs that mean something, runs of scripts without spaces."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import NamedTuple

from slotbeam.language.segments import SPACELESS, pieces

WORD, NUMBER, SIGN, SEGMENT, MEASURE = range(5)
"""Kinds of pieces; a measure is a number with its unit."""

_SPACELESS = re.compile(f"[{SPACELESS}]")
_MARKS = "".join(
    char
    for char in map(chr, range(0x300, 0x3100))
    if unicodedata.category(char)[0] == "M" and not _SPACELESS.match(char)
)
_PIECE = re.compile(
    rf"((?:[^\W\d_{SPACELESS}]|[{_MARKS}])+)|(\d+(?:[.,:']\d+)*)|([+#%&°$€£]|(?<=\d)[\"'])|([{SPACELESS}]+)"
)


class Piece(NamedTuple):
    """A stretch of a text that is of one kind.

    `places` are the offsets of the characters of a word that hyphens or spaces took apart; None where it is whole.
    """

    text: str
    start: int
    end: int
    kind: int
    places: tuple[int, ...] | None = None


def scan(text: str) -> list[Piece]:
    """Return the pieces of a canonical text, in order. Letters and digits are apart: `wh1000xm5` has four pieces."""
    found: list[Piece] = []
    for match in _PIECE.finditer(text):
        kind = (match.lastindex or 1) - 1
        if kind == SEGMENT:
            found += [Piece(text[start:end], start, end, kind) for start, end in pieces(text, *match.span())]
        else:
            found.append(Piece(match[0], *match.span(), kind))
    return found


_DIGIT = re.compile(r"\d")
_CODE = re.compile(r"[^\W_]+(?:[-./][^\W_]+)*")
_MEASURED = re.compile(r"\d+(?:[.,]\d+)*[^\W\d_]{1,4}")
_LEAST_CODE, _LONGEST_CODE = 3, 32


def codes(text: str) -> list[str]:
    """Return the model numbers and other codes of a canonical text, in order: `wh-1000xm5` is `wh1000xm5`.

    A code mixes letters and digits; a number with its unit is none. Its pieces are terms, too; the whole tells it from
    every other code that shares them.
    """
    found = []
    for match in _CODE.finditer(text) if _DIGIT.search(text) else ():
        code = "".join(filter(str.isalnum, match[0]))
        mixed = any(map(str.isalpha, code)) and any(map(str.isdigit, code))
        if mixed and _LEAST_CODE <= len(code) <= _LONGEST_CODE and not _MEASURED.fullmatch(match[0]):
            found.append(code)
    return found


_LEAST_NAME = 3
"""Letters that a number may follow without a space; shorter ones are of a code (`xm5`)."""
_NUMBERED = re.compile(r"\d+(?![^\W_])")


def name_of_series(text: str, piece: Piece) -> tuple[int, int]:
    """Return where a piece stands; the name in `iphone15` reaches as far as its number: it is an `iphone`."""
    start, end = piece.start, piece.end
    if piece.kind == WORD and end - start >= _LEAST_NAME:
        opens, closes = not text[start - 1 : start].isalnum(), not text[end : end + 1].isalnum()
        if opens and not closes and (number := _NUMBERED.match(text, end)):
            end = number.end()
        elif closes and not opens:
            first = start
            while first and text[first - 1].isdigit():
                first -= 1
            start = start if first and text[first - 1].isalnum() else first
    return start, end


_OF_ONE_LETTER = (
    "en:ai es:aeouy fr:ayà it:aeio pt:aeo ca:aio sv:i da:i no:i nb:i pl:aiouwz cs:aikosuvz sk:aikosuvz ru:авикосуя "
    "uk:авзійоу bg:ависо hu:as ro:ao tr:o el:οη hr:aiouksz sr:аиоукс vi:aiouy"
)
"""Words of one letter: they are joined to nothing."""


class Joiner:
    """Puts words together that hyphens took apart, and single letters with what they belong to: `t shirt`, `u.s.a.`.

    Args:
        language: whose words of one letter stay alone.
    """

    def __init__(self, language: str) -> None:
        self._words = frozenset(dict(own.split(":") for own in _OF_ONE_LETTER.split()).get(language, ""))

    def join(self, text: str, found: list[Piece]) -> list[Piece]:
        """Return the pieces of `text` with words joined; `found` itself where there is nothing to join."""
        if "-" not in text and not any(len(piece.text) == 1 for piece in found):
            return found
        joined = found[:1]
        for one, other in pairwise(found):
            if one.kind == other.kind == WORD and self._belongs(text, one, other):
                joined[-1] = _together(joined[-1], other)
            else:
                joined.append(other)
        return joined if len(joined) < len(found) else found

    def _belongs(self, text: str, one: Piece, other: Piece) -> bool:
        gap = text[one.end : other.start]
        if gap == "-":
            return True
        if len(one.text) > 1 or text[one.start - 1 : one.start].isalnum():
            return False
        if gap == " ":
            return one.text not in self._words
        return gap in (".", ". ") and len(other.text) == 1


def _together(one: Piece, other: Piece) -> Piece:
    places = (*(one.places or range(one.start, one.end)), *range(other.start, other.end))
    return Piece(one.text + other.text, one.start, other.end, WORD, places)
