"""What anybody puts together today: a pretrained encoder alone, and BM25 beside it. The teacher is the encoder.

The weight of a hybrid is chosen on other queries than those that it answers: queries are in one of two halves by
their hash, and each half is answered with the weight that is best on the other one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

import faiss
import numpy as np

from slotbeam.catalog.item import Item
from slotbeam.kae.encode import Kae
from slotbeam.types import FloatArray
from slotbeam_lab.baselines.bm25 import Aliases, Bm25, document, system_of
from slotbeam_lab.measures.metrics import reciprocal_rank
from slotbeam_lab.measures.questions import Questions
from slotbeam_lab.measures.run import Asked, System
from slotbeam_train.teacher import Teacher

WEIGHTS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Of the cosine, beside BM25 over its largest score."""
RANKS = (1.0, 10.0, 60.0, 200.0)
"""Constants of reciprocal rank fusion."""
CHOOSING = 500
"""Queries that a weight is chosen on, at most."""
LISTS, PROBES = 4.0, 0.05
"""Of the inverted file: lists for the square root of the items, and the share of them that a query looks at."""

Mix = Callable[[FloatArray, FloatArray, float], FloatArray]
"""(BM25 scores, cosines, setting) → scores, each (N,)."""


class Truth(NamedTuple):
    """A query and the items that are right for it."""

    query: str
    items: Collection[str]


class TeacherIndex:
    """Items by what a teacher says of the text that BM25 reads, too."""

    def __init__(self, items: Sequence[Item], teacher: Teacher) -> None:
        self.ids = [item.id for item in items]
        self._teacher = teacher
        self.vectors = teacher.encode([document(item).strip() for item in items])
        self._asked: dict[str, FloatArray] = {}

    def encode(self, queries: Sequence[str]) -> None:
        """Encode queries ahead, all at once."""
        vectors = self._teacher.encode(list(queries), queries=True)
        self._asked.update(zip(queries, vectors, strict=True))

    def vector(self, query: str) -> FloatArray:
        """Return (w,) of a query."""
        if query not in self._asked:
            self.encode([query])
        return self._asked[query]

    def scores(self, query: str) -> FloatArray:
        """Return (N,) the cosine of every item."""
        return np.asarray(self.vectors @ self.vector(query))

    def search(self, asked: Asked, k: int) -> list[str]:
        """Return the nearest items, all of them looked at."""
        return best(self.ids, self.scores(asked.query), k)


def inverted_file(index: TeacherIndex) -> System:
    """Return the teacher behind FAISS's inverted file: the nearest items of the nearest lists."""
    count = max(1, min(len(index.ids), round(LISTS * len(index.ids) ** 0.5)))
    lists = faiss.index_factory(index.vectors.shape[1], f"IVF{count},Flat", faiss.METRIC_INNER_PRODUCT)
    lists.train(index.vectors)
    lists.add(index.vectors)
    faiss.extract_index_ivf(lists).nprobe = max(1, round(PROBES * count))

    def search(asked: Asked, k: int) -> list[str]:
        _, rows = lists.search(index.vector(asked.query)[None, :], k)
        return [index.ids[row] for row in rows[0].tolist() if row >= 0]

    return search


def convex(words: FloatArray, cosines: FloatArray, weight: float) -> FloatArray:
    """Return BM25 over its largest score, and a weight × the cosine."""
    return np.asarray(words / max(float(words.max(initial=0.0)), 1e-9) + weight * cosines)


def reciprocal(words: FloatArray, cosines: FloatArray, constant: float) -> FloatArray:
    """Return the sum of the reciprocal ranks; one that holds no word of the query has none among those that do."""
    by_words = np.where(words > 0, 1 / (constant + _ranks(words)), 0.0)
    return np.asarray(by_words + 1 / (constant + _ranks(cosines)))


class Hybrid:
    """BM25 and a teacher, mixed with a setting that is chosen on other queries.

    Args:
        words: BM25. index: of the same items in the same order.
        mix: of the two. settings: what is chosen from.
        truths: queries to choose on.
    """

    def __init__(
        self, words: Bm25, index: TeacherIndex, mix: Mix, settings: Sequence[float], truths: Sequence[Truth]
    ) -> None:
        self._words, self._index, self._mix = words, index, mix
        kept = sorted(truths, key=lambda truth: crc32(truth.query.encode()))[:CHOOSING]
        self.chosen = tuple(self._best(settings, [t for t in kept if half_of(t.query) != half]) for half in (0, 1))

    def search(self, asked: Asked, k: int) -> list[str]:
        """Return the best items of the mix; an item that neither knows has a score, too."""
        return best(self._index.ids, self._scores(asked.query, self.chosen[half_of(asked.query)]), k)

    def _scores(self, query: str, setting: float) -> FloatArray:
        words = self._words.scores(query)
        return self._mix(np.zeros(len(self._index.ids)) if words is None else words, self._index.scores(query), setting)

    def _best(self, settings: Sequence[float], truths: Sequence[Truth]) -> float:
        def worth(setting: float) -> float:
            return sum(
                reciprocal_rank(best(self._index.ids, self._scores(query, setting), 100), items, 100)
                for query, items in truths
            )

        return max(settings, key=worth)


def rivals(items: Sequence[Item], kae: Kae | None, teacher: Teacher, questions: Questions) -> Mapping[str, System]:
    """Return label → the systems that a teacher makes.

    Args:
        items: the catalog.
        kae: whose aliases BM25 gets; None: no aliases.
        teacher: the encoder.
        questions: what will be asked; each query's weight is chosen on those of the other half.
    """
    truths = [Truth(judged.query, judged.relevant) for judged in questions.judged]
    truths += [Truth(row.query, [row.item_id]) for rows in questions.kinds.values() for row in rows]
    index = TeacherIndex(items, teacher)
    index.encode(list(dict.fromkeys(truth.query for truth in truths)))
    lexical = {"BM25": Bm25(items)}
    if kae is not None:
        lexical["BM25 + aliases"] = Bm25(items, rewrite=Aliases(kae))
    systems = {name: system_of(words) for name, words in lexical.items()}
    systems["teacher"] = index.search
    systems["teacher, inverted file"] = inverted_file(index)
    for name, words in lexical.items():
        systems[f"{name} + teacher, convex"] = Hybrid(words, index, convex, WEIGHTS, truths).search
        systems[f"{name} + teacher, RRF"] = Hybrid(words, index, reciprocal, RANKS, truths).search
    return systems


def half_of(query: str) -> int:
    """Return the half, 0 or 1, that a query is in."""
    return crc32(query.encode()) & 1


def best(ids: Sequence[str], scores: FloatArray, k: int) -> list[str]:
    """Return the ids of the `k` best scores (N,); equal ones in the order of the ids given."""
    k = min(k, len(ids))
    if not k:
        return []
    least = np.partition(scores, -k)[-k]
    rows = np.flatnonzero(scores >= least)
    return [ids[row] for row in rows[np.argsort(-scores[rows], kind="stable")][:k].tolist()]


def _ranks(scores: FloatArray) -> FloatArray:
    """Return (N,) the rank of each score, the best 1; equal ones in order."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks
