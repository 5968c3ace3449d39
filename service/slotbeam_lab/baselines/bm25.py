"""BM25 at its best, and what its users add to it by hand: an alias dictionary, or a pin rule per binding.

bm25s, Lucene's variant, Snowball stemming, over title + short description + brand.

Aliases are what a synonym filter in Elasticsearch or SMUI makes of the dictionary that slotbeam has: every surface of a
concept is one more term that all of them share, in items and in queries alike; the words themselves stay. Of the ways
that were tried (docs/log-2026-11.md) this one holds on both kinds of catalog.

Pin rules are what such a user does about a new word: a query that holds a bound word gets the word's items first, by
BM25 of the query, then everything else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

import bm25s
import numpy as np
import Stemmer

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import load_catalog
from slotbeam.kae.encode import Kae
from slotbeam.kae.matcher import Matcher
from slotbeam.language.normalize import normalize
from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.baselines.registry import Built, Setup
from slotbeam_lab.baselines.systems import dictionary_of
from slotbeam_lab.measures.run import System

_WORD = re.compile(r"\w+")


class Bm25:
    """An index over items.

    Args:
        items: the catalog.
        k1, b: BM25's parameters (Lucene's own defaults unless given).
        stem: a Snowball language, or None.
        rewrite: what is done to every text, of items and of queries, before its words are taken.
    """

    def __init__(
        self,
        items: Iterable[Item],
        k1: float = 1.2,
        b: float = 0.75,
        stem: str | None = "english",
        rewrite: Callable[[str], str] | None = None,
    ) -> None:
        self._rewrite = rewrite
        self._stem = lru_cache(maxsize=200_000)(Stemmer.Stemmer(stem).stemWord) if stem else str
        self.ids: list[str] = []
        self._numbers: dict[str, int] = {}
        corpus = []
        for item in items:
            self.ids.append(item.id)
            corpus.append([self._numbers.setdefault(word, len(self._numbers)) for word in self.words(document(item))])
        self._rows = {item_id: row for row, item_id in enumerate(self.ids)}
        self._index = bm25s.BM25(method="lucene", k1=k1, b=b)
        self._index.index((corpus, self._numbers), show_progress=False)

    def words(self, text: str) -> list[str]:
        """Return the casefolded, stemmed words of a text; letters and digits only, so that `NB-340` is two words."""
        if self._rewrite is not None:
            text = self._rewrite(text)
        folded = unicodedata.normalize("NFKC", text).casefold()
        return [self._stem(word) for word in _WORD.findall(folded)]

    def scores(self, query: str) -> FloatArray | None:
        """Return (N,) BM25 of every item, in catalog order; None when no item holds a word of the query."""
        known = [self._numbers[word] for word in self.words(query) if word in self._numbers]
        return np.asarray(self._index.get_scores_from_ids(known)) if known else None

    def search(self, query: str, k: int) -> list[str]:
        """Return the ids of the `k` best items that hold a word of the query; equal scores in catalog order."""
        scores = self.scores(query)
        if scores is None:
            return []
        return [self.ids[row] for row in best_rows(scores, min(k, int(np.count_nonzero(scores)))).tolist()]

    def order(self, query: str, ids: Sequence[str]) -> list[str]:
        """Order the given items (all of the catalog) by their score, best first; equal scores in the given order."""
        scores = self.scores(query)
        if scores is None:
            return list(ids)
        place = np.argsort([-scores[self._rows[item_id]] for item_id in ids], kind="stable")
        return [ids[i] for i in place.tolist()]


def best_rows(scores: FloatArray, k: int) -> IntArray:
    """Return (min(k, N),) rows of the largest `scores` (N,), best first; equal scores in catalog order."""
    count = min(k, len(scores))
    if not count:
        return np.empty(0, np.int64)
    least = np.partition(scores, -count)[-count]
    above, level = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
    best = np.concatenate([above, level[: count - len(above)]])
    return best[np.argsort(-scores[best], kind="stable")]


def document(item: Item) -> str:
    """Return what is indexed of an item: by BM25, and by every rival that reads text."""
    brand = item.fields.get("brand", "")
    return f"{item.title} {item.description} {brand}"


def system_of(index: Bm25) -> System:
    """Return the index as a system; it does not look at the history."""
    return lambda asked, k: index.search(asked.query, k)


class Aliases:
    """Rewrites a text: behind it comes one term for each concept that the dictionary finds in it."""

    def __init__(self, kae: Kae) -> None:
        self._matcher = kae.matcher
        self._concept: list[int] = kae.dictionary.surface_concept.tolist()

    def __call__(self, text: str) -> str:
        """Rewrite one; a concept's term is `concept` and its number in one word, so no stemmer joins two of them."""
        canonical = normalize(text)
        terms = [f"concept{self._concept[word]}" for _, _, word in self._matcher.find(canonical)]
        return " ".join([canonical, *terms])


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
        """Return the items of every bound word in the query, by BM25 of the query; equal scores in the rules' order."""
        rules = [rule for _, _, rule in self._matcher.find(normalize(query))]
        items = list(dict.fromkeys(item for rule in rules for item in self._items[rule]))
        return self._index.order(query, items) if items else []

    def search(self, query: str, k: int) -> list[str]:
        """Return the pinned items, then BM25's own answer; `k` ids at most."""
        first = self.pinned(query)[:k]
        if len(first) < k:
            first += self._index.search(query, k)
        return list(dict.fromkeys(first))[:k]


def build(setup: Setup) -> Built:
    """Index the catalog of a comparison; nothing is trained."""
    return Built(system_of(Bm25(load_catalog(setup.catalog))))


def build_aliased(setup: Setup) -> Built:
    """Index it with the dictionary that slotbeam learns from the same catalog and log."""
    kae = dictionary_of(setup)
    index = Bm25(load_catalog(setup.catalog), rewrite=Aliases(kae))
    facts = {"concepts": len(kae.dictionary), "surfaces": len(kae.dictionary.surfaces)}
    return Built(system_of(index), facts=facts)
