"""Counts the words of a catalog of any size: what does not fit is written to sorted files, which are merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import merge, nlargest
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from slotbeam.arrays import Strings
from slotbeam.catalog.words import LONGEST, SHORTEST, Words, plain, spelt_words

KEPT = 500_000
"""Words, the most frequent."""
HELD = 2**20
"""Distinct pieces between spaces that are counted at a time."""
LEAST = 2
"""Times that a word stands in the catalog: what is there once may be a slip itself. A title counts twice."""


class _Counted(NamedTuple):
    """A word and how often it was counted; sorted, those stand together that differ in marks alone."""

    plain: str
    word: str
    times: int


class WordCounts:
    """Counts words.

    Args:
        directory: `words/` of an index.
        known: canonical texts whose words are kept however often they stand in the catalog.
        held: see `HELD`.
    """

    def __init__(self, directory: Path, known: Iterable[str] = (), held: int = HELD) -> None:
        self._directory, self._held = directory, held
        known = {word for text in known for word in _kept_words(text)}
        self._known = frozenset(map(plain, known))
        self._pieces = Counter(dict.fromkeys(known, 0))
        self._files: list[Path] = []

    def add(self, texts: Strings) -> None:
        """Count the words of canonical texts of items, whose first lines are their titles."""
        self._pieces.update(pieces_of(texts))
        if len(self._pieces) > self._held:
            self._spill()

    def finish(self) -> None:
        """Write the words."""
        rows = merge(*map(_read, self._files), self._counted())
        spelt = (_one_spelling(list(same)) for _, same in groupby(rows, key=lambda row: row.plain))
        kept = (row for row in spelt if row.times >= LEAST or row.plain in self._known)
        Words.of((row.word, row.times) for row in nlargest(KEPT, kept, key=lambda row: row.times)).save(self._directory)
        for path in self._files:
            path.unlink()

    def _counted(self) -> list[_Counted]:
        """Return the words of the pieces, sorted."""
        counts: Counter[str] = Counter()
        for piece, count in self._pieces.items():
            for word in _kept_words(piece):
                counts[word] += count
        return sorted(_Counted(plain(word), word, count) for word, count in counts.items())

    def _spill(self) -> None:
        path = self._directory.with_name(f"{self._directory.name}.{len(self._files)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._files.append(path)
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{word} {count}\n" for _, word, count in self._counted())
        self._pieces.clear()


def pieces_of(texts: Strings) -> list[str]:
    """Return what stands between spaces in canonical texts of items, twice in their first lines, which are titles."""
    lines = texts.take(range(len(texts)))
    return [*"\n".join(lines).split(), *" ".join(text.partition("\n")[0] for text in lines).split()]


def _kept_words(text: str) -> list[str]:
    return [match[0] for match in spelt_words(text) if SHORTEST <= len(plain(match[0])) <= LONGEST]


def _read(path: Path) -> Iterator[_Counted]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            word, _, count = line.partition(" ")
            yield _Counted(plain(word), word, int(count))


def _one_spelling(rows: list[_Counted]) -> _Counted:
    """Return the most frequent of some spellings, with the count of all."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.word] += row.times
    word = min(counts, key=lambda word: (-counts[word], word))
    return _Counted(rows[0].plain, word, counts.total())
