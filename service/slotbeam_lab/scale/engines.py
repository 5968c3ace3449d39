"""What needs no decoder: tantivy, and an inverted file of the item vectors (FAISS)."""

from __future__ import annotations

import re
from collections.abc import Iterable

import faiss
import numpy as np

from slotbeam.catalog.item import Item
from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.measures.run import Asked

_WORD = re.compile(r"\w+")
_HEAP = 4_000_000_000
"""Bytes that tantivy may fill before it begins another segment; it takes what it needs."""
_SAMPLE = 64
"""Rows that k-means looks at for each list."""


class Tantivy:
    """A tantivy index in memory: OR over title and text with its English stemmer, one segment, one thread.

    Args:
        items: the catalog; its text is what BM25 is given (`baselines.bm25.document`).
    """

    def __init__(self, items: Iterable[Item]) -> None:
        import tantivy

        fields = tantivy.SchemaBuilder()
        for name in ("title", "text"):
            fields.add_text_field(name, tokenizer_name="en_stem")
        self._index = tantivy.Index(fields.build())
        writer = self._index.writer(_HEAP, num_threads=1)
        self._ids: list[str] = []
        for item in items:
            self._ids.append(item.id)
            text = f"{item.description} {item.fields.get('brand', '')}"
            writer.add_document(tantivy.Document(title=item.title, text=text))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()
        # Of a single segment, that nothing was deleted from, a document's number is its place in the catalog.
        if self._searcher.num_segments != 1:
            raise RuntimeError(f"tantivy made {self._searcher.num_segments} segments; one was to be measured")

    def __call__(self, asked: Asked, k: int) -> list[str]:
        """Return the ids of the `k` best items."""
        # Words alone, as the characters of its query language are no words.
        query = self._index.parse_query(" ".join(_WORD.findall(asked.query)).lower(), ["title", "text"])
        hits = self._searcher.search(query, k, count=False).hits
        return [self._ids[address.doc] for _, address in hits]


class InvertedFile:
    """FAISS's inverted file with flat lists over unit item vectors, the closest lists first.

    Args:
        vectors: (N, e) int8, `Catalog.vectors`.
    """

    def __init__(self, vectors: IntArray) -> None:
        faiss.omp_set_num_threads(1)
        n, width = vectors.shape
        self.lists = int(2 ** np.clip(np.round(np.log2(4 * np.sqrt(n))), 1, np.log2(max(2, n // 8))))
        self._quantizer = faiss.IndexFlatIP(width)
        self._index = faiss.IndexIVFFlat(self._quantizer, width, self.lists, faiss.METRIC_INNER_PRODUCT)
        self._index.cp.spherical = True
        self._index.cp.max_points_per_centroid, self._index.cp.min_points_per_centroid = _SAMPLE, 1
        chosen = np.random.default_rng(0).permutation(n)[: _SAMPLE * self.lists]
        self._index.train(_unit(vectors[np.sort(chosen)]))
        of_list = []
        for start in range(0, n, 2**16):
            part = _unit(vectors[start : start + 2**16])
            of_list.append(self._quantizer.search(part, 1)[1][:, 0])
            self._index.add(part)
        self.of_list: IntArray = np.concatenate(of_list)
        """(N,) the list of each row."""
        self._sizes = np.bincount(self.of_list, minlength=self.lists)
        self._centroids = faiss.rev_swig_ptr(self._quantizer.get_xb(), self.lists * width).reshape(self.lists, width)

    def nearest(self, vector: FloatArray, probes: int, count: int) -> IntArray:
        """Return (n,) rows: the `count` closest to a query vector (e,) in the closest `probes` lists."""
        self._index.nprobe = probes
        rows = self._index.search(np.asarray(vector, np.float32)[None], count)[1][0]
        return np.asarray(rows[rows >= 0], np.int64)

    def looked_at(self, vector: FloatArray) -> tuple[IntArray, IntArray]:
        """Return (lists,) the lists, closest to a query vector (e,) first, and the rows of each and all before it."""
        order = np.argsort(-(self._centroids @ np.asarray(vector, np.float32)), kind="stable")
        return order, np.cumsum(self._sizes[order])

    def reaches(self, vector: FloatArray, row: int, rows: int) -> bool:
        """Return whether `row` is in the closest lists, opened until they hold at least `rows` rows."""
        order, held = self.looked_at(vector)
        place = int(np.flatnonzero(order == self.of_list[row])[0])
        return place == 0 or int(held[place - 1]) < rows

    def probes(self, vectors: Iterable[FloatArray], rows: float) -> int:
        """Return the least number of lists that hold `rows` rows or more, on average over query vectors."""
        held = np.mean([self.looked_at(vector)[1] for vector in vectors], axis=0)
        return min(self.lists, int(np.searchsorted(held, rows)) + 1)


def _unit(vectors: IntArray) -> FloatArray:
    return np.asarray(vectors, np.float32) / 127
