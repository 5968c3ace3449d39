"""Sequence models small enough to reason about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slotbeam.types import FloatArray, IntArray

VECTOR = 4
"""Components of a query vector."""


class PrefixModel:
    """A `SequenceModel` whose distribution is a fixed random function of input row and prefix.

    `coarse` rounds the log-probabilities so that ties are common.
    """

    def __init__(self, sizes: Sequence[int], seed: int = 0, coarse: bool = False) -> None:
        self._sizes, self.seed, self.coarse = tuple(sizes), seed, coarse

    @property
    def sizes(self) -> tuple[int, ...]:
        return self._sizes

    def encode(self, inputs: Sequence[IntArray]) -> list[Any]:
        return [tuple(int(i) for i in row) for row in inputs]

    def query_vector(self, memory: Any) -> FloatArray:
        """(VECTOR,) multiples of 127, so that products with int8 vectors are whole numbers, however they are summed."""
        rng = np.random.default_rng([self.seed, 99, *memory])
        return (127 * rng.integers(-2, 3, VECTOR)).astype(np.float32)

    def logp(self, memory: Any, prefix: tuple[int, ...]) -> FloatArray:
        rng = np.random.default_rng([self.seed, len(prefix), *prefix, *memory])
        logits = rng.normal(size=self._sizes[len(prefix)]) * 2
        if self.coarse:
            logits = np.round(logits)
            return np.asarray(-np.abs(logits), np.float32)
        return np.asarray(logits - np.log(np.exp(logits).sum()), np.float32)

    def step(self, memory: Any, position: int, state: Any, parent: IntArray, codes: IntArray) -> tuple[FloatArray, Any]:
        prefixes = [()] if position == 0 else [(*state[int(p)], int(c)) for p, c in zip(parent, codes, strict=True)]
        return np.stack([self.logp(memory, prefix) for prefix in prefixes]), prefixes


def exhaustive(model: PrefixModel, memory: Any, sids: IntArray) -> list[tuple[float, tuple[int, ...]]]:
    """Every distinct SID with its log-probability, best first, ties in SID order: the beam search's oracle."""
    scored = []
    for sid in sorted({tuple(int(c) for c in row) for row in sids}):
        logp = sum(float(model.logp(memory, sid[:i])[c]) for i, c in enumerate(sid))
        scored.append((logp, sid))
    return sorted(scored, key=lambda pair: (-pair[0], pair[1]))
