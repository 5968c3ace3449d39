"""Which of many texts hold a word as a whole word, as it is spelt or in another spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from slotbeam.arrays import Strings, bisected, running_totals
from slotbeam.kae.matcher import Matcher
from slotbeam.language.boundaries import JOINTS
from slotbeam.language.fold import PLAIN, Folding, joined_keys
from slotbeam.language.segments import is_spaceless
from slotbeam.types import BoolArray, IntArray

_BLOCK = 2**14
"""Texts that are searched at a time, some megabytes."""
_READ = 64
"""Texts that are read before others are searched for the spellings that were found in them."""
_SPELLINGS = 64
"""Spellings of a word that are searched for."""
_ASCII = [chr(byte) if byte < 128 else "a" for byte in range(256)]
_ENDS: BoolArray = np.array([not char.isalnum() for char in _ASCII])
"""(256,) which bytes are an ASCII character that surely ends a word of letters."""
_ENDS_NUMBER: BoolArray = np.array([not (char.isalnum() or char in f"{JOINTS}-/") for char in _ASCII])
"""(256,) the same of a number: none that may stand inside of one."""


class _Spellings:
    """Spellings of a word, as bytes to search for."""

    def __init__(self, spelt: Sequence[str]) -> None:
        self.spelt = spelt
        # The longest first: of two that begin alike, the other is a part of it.
        longest = sorted((one.encode() for one in spelt), key=len, reverse=True)
        self.needle = re.compile(b"|".join(map(re.escape, longest)))
        self._ends = [_ENDS_NUMBER if any(one[at].isdigit() for one in spelt) else _ENDS for at in (0, -1)]

    def judged(self, texts: Iterable[memoryview]) -> tuple[BoolArray, BoolArray]:
        """Return which of the `texts` (n) surely hold a spelling as a whole word, and which hold the bytes of one."""
        # Most words stand between spaces: these are judged together by the bytes beside them, and only where other
        # bytes are a text is decoded for the matcher.
        stored = list(map(bytes, texts))  # copies: thousands of views would be walked through by the garbage collector
        joined = b"\n".join([b"", *stored, b""])
        hits = np.array([hit.span() for hit in self.needle.finditer(joined)], np.int64).reshape(-1, 2)
        place = np.searchsorted(running_totals([len(text) + 1 for text in stored]), hits[:, 0], side="right") - 1
        bytes_ = np.frombuffer(joined, np.uint8)
        whole = self._ends[0][bytes_[hits[:, 0] - 1]] & self._ends[1][bytes_[hits[:, 1]]]
        sure, held = np.zeros((2, len(stored)), np.bool_)
        held[place] = sure[place[whole]] = True
        return sure, held


def rows_holding(
    word: str,
    texts: Strings,
    candidates: IntArray | None = None,
    folding: Folding = PLAIN,
    exact: bool = True,
) -> IntArray:
    """Return which texts hold `word` as a whole word (`language.boundaries`), (n,) int64, in any order.

    Args:
        word: canonical, not empty.
        texts: (N,) canonical.
        candidates: (m,) the texts to read; None reads all that hold its bytes.
        folding: of the texts' language.
        exact: as it is spelt; else in any spelling.
    """
    exact = exact or candidates is None or not folding.keys(word)
    spellings = _Spellings([word])
    if candidates is None:
        candidates = np.fromiter(rows_with(spellings.needle, texts), np.int64)
    matcher = Matcher([word], folding, [word] if exact else ())
    lookalike = None if exact or not is_spaceless(word) else _lookalike(word, folding)
    parts = [np.empty(0, np.int64)]
    for start in range(0, len(candidates), _BLOCK):
        waiting = candidates[start : start + _BLOCK].astype(np.int64)
        if lookalike is not None:
            waiting = waiting[lookalike.judged(texts.encoded(waiting))[1]]
        while len(waiting):
            sure, held = spellings.judged(texts.encoded(waiting))
            parts.append(waiting[sure])
            waiting = waiting[held & ~sure if exact else ~sure]
            known = spellings
            while len(waiting) and known is spellings:
                read, waiting = waiting[:_READ], waiting[_READ:]
                found = {
                    row: [text[begin:end] for begin, end, _ in matcher.find(text)] for row, text in _read(texts, read)
                }
                parts.append(np.array([row for row, own in found.items() if own], np.int64))
                if not exact:
                    spellings = _with(spellings, [one for own in found.values() for one in own], word, folding)
    return np.concatenate(parts)


def _read(texts: Strings, rows: IntArray) -> Iterator[tuple[int, str]]:
    return zip(rows.tolist(), texts.take(rows), strict=True)


def _with(spellings: _Spellings, found: Iterable[str], word: str, folding: Folding) -> _Spellings:
    """Return the spellings with those that were found: of letters alone, which are the word whatever is beside them."""
    keys = folding.keys(word)
    new = [
        one
        for one in dict.fromkeys(found)
        if one not in spellings.spelt
        and one.replace(" ", "").isalpha()
        and not is_spaceless(one)
        and any(key in joined_keys(folding.readings(one)[0]) for key in keys)
    ]
    room = _SPELLINGS - len(spellings.spelt)
    return _Spellings([*spellings.spelt, *new[:room]]) if new[:room] else spellings


def _lookalike(word: str, folding: Folding) -> _Spellings:
    """Return what a text that holds a word of a script without spaces has in it: of each reading its longest key."""
    readings = [[token.key for token in reading if is_spaceless(token.key)] for reading in folding.readings(word)]
    return _Spellings([max(keys, key=len) for keys in readings if keys])


def rows_with(needle: re.Pattern[bytes], texts: Strings) -> Iterator[int]:
    """Yield which texts hold the bytes, rising, after one pass over all."""
    blob = texts.blob.data  # mapped: searched without a copy
    hit = needle.search(blob)
    while hit:
        row = int(bisected(texts.offsets, hit.start(), "right")) - 1
        yield row
        # On with the next text: what begins in this one and ends in the next is in neither, which its reader sees.
        hit = needle.search(blob, int(texts.offsets[row + 1]))
