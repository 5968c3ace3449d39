"""BM25 at its best: bm25s, Lucene's variant, Snowball stemming, over title + short description + brand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import bm25s
import numpy as np
import Stemmer

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import load_catalog
from slotbeam.types import FloatArray
from slotbeam_lab.baselines.registry import Built, Setup

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
        """Casefolded, stemmed words of a text; letters and digits only, so that `NB-340` is two words."""
        if self._rewrite is not None:
            text = self._rewrite(text)
        folded = unicodedata.normalize("NFKC", text).casefold()
        return [self._stem(word) for word in _WORD.findall(folded)]

    def scores(self, query: str) -> FloatArray | None:
        """(N,) BM25 of every item, in catalog order; None when no item holds a word of the query."""
        known = [self._numbers[word] for word in self.words(query) if word in self._numbers]
        return np.asarray(self._index.get_scores_from_ids(known)) if known else None

    def search(self, query: str, k: int) -> list[str]:
        """Ids of the best `k` items that hold a word of the query, best first; equal scores in catalog order."""
        scores = self.scores(query)
        count = min(k, int(np.count_nonzero(scores))) if scores is not None else 0
        if scores is None or not count:
            return []
        least = np.partition(scores, -count)[-count]
        above, level = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
        best = np.concatenate([above, level[: count - len(above)]])
        return [self.ids[row] for row in best[np.argsort(-scores[best], kind="stable")]]

    def order(self, query: str, ids: Sequence[str]) -> list[str]:
        """The given items (all of the catalog) by their score, best first; equal scores in the given order."""
        scores = self.scores(query)
        if scores is None:
            return list(ids)
        place = np.argsort([-scores[self._rows[item_id]] for item_id in ids], kind="stable")
        return [ids[i] for i in place.tolist()]


def document(item: Item) -> str:
    """What is indexed of an item."""
    brand = item.fields.get("brand", "")
    return f"{item.title} {item.description} {brand}"


def build(setup: Setup) -> Built:
    """BM25 over the catalog of a comparison; nothing is trained."""
    index = Bm25(load_catalog(setup.catalog))
    return Built(lambda asked, k: index.search(asked.query, k))
