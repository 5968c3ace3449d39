"""Queries that got no items, counted in bounded memory; a text is told once so many askers asked it. Pure code.

An *asker* is 64 bits of a keyed hash, whose key is drawn anew every day and is nowhere but in this process: the same
caller is another asker tomorrow, and in another replica. So texts are told by each replica on its own evidence.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from slotbeam.search.request import MAX_QUERY

MIN_ASKERS = 5
"""Of one day and one replica, from which on a text is told."""
MOST_ASKERS = 32
"""That are told apart; more count as so many."""
CAPACITY = 2000
LISTED = 200
DAY_S = 86_400
KEPT_S = 7 * DAY_S
"""After which a query that is not asked again is forgotten."""


@dataclass(slots=True)
class UnansweredTally:
    """A query that got no items.

    Attributes:
        count: how often it was asked.
        askers: how many asked it on its busiest day; `MOST_ASKERS` of them are told apart.
        last_s: unix seconds, when it was asked last.
        today: the askers of the day.
    """

    count: int = 0
    askers: int = 0
    last_s: int = 0
    today: set[int] = field(default_factory=set)


class Askers:
    """Turns callers into askers. Calls from several threads are safe.

    Args:
        clock: unix seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key = (-1, b"")

    def asker(self, caller: str) -> int:
        """Return the asker of a caller, an address or a name: the same one until the day, in UTC, is over."""
        day = int(self._clock()) // DAY_S
        at, key = self._key
        if at != day:
            key = secrets.token_bytes(16)
            self._key = day, key  # at once: of two threads one wins, and an asker of a moment counts twice
        return int.from_bytes(blake2b(caller.encode(), digest_size=8, key=key).digest(), "little")


class UnansweredCounter:
    """The queries without items that were asked most, `capacity` of them. Not thread-safe."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.entries: dict[str, UnansweredTally] = {}
        self._day = 0

    def add(self, query: str, asker: int, now_s: int) -> None:
        """Count a canonical query that `asker` got no items for."""
        self.advance(now_s)
        entry = self.entries.setdefault(query, UnansweredTally())
        entry.count += 1
        entry.last_s = max(entry.last_s, now_s)
        if len(entry.today) < MOST_ASKERS:
            entry.today.add(asker)
        entry.askers = max(entry.askers, len(entry.today))
        if len(self.entries) > 2 * self.capacity:  # seldom, so that a query costs no search for the least
            best = heapq.nlargest(self.capacity, self.entries.items(), key=_weight)
            self.entries = dict(best)

    def advance(self, now_s: int) -> None:
        """Let time pass: a new day has new askers, and what was not asked for a week is forgotten."""
        if now_s // DAY_S != self._day:
            self._day = now_s // DAY_S
            self.entries = {text: one for text, one in self.entries.items() if one.last_s > now_s - KEPT_S}
            for entry in self.entries.values():
                entry.today.clear()

    def document(self) -> dict[str, Any]:
        """Return what is published, as JSON values: the texts that enough askers asked, how many others there are."""
        told = {text: one for text, one in self.entries.items() if one.askers >= MIN_ASKERS}
        top = heapq.nlargest(LISTED, told.items(), key=_weight)
        return {
            "queries": {text: [one.count, one.askers, one.last_s] for text, one in top},
            "withheld": len(self.entries) - len(told),
        }


def _weight(pair: tuple[str, UnansweredTally]) -> tuple[int, int, int, str]:
    text, one = pair
    return one.askers, one.count, one.last_s, text


def merge_unanswered(documents: Iterable[Any]) -> tuple[dict[str, UnansweredTally], int]:
    """Merge what replicas published of queries without items; see `merge_tallies`."""
    return merge_tallies(one.get("unanswered") for one in documents if isinstance(one, dict))


def merge_tallies(documents: Iterable[Any]) -> tuple[dict[str, UnansweredTally], int]:
    """Merge documents of `UnansweredCounter`, most asked first; what is none is left out.

    Returns:
        Text → counts added up, askers of the replica that saw most: two replicas may have seen the same ones. And how
        many queries are withheld, each as often as replicas saw it.
    """
    merged: dict[str, UnansweredTally] = {}
    withheld = 0
    for found in documents:
        try:
            read = {str(text): (int(c), int(a), int(s)) for text, (c, a, s) in list(found["queries"].items())[:LISTED]}
            more = int(found["withheld"])
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        withheld += max(0, more)
        for text, (count, askers, last_s) in read.items():
            if askers < MIN_ASKERS or not 0 < len(text) <= MAX_QUERY or count < 1:
                continue
            into = merged.setdefault(text, UnansweredTally())
            into.count += count
            into.askers, into.last_s = max(into.askers, askers), max(into.last_s, last_s)
    return dict(sorted(merged.items(), key=lambda pair: (-pair[1].count, pair[0]))), withheld
