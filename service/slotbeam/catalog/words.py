"""The words of a catalog as they are spelt, and which of them are few edits away from another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract_iter

from slotbeam.arrays import Strings, load_array, running_totals, save_array
from slotbeam.types import IntArray

SHORTEST, LONGEST = 3, 24
"""Letters of a word that is kept."""
ARRAYS = ("counts", "signatures", "starts")

# Alphabets, in which a word is a row of letters: Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic, Georgian.
_LETTER = r"[a-zªµºß-öø-ʯͰ-ϿЀ-ԯա-ֈא-תء-يٮ-ەა-ჿᴀ-ỿἀ-ῼ]"
_WORD = re.compile(rf"(?<![^\W_]){_LETTER}+(?![^\W_])")
_CHUNK = re.compile(r"\S+")
_DIGIT = re.compile(r"\d")


@lru_cache(2**16)
def plain(word: str) -> str:
    """Return a canonical word without the marks on its letters: what edits are counted in."""
    if word.isascii():
        return word
    marked = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in marked if unicodedata.category(c) != "Mn")) or word


def spelt_words(canonical: str) -> Iterator[re.Match[str]]:
    """Yield the words of a canonical text that have a spelling: letters of an alphabet alone, in no code.

    What stands in one piece with a digit is a code (`wh-1000xm5`): it is typed as it is meant.
    """
    if not _DIGIT.search(canonical):
        yield from _WORD.finditer(canonical)
        return
    for chunk in _CHUNK.finditer(canonical):
        if not _DIGIT.search(chunk[0]):
            yield from _WORD.finditer(canonical, chunk.start(), chunk.end())


@lru_cache(2**16)
def signature(word: str) -> int:
    """Return the letters of a plain word as 64 bits: which it holds, and which of them twice.

    An edit sets one bit at most, and clears one at most. The letters of one alphabet have bits of their own.
    """
    once = twice = 0
    for char in word:
        bit = 1 << (ord(char) & 31)
        twice |= once & bit
        once |= bit
    return once | twice << 32


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """W words, by number of letters, then sorted. Of those that differ in marks alone the most frequent stands for all.

    Attributes:
        spelt: (W,) canonical.
        counts: (W,) uint32, how often each stands in the catalog, twice where in a title; 0 for a word of the
            dictionary that does not stand there.
        signatures: (W,) uint64, of the plain words.
        starts: (LONGEST + 2,) int64, words of n letters are `starts[n]:starts[n + 1]`.
    """

    spelt: Strings
    counts: IntArray
    signatures: IntArray
    starts: IntArray

    def __len__(self) -> int:
        return len(self.spelt)

    def count(self, word: str) -> int:
        """Return how often a canonical word stands in the catalog, in any of its marks; -1 for one that is not kept."""
        key = plain(word)
        if not SHORTEST <= len(key) <= LONGEST:
            return -1
        low, high = self.starts[len(key) : len(key) + 2].tolist()
        while low < high:
            middle = (low + high) // 2
            held = plain(self.spelt[middle])
            if held == key:
                return int(self.counts[middle])
            low, high = (middle + 1, high) if held < key else (low, middle)
        return -1

    def near(self, word: str, edits: int) -> list[tuple[str, int]]:
        """Return the words at most so many edits away, each with its count, in no order.

        An edit puts a letter in, leaves one out, changes one, or swaps two neighbours.
        """
        key = plain(word)
        first, last = max(len(key) - edits, 0), min(len(key) + edits, LONGEST)
        if last < first:
            return []
        start, stop = int(self.starts[first]), int(self.starts[last + 1])
        held, wanted = self.signatures[start:stop], np.uint64(signature(key))
        apart = held ^ wanted
        may_be = np.flatnonzero(np.bitwise_count(apart) <= 2 * edits)
        if edits:
            apart = apart[may_be]
            lacking = np.bitwise_count(apart & wanted)
            may_be = may_be[(lacking <= edits) & (np.bitwise_count(apart) - lacking <= edits)]
        words = self.spelt.take(may_be + start)
        counts = self.counts[may_be + start].tolist()
        found = extract_iter(key, map(plain, words), scorer=OSA.distance, processor=None, score_cutoff=edits)
        return [(words[place], counts[place]) for _, _, place in found]

    @classmethod
    def of(cls, counted: Iterable[tuple[str, int]]) -> Words:
        """Keep these words, no two of which are alike but for marks, each with its count."""
        rows = sorted((len(plain(word)), plain(word), word, count) for word, count in counted)
        lengths, _, words, counts = zip(*rows, strict=True) if rows else ((),) * 4
        spelt = Strings.of(words)
        return cls(
            spelt=Strings(spelt.blob, spelt.offsets.astype(np.uint32)),
            counts=np.array(counts, np.uint32),
            signatures=np.array([signature(plain(word)) for word in words], np.uint64),
            starts=running_totals(np.bincount(np.array(lengths, np.int64), minlength=LONGEST + 1)),
        )

    def save(self, directory: Path) -> None:
        """Write `words`, their offsets, and an array each."""
        self.spelt.save(directory, "words")
        for name in ARRAYS:
            save_array(directory / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, directory: Path) -> Words:
        """Map what `save` wrote; of an index that has no words: none."""
        if not directory.is_dir():
            return NO_WORDS
        return cls(Strings.load(directory, "words"), *(load_array(directory / f"{name}.npy") for name in ARRAYS))


NO_WORDS = Words.of(())
