"""Which of many texts hold a word as a whole word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from slotbeam.arrays import Strings, bisected, running_totals
from slotbeam.kae.matcher import Matcher
from slotbeam.language.boundaries import JOINTS
from slotbeam.language.fold import PLAIN, Folding
from slotbeam.types import BoolArray, IntArray

_BLOCK = 2**14
"""Texts that are searched at a time, some megabytes."""
_PLAIN: BoolArray = np.array(
    [byte < 128 and not (chr(byte).isalnum() or chr(byte) in JOINTS + "-/") for byte in range(256)]
)
"""(256,) which bytes are an ASCII character that surely ends a word: no letter, no digit, nothing that joins digits."""


def rows_holding(word: str, texts: Strings, candidates: IntArray | None = None, folding: Folding = PLAIN) -> IntArray:
    """Return which texts hold `word` as a whole word (`language.boundaries`), as it is spelt, (n,) int64, in any order.

    Args:
        word: canonical, not empty.
        texts: (N,) canonical.
        candidates: (m,) the texts to read; None reads all.
        folding: of the texts' language.
    """
    matcher, needle = Matcher([word], folding, [word]), re.compile(re.escape(word.encode()))
    if candidates is None:
        candidates = np.fromiter(rows_with(needle, texts), np.int64)
    parts = [np.empty(0, np.int64)]
    for start in range(0, len(candidates), _BLOCK):
        block = candidates[start : start + _BLOCK].astype(np.int64)
        sure, unsure = _judged(needle, len(word.encode()), texts.encoded(block))
        parts.append(block[sure])
        parts.append(np.array([row for row in block[unsure].tolist() if matcher.find(texts[row])], np.int64))
    return np.concatenate(parts)


def _judged(needle: re.Pattern[bytes], length: int, texts: Iterable[memoryview]) -> tuple[IntArray, IntArray]:
    """Return the places of the texts that hold the word, and of those that hold its bytes and may hold it."""
    # Most words stand between spaces: these are judged together by the bytes beside them, and only where other bytes
    # are a text is decoded for the matcher.
    stored = list(map(bytes, texts))  # copies: thousands of views would be walked through by the garbage collector
    joined = b"\n".join([b"", *stored, b""])
    hits = np.fromiter((hit.start() for hit in needle.finditer(joined)), np.int64)
    place = np.searchsorted(running_totals([len(text) + 1 for text in stored]), hits, side="right") - 1
    bytes_ = np.frombuffer(joined, np.uint8)
    plain = _PLAIN[bytes_[hits - 1]] & _PLAIN[bytes_[hits + length]]
    hit, sure = np.zeros((2, len(stored)), np.bool_)
    hit[place] = sure[place[plain]] = True
    return np.flatnonzero(sure), np.flatnonzero(hit & ~sure)


def rows_with(needle: re.Pattern[bytes], texts: Strings) -> Iterator[int]:
    """Yield which texts hold the bytes, rising, after one pass over all."""
    blob = texts.blob.data  # mapped: searched without a copy
    hit = needle.search(blob)
    while hit:
        row = int(bisected(texts.offsets, hit.start(), "right")) - 1
        yield row
        # On with the next text: what begins in this one and ends in the next is in neither, which its reader sees.
        hit = needle.search(blob, int(texts.offsets[row + 1]))
