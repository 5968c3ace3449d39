"""Unknown words of live queries, counted in bounded memory: Space-Saving with decay. Pure code; times are buckets.

A *bucket* is an hour, numbered from the epoch. Each word keeps its counts of the last `RECENT` buckets one by one and
what came before by hour of the day, in numbers that halve every `HALF_LIFE` buckets: its own past, which `bursts.py`
tests against. What one asker says again on the same day counts once.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from slotbeam.suggestions.sampling import Sample

FORMAT = 2
BUCKET_S = 3600
DAY = 24
RECENT = DAY
HALF_LIFE = 168
CAPACITY = 2000
PUBLISHED = 200
EXAMPLES = 3
EXAMPLE_LENGTH = 80
QUERIES_KEPT = 16
MAX_WORD = 64
MOST_ASKERS = 32
"""Of a word and day that are told apart; more count as often as they ask."""

_KEEP = 0.5 ** (1 / HALF_LIFE)


@dataclass(slots=True)
class Tally:
    """How often something was seen.

    Attributes:
        recent: bucket → count, of the last `RECENT` buckets.
        past: (24,) the decayed counts before them, by hour of the day (bucket modulo 24).
    """

    recent: dict[int, float] = field(default_factory=dict)
    past: list[float] = field(default_factory=lambda: [0.0] * DAY)

    def add(self, bucket: int) -> None:
        """Count one more in `bucket`."""
        self.recent[bucket] = self.recent.get(bucket, 0) + 1

    def advance(self, before: int, now: int) -> None:
        """Move from bucket `before` to `now`: the past decays, buckets that are no longer recent join it."""
        keep = _KEEP ** max(0, now - before)
        self.past = [count * keep for count in self.past]
        for bucket in [bucket for bucket in self.recent if bucket <= now - RECENT]:
            self.past[bucket % DAY] += self.recent.pop(bucket) * _KEEP ** (now - RECENT - bucket)

    def merge(self, other: Tally) -> None:
        """Add another replica's tally of the same bucket."""
        self.past = [one + two for one, two in zip(self.past, other.past, strict=True)]
        for bucket, count in other.recent.items():
            self.recent[bucket] = self.recent.get(bucket, 0) + count

    def since(self, bucket: int) -> float:
        """Return the count of `bucket` and later ones."""
        return sum(count for at, count in self.recent.items() if at >= bucket)

    def before(self, bucket: int) -> float:
        """Return the count of everything earlier than `bucket`."""
        return sum(self.past) + sum(count for at, count in self.recent.items() if at < bucket)

    def at_hours(self, first: int, last: int) -> float:
        """Return the count of earlier days at the hours of the buckets `first` to `last`, at most a day's."""
        return sum(self.past[bucket % DAY] for bucket in range(first, last + 1))


@dataclass(slots=True)
class TrendWord:
    """One word of the counter.

    Attributes:
        seen: since the word came in; never more than the truth.
        error: the weight inherited from the word it displaced; as much may have been seen before it came in.
        weight: what Space-Saving orders by, `error` included; never less than the (decayed) truth.
        today: who said it today, at most `MOST_ASKERS`.
        queries: CRC-32 of the first distinct queries that hold it, at most `QUERIES_KEPT`.
        examples: the first few of them, truncated.
    """

    seen: Tally = field(default_factory=Tally)
    error: float = 0.0
    weight: float = 0.0
    today: set[int] = field(default_factory=set)
    queries: set[int] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)

    def note(self, query: str) -> None:
        """Remember a query that holds the word."""
        if len(self.queries) < QUERIES_KEPT:
            mark = zlib.crc32(query.encode())
            if mark not in self.queries:
                self.queries.add(mark)
                if len(self.examples) < EXAMPLES:
                    self.examples.append(query[:EXAMPLE_LENGTH])

    def says_again(self, asker: int) -> bool:
        """Return whether `asker` has said the word today, and remember that it has."""
        again = asker in self.today
        if len(self.today) < MOST_ASKERS:
            self.today.add(asker)
        return again

    def advance(self, before: int, now: int) -> None:
        """Decay from bucket `before` to `now`; a new day has new askers."""
        if before // DAY != now // DAY:
            self.today.clear()
        self.seen.advance(before, now)
        keep = _KEEP ** max(0, now - before)
        self.error *= keep
        self.weight *= keep


class TrendCounter:
    """The `capacity` heaviest unknown words: with a total weight of N, each is off by N / capacity at most.

    Not thread-safe: one task drains what the requests leave (`suggestions/reporting.py`).
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.bucket = 0
        self.total = Tally()
        self.sample = Sample()
        self.entries: dict[str, TrendWord] = {}
        self._heap: list[tuple[float, str]] = []  # one lower bound of the weight for each entry

    def add(self, query: str, words: Iterable[str], bucket: int, asker: int | None = None) -> None:
        """Count a query and its unknown `words`, each once. A bucket that is over counts as the current one.

        Args:
            query: canonical.
            words: its unknown ones.
            bucket: of now.
            asker: who asks: a word counts once for each of them and day; None: nobody knows, and each query counts.
        """
        self.advance(bucket)
        self.total.add(self.bucket)
        self.sample.add(query, self.bucket)
        for word in dict.fromkeys(words):
            if len(word) > MAX_WORD:
                continue
            entry = self.entries.get(word) or self._admit(word)
            if asker is not None and entry.says_again(asker):
                continue
            entry.weight += 1
            entry.seen.add(self.bucket)
            entry.note(query)

    def advance(self, bucket: int) -> None:
        """Let time pass until `bucket`; everything decays alike, so the order stays."""
        if bucket <= self.bucket:
            return
        self.total.advance(self.bucket, bucket)
        self.sample.drop(bucket - RECENT)
        for entry in self.entries.values():
            entry.advance(self.bucket, bucket)
        self._heap = [(entry.weight, word) for word, entry in self.entries.items()]
        heapq.heapify(self._heap)
        self.bucket = bucket

    def document(self) -> dict[str, Any]:
        """Return what is published: totals, a sample of queries, the words most frequent of late; as JSON values."""
        top = heapq.nlargest(PUBLISHED, self.entries.items(), key=_recently)
        return {
            "format": FORMAT,
            "bucket": self.bucket,
            "total": _tally(self.total),
            "sample": [list(one) for one in self.sample.best()],
            "words": {
                word: {
                    **_tally(entry.seen),
                    "error": round(entry.error, 3),
                    "queries": sorted(entry.queries),
                    "examples": entry.examples,
                }
                for word, entry in top
            },
        }

    def _admit(self, word: str) -> TrendWord:
        entry = TrendWord()
        if len(self.entries) >= self.capacity:
            entry.error = entry.weight = self._displace()
        self.entries[word] = entry
        heapq.heappush(self._heap, (entry.weight, word))
        return entry

    def _displace(self) -> float:
        """Remove the lightest word; returns its weight."""
        while True:
            bound, word = self._heap[0]
            weight = self.entries[word].weight
            if bound < weight:
                heapq.heapreplace(self._heap, (weight, word))
                continue
            heapq.heappop(self._heap)
            del self.entries[word]
            return weight


def _tally(tally: Tally) -> dict[str, Any]:
    recent = {str(at): count for at, count in sorted(tally.recent.items())}
    return {"recent": recent, "past": [round(count, 3) for count in tally.past]}


def _recently(pair: tuple[str, TrendWord]) -> tuple[float, str]:
    return sum(pair[1].seen.recent.values()), pair[0]
