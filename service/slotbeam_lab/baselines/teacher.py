"""Dense retrieval with the teacher itself, nothing distilled or quantised: exact, or by an inverted file (FAISS).

An item's text is what BM25 is given (`bm25.document`: title, short description and brand), cut where the teacher cuts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

from slotbeam.catalog.item import Item
from slotbeam.types import FloatArray
from slotbeam_lab.baselines.bm25 import best_rows, document
from slotbeam_lab.baselines.inverted import InvertedFile
from slotbeam_lab.measures.run import Asked
from slotbeam_train.teacher import Teacher

_QUERIES = 20_000
"""Query vectors that are kept: several rivals ask for the same ones."""


class TeacherIndex:
    """The teacher's vectors of a catalog.

    Args:
        items: the catalog. teacher: encodes items now and each query once.
    """

    def __init__(self, items: Sequence[Item], teacher: Teacher) -> None:
        self.ids = [item.id for item in items]
        self.vectors = teacher.encode([document(item) for item in items])
        self._encoded = lru_cache(_QUERIES)(lambda query: teacher.encode([query], queries=True)[0])

    @cached_property
    def lists(self) -> InvertedFile:
        """An inverted file over the same vectors."""
        return InvertedFile(self.vectors)

    def vector(self, query: str) -> FloatArray:
        """Return (w,) the teacher's unit vector of a query."""
        vector: FloatArray = self._encoded(query)
        return vector

    def cosines(self, query: str) -> FloatArray:
        """Return (N,) cosine of the query and every item, in catalog order."""
        return self.vectors @ self.vector(query)

    def search(self, asked: Asked, k: int) -> list[str]:
        """Return the ids of the `k` closest items; nothing is left out."""
        return [self.ids[row] for row in best_rows(self.cosines(asked.query), k).tolist()]

    def search_lists(self, asked: Asked, k: int, rows: int) -> list[str]:
        """Return the ids of the `k` closest items in the closest lists that hold at least `rows` rows together."""
        vector = self.vector(asked.query)
        nearest = self.lists.nearest(vector, self.lists.holding(vector, rows), min(k, len(self.ids)))
        return [self.ids[row] for row in nearest.tolist()]
