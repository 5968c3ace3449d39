"""A sample of the queries of the last day, in bounded memory. Pure code; times are buckets (`trends.py`).

Every query draws a random key; the queries with the smallest keys are the sample. So the samples of any number of
replicas add up to one of all their traffic: the smallest keys of all.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable
from typing import Any, NamedTuple

from slotbeam.search.request import MAX_QUERY

SAMPLES = 200


class Sampled(NamedTuple):
    """One query: `key` is uniform in [0, 1)."""

    key: float
    bucket: int
    query: str


class Sample:
    """A uniform sample of the queries of the buckets that were not dropped, `size` of them at most.

    It keeps as many of each bucket, so that one can be dropped. Not thread-safe.
    """

    def __init__(self, size: int = SAMPLES, rng: random.Random | None = None) -> None:
        self.size = size
        self._rng = rng or random.Random()
        self._kept: dict[int, list[tuple[float, str]]] = {}  # heaps by -key: the largest key first

    def add(self, query: str, bucket: int) -> None:
        """Let one more query in, or not."""
        heap, draw = self._kept.setdefault(bucket, []), self._rng.random()
        if len(heap) < self.size:
            heapq.heappush(heap, (-draw, query))
        elif draw < -heap[0][0]:
            heapq.heapreplace(heap, (-draw, query))

    def drop(self, bucket: int) -> None:
        """Forget `bucket` and those before it."""
        self._kept = {at: heap for at, heap in self._kept.items() if at > bucket}

    def best(self) -> list[Sampled]:
        """Return the sample, by key."""
        return smallest((Sampled(-draw, at, text) for at, heap in self._kept.items() for draw, text in heap), self.size)


def smallest(sampled: Iterable[Sampled], size: int = SAMPLES) -> list[Sampled]:
    """Return the sample of all traffic from samples of its parts, each at least this large or whole."""
    return heapq.nsmallest(size, sampled)


def read_sampled(value: Any) -> list[Sampled]:
    """Read what `Sample.best` became as JSON. Raises `TypeError`, `ValueError`."""
    sampled = [Sampled(float(draw), int(bucket), str(query)) for draw, bucket, query in value[:SAMPLES]]
    if not all(0 <= one.key < 1 and 0 < len(one.query) <= MAX_QUERY for one in sampled):
        raise ValueError("a sampled query is not one")
    return sampled
