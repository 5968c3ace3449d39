"""An inverted file of vectors (FAISS): lists around centroids, the closest of which are looked at."""

from __future__ import annotations

from collections.abc import Iterable

import faiss
import numpy as np

from slotbeam.types import FloatArray, IntArray

_SAMPLE = 64
"""Rows that k-means looks at for each list."""


class InvertedFile:
    """FAISS's inverted file with flat lists over unit item vectors, the closest lists first.

    Args:
        vectors: (N, e) float32 of length 1, or int8 as in `Catalog.vectors`.
    """

    def __init__(self, vectors: FloatArray | IntArray) -> None:
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
        """Return (n,) rows, best first: the `count` closest to a query vector (e,) in the closest `probes` lists."""
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

    def holding(self, vector: FloatArray, rows: int) -> int:
        """Return how many lists, closest to a query vector (e,) first, hold at least `rows` rows together."""
        return min(self.lists, int(np.searchsorted(self.looked_at(vector)[1], rows)) + 1)

    def probes(self, vectors: Iterable[FloatArray], rows: float) -> int:
        """Return the least number of lists that hold `rows` rows or more, on average over query vectors."""
        held = np.mean([self.looked_at(vector)[1] for vector in vectors], axis=0)
        return min(self.lists, int(np.searchsorted(held, rows)) + 1)


def _unit(vectors: FloatArray | IntArray) -> FloatArray:
    scale = 127 if np.issubdtype(vectors.dtype, np.integer) else 1
    return np.ascontiguousarray(vectors, np.float32) / np.float32(scale)
