"""How many slots a position gets, and which concepts share one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.types import IntArray


@dataclass(frozen=True, slots=True)
class Capacity:
    """Core slots of one position: `solo` frequent concepts alone, the others in `clusters`."""

    clusters: int
    solo: int


def capacity(
    counts: Sequence[int], coverage: float, cap: int, least: int = 1, floor: int = 2, sure: int = 0
) -> Capacity:
    """Return the smallest power of two whose solo half covers `coverage` of what could be solo, at most `cap`.

    A position whose concepts all fit is given one solo slot for each of them and no cluster.

    Args:
        counts: occurrences of each concept of the position.
        coverage: wanted share, 0..1.
        cap: most core slots, a power of two.
        floor: fewest core slots to consider, a power of two; small positions cost nothing and blur no words.
        least: occurrences a concept needs for a slot of its own, unless all fit.
        sure: concepts that get a slot of their own whatever their counts, beyond the cap if need be.
    """
    ordered = np.sort(np.asarray(counts, dtype=np.int64))[::-1]
    total = int(ordered[ordered >= least].sum())  # the others are never solo, whatever the capacity
    covered = np.cumsum(ordered)
    size = min(floor, cap)
    while (
        size < cap
        and len(ordered) > size
        and (covered[min(size // 2, len(ordered)) - 1] < coverage * total or sure > size // 2)
    ):
        size *= 2
    if len(ordered) <= size:
        return Capacity(0, len(ordered))
    return Capacity(size // 2, min(len(ordered), max(sure, min(size // 2, int((ordered >= least).sum()) + sure))))


def assign(
    words: Sequence[str],
    counts: Sequence[int],
    vectors: np.ndarray,
    room: Capacity,
    seed: int,
    sure: Collection[int] = (),
) -> tuple[IntArray, int]:
    """Slot indices of one position's concepts: clusters 1..c, then solo by count, then word.

    Args:
        words, counts: (N,) canonical words and their occurrences.
        vectors: (N, d) float32 word vectors, rows of unit length.
        room: the capacity.
        seed: of k-means.
        sure: numbers of the concepts that are solo whatever their counts, `room.solo` at most.

    Returns:
        (N,) int32 indices from 1, and the number of clusters in use (no cluster is empty).
    """
    order = sorted(range(len(words)), key=lambda n: (-counts[n], words[n]))
    chosen = set(sorted(order, key=lambda n: n not in sure)[: room.solo])
    head, tail = [n for n in order if n in chosen], [n for n in order if n not in chosen]
    index = np.zeros(len(words), dtype=np.int32)
    used = 0
    if tail:
        labels = cluster(vectors[tail], np.asarray([counts[n] for n in tail]), room.clusters, seed)
        first: dict[int, int] = {}
        for n, label in zip(tail, labels.tolist(), strict=True):
            index[n] = first.setdefault(label, len(first) + 1)
        used = len(first)
    for place, n in enumerate(head):
        index[n] = used + 1 + place
    return index, used


def cluster(vectors: np.ndarray, counts: IntArray, clusters: int, seed: int) -> IntArray:
    """(N,) labels by k-means; the same for a seed, on one processor with one number of threads."""
    from sklearn.cluster import MiniBatchKMeans

    if len(vectors) <= clusters:
        return np.arange(len(vectors))
    model = MiniBatchKMeans(
        clusters, random_state=seed, n_init=1, batch_size=4096, max_iter=30, reassignment_ratio=0.0, init="random"
    )
    labels: IntArray = model.fit_predict(vectors.astype(np.float64), sample_weight=np.sqrt(counts))
    return labels
