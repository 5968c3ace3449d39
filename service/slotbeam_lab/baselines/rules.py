"""BM25 with what its users add to it by hand: an alias dictionary, or a pin rule per binding.

Aliases are what a synonym filter in Elasticsearch or SMUI makes of the dictionary that slotbeam has: every surface of a
concept is one more term that all of them share, in items and in queries alike; the words themselves stay. Of the ways
that were tried (docs/log-2026-11.md) this one holds on both kinds of catalog.

Pin rules are what such a user does about a new word: a query that holds a bound word gets the word's items first, by
BM25 of the query, then everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slotbeam.catalog.loaders import load_catalog
from slotbeam.kae.encode import Kae
from slotbeam.kae.matcher import Matcher
from slotbeam.kae.normalize import normalize
from slotbeam_lab.baselines.bm25 import Bm25
from slotbeam_lab.baselines.registry import Built, Setup
from slotbeam_lab.baselines.systems import dictionary_of


class Aliases:
    """Rewrites a text: behind it comes one term for each concept that the dictionary finds in it."""

    def __init__(self, kae: Kae) -> None:
        self._matcher = kae.matcher
        self._concept: list[int] = kae.dictionary.surface_concept.tolist()

    def __call__(self, text: str) -> str:
        """A concept's term is `concept` and its number in one word, so no stemmer joins two of them."""
        canonical = normalize(text)
        found = self._matcher.find(canonical)
        return " ".join([canonical, *(f"concept{self._concept[word]}" for _, _, word in found)])


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


def build_aliased(setup: Setup) -> Built:
    """BM25 with the dictionary that slotbeam learns from the same catalog and log."""
    kae = dictionary_of(setup)
    index = Bm25(load_catalog(setup.catalog), rewrite=Aliases(kae))
    facts = {"concepts": len(kae.dictionary), "surfaces": len(kae.dictionary.surfaces)}
    return Built(lambda asked, k: index.search(asked.query, k), facts=facts)
