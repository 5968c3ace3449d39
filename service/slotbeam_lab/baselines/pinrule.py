"""BM25 with a pin rule per binding: what an Elasticsearch or SMUI user does about a new word.

A query that holds a bound word gets the word's items first, by BM25 of the query, then everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slotbeam.kae.matcher import Matcher
from slotbeam.kae.normalize import normalize
from slotbeam_lab.baselines.bm25 import Bm25


class PinRules:
    """An index and its rules.

    Args:
        index: over the catalog.
        rules: word → ids of its items, all of the catalog.
    """

    def __init__(self, index: Bm25, rules: Mapping[str, Sequence[str]]) -> None:
        self._index = index
        self._items = list(rules.values())
        self._matcher = Matcher([normalize(word) for word in rules])

    def pinned(self, query: str) -> list[str]:
        """The items of every bound word in the query, by BM25 of the query; equal scores in the rules' order."""
        found = self._matcher.find(normalize(query))
        items = list(dict.fromkeys(item for _, _, rule in found for item in self._items[rule]))
        return self._index.order(query, items) if items else []

    def search(self, query: str, k: int) -> list[str]:
        """The pinned items, then BM25's own answer; `k` ids at most."""
        first = self.pinned(query)[:k]
        if len(first) < k:
            first += self._index.search(query, k)
        return list(dict.fromkeys(first))[:k]
