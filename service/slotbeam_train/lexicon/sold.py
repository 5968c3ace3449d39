"""What an item sells that does not say so: the items nearest to it in meaning vote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from slotbeam.types import FloatArray

NEAREST = 10
POWER = 4  # of the cosine: twice as near counts for more than two
BLOCK = 512


def votes(vectors: FloatArray, sold: Sequence[int | None]) -> dict[int, dict[int, float]]:
    """Return for each item that is not known to sell something: entity → share of the votes of its neighbours.

    Neighbours are the `NEAREST` items that are known to sell one entity, and weigh by their cosine.

    Args:
        vectors: (n, w) unit vectors of the items by a teacher; a row of zeros: it did not read this one.
        sold: (n,) the entity that an item certainly sells.
    """
    read = np.asarray(vectors.any(axis=1), np.bool_)
    sure = np.array([one is not None for one in sold], np.bool_)
    known, asking = np.flatnonzero(read & sure), np.flatnonzero(read & ~sure)
    nearest = min(NEAREST, len(known))
    found: dict[int, dict[int, float]] = {}
    for start in range(0, len(asking) if nearest else 0, BLOCK):
        rows = asking[start : start + BLOCK]
        cosines = vectors[rows] @ vectors[known].T
        near = np.argpartition(-cosines, nearest - 1, axis=1)[:, :nearest]
        weights = np.maximum(np.take_along_axis(cosines, near, axis=1), 1e-6) ** POWER
        weights /= weights.sum(axis=1, keepdims=True)
        for row, places, own in zip(rows.tolist(), known[near].tolist(), weights.tolist(), strict=True):
            shares: dict[int, float] = defaultdict(float)
            for place, weight in zip(places, own, strict=True):
                entity = sold[place]
                assert entity is not None  # it is known
                shares[entity] += weight
            found[row] = dict(shares)
    return found
