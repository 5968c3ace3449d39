"""The words of a catalog and of live items, as they are spelt: what spelling looks at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from slotbeam.arrays import Strings
from slotbeam.catalog.words import LONGEST, SHORTEST, Words, plain, spelt_words
from slotbeam.catalog.wordsbuilder import LEAST, pieces_of


@dataclass(frozen=True, slots=True, eq=False)
class WordsRun:
    """Words of some live items; their counts are as `Words` has them."""

    words: Words

    @classmethod
    def of(cls, texts: Strings) -> WordsRun:
        """Count the words of canonical texts, whose first lines are titles, which count twice."""
        counts: Counter[str] = Counter()
        for piece, times in Counter(pieces_of(texts)).items():
            for match in spelt_words(piece):
                counts[match[0]] += times
        return cls._of(counts)

    @classmethod
    def _of(cls, counts: Counter[str]) -> WordsRun:
        alike: dict[str, list[str]] = {}
        for word in counts:
            if SHORTEST <= len(plain(word)) <= LONGEST:
                alike.setdefault(plain(word), []).append(word)
        best = (min(same, key=lambda word: (-counts[word], word)) for same in alike.values())
        times = (sum(counts[word] for word in same) for same in alike.values())
        return cls(Words.of(zip(best, times, strict=True)))

    def __len__(self) -> int:
        return len(self.words)

    def joined(self, later: WordsRun) -> WordsRun:
        """Return both as one run."""
        counts: Counter[str] = Counter()
        for run in (self, later):
            counts.update(dict(zip(run.words.spelt, run.words.counts.tolist(), strict=True)))
        return self._of(counts)


@dataclass(frozen=True, slots=True, eq=False)
class LiveWords:
    """The words of an index and of what came after it; what went is still counted, until an index is built."""

    base: Words
    runs: tuple[WordsRun, ...]

    def __len__(self) -> int:
        return len(self.base) + sum(map(len, self.runs))

    def count(self, word: str) -> int:
        """Return how often a canonical word stands in the catalog, in any of its marks; -1 for one that is not kept."""
        held = self.base.count(word)
        more = sum(max(0, run.words.count(word)) for run in self.runs)
        return held if not more or (held < 1 and more < LEAST) else max(held, 0) + more

    def near(self, word: str, edits: int) -> list[tuple[str, int]]:
        """Return the words at most so many edits away, each with its count, in no order."""
        found = dict(self.base.near(word, edits))
        spelt = {plain(held): held for held in found}
        more: Counter[str] = Counter()
        for run in self.runs:
            for other, times in run.words.near(word, edits):
                more[spelt.setdefault(plain(other), other)] += times
        for other, times in more.items():
            if other in found or times >= LEAST:
                found[other] = found.get(other, 0) + times
        return list(found.items())
