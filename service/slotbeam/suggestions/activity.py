"""How often bound words were asked for, and how often somebody took what they brought: what replicas count. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MIN_QUERIES = 20
"""From which on it says something that nobody clicked."""
LISTED = 500
"""Bindings that one replica tells of at most."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the queries that triggered a binding since the data planes began.

    Attributes:
        queries: that triggered it.
        clicks, orders: how many of them led to one, on an item that it brings.
    """

    queries: int = 0
    clicks: int = 0
    orders: int = 0

    @property
    def is_unclicked(self) -> bool:
        """Whether enough asked and nobody took anything."""
        return self.queries >= MIN_QUERIES and not self.clicks and not self.orders


def merge_activity(documents: Iterable[Any]) -> dict[str, Taken]:
    """Add up what replicas published, by the id of a binding; what is no such document is left out."""
    merged: dict[str, Taken] = {}
    for document in documents:
        try:
            told = {str(one): tuple(map(int, counts)) for one, counts in list(document["bindings"].items())[:LISTED]}
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        for binding, counts in told.items():
            if len(counts) == 3 and min(counts) >= 0:
                into = merged.get(binding, Taken())
                merged[binding] = Taken(into.queries + counts[0], into.clicks + counts[1], into.orders + counts[2])
    return merged
