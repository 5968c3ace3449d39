"""Exact inner products of one vector with many of whole numbers."""

from __future__ import annotations

import numpy as np

from slotbeam.types import FloatArray, IntArray


def closeness(vectors: IntArray, given: FloatArray, rows: IntArray) -> FloatArray:
    """Return (n,) float64 inner products of a vector with unit vectors; the sums are exact.

    So rows of equal vectors are equally close, whatever else is in `rows`.

    Args:
        vectors: (N, e) int8, 127 × the unit vectors.
        given: (e,).
        rows: (n,) of `vectors`.
    """
    given, root = given.astype(np.float64), float(np.sqrt(len(given)))
    length = float(np.sqrt(np.square(given).sum()))
    if length == 0.0 or not vectors.shape[1]:
        return np.zeros(len(rows))
    # In whole numbers below 2²⁴ every sum of products is exact in float32, in any order and on any processor, and
    # half as wide as in float64. No sum exceeds the product of both lengths, 127 √e for a row: so the vector is
    # taken in steps as fine as that allows, and what they leave, half a step a component at most, in finer ones.
    coarse = (2**24 - 1) / (127 * root) - root / 2
    fine = (2**24 - 1) / (127 * root * root)
    steps = given * (coarse / length)
    whole = np.rint(steps)
    parts = np.stack([whole, np.rint((steps - whole) * fine)], axis=1).astype(np.float32)
    products = (vectors.take(rows, axis=0).astype(np.float32) @ parts).astype(np.float64)
    return np.asarray((products[:, 0] + products[:, 1] / fine) * (length / (127 * coarse)))
