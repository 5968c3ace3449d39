"""Item vectors without PyTorch: what an item's slots and words say, to the same byte wherever it is computed.

Symbols: V ids of the vocabulary, d width, e components, n items, K ids of the longest bag.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slotbeam.errors import ArtifactError
from slotbeam.model.graphfile import initializer
from slotbeam.model.onnx import ENCODER
from slotbeam.model.tokenizer import PAD, TITLE
from slotbeam.types import FloatArray, IntArray

PARAMETERS = "items.npz"
"""In `model/`: gate weights and both layers. The table of embeddings is the encoder's own."""

MAX_ITEM_TEXT = 32
"""Text tokens that an item vector is made of, beside the item's slots."""


def bag_of(slot_ids: Sequence[int], text_ids: Iterable[int]) -> list[int]:
    """Return the ids that an item vector is made of: its slots, and the first distinct text ids of title and values."""
    return [*slot_ids, *list(dict.fromkeys(text_ids))[:MAX_ITEM_TEXT]] or [TITLE]  # one that says nothing has a vector


@dataclass(frozen=True, slots=True, eq=False)
class ItemVectors:
    """A gated mean of the shared table, then two layers, normalised (`Policy.item_vectors`).

    Attributes:
        table: (V, d) float32, embeddings times their gate weights.
        weights: (V,) float32, e to the power of (gate - largest gate) of each id; 0 for padding.
        mix: (d, d) float64 and bias: (d,) float64, the first layer, transposed.
        head: (d, e) float64, the second one, transposed.
    """

    table: FloatArray
    weights: FloatArray
    mix: FloatArray
    bias: FloatArray
    head: FloatArray
    _grids: tuple[float, float]

    @classmethod
    def of(
        cls, table: FloatArray, weights: FloatArray, mix: FloatArray, bias: FloatArray, head: FloatArray
    ) -> ItemVectors:
        """Take the parameters as training has them: table (V, d), weights (V,), mix (d, d), bias (d,), head (e, d)."""
        weights = np.array(weights, np.float32)
        weights[PAD] = 0.0
        # How large a sum of magnitudes can be in each product: so many bits are left for a grid that it is exact on.
        largest = float(np.abs(table).max(initial=0.0)) + 1.0
        mixed = largest * _row_sum(mix)
        hidden = largest + mixed + float(np.abs(bias).max(initial=0.0))
        grids = _grid(mixed), _grid(hidden * _row_sum(head))
        return cls(
            table=np.asarray(table, np.float32) * weights[:, None],
            weights=weights,
            mix=_rounded(np.asarray(mix, np.float64).T, grids[0]),
            bias=np.asarray(bias, np.float64),
            head=_rounded(np.asarray(head, np.float64).T, grids[1]),
            _grids=grids,
        )

    @classmethod
    def load(cls, directory: Path) -> ItemVectors:
        """Read them from the artifact's `model/`. Raises `ArtifactError`."""
        path = directory / PARAMETERS
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                parts = [arrays[name] for name in ("weights", "item_mix.weight", "item_mix.bias", "item_head.weight")]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ArtifactError(f"{path} cannot be read: {error}; copy the artifact again", file=path.name) from error
        return cls.of(initializer(directory / ENCODER, "embedding.weight"), *parts)

    def encode(self, bags: Sequence[Sequence[int]]) -> IntArray:
        """Return (n, e) int8, 127 × the unit vector of each bag of ids; an item's bytes depend on its own bag alone."""
        lengths = np.array([len(bag) for bag in bags], np.int64)
        order = np.argsort(-lengths, kind="stable")
        ids = np.full((len(bags), int(lengths.max(initial=1))), PAD, np.int64)  # (n, K), the longest first
        for row, bag in enumerate(order.tolist()):
            ids[row, : lengths[bag]] = bags[bag]
        total = np.zeros((len(bags), self.table.shape[1]), np.float32)
        weight = np.zeros(len(bags), np.float32)
        # Id by id, in the order of the bag: a sum along an axis may be taken in another order for another shape.
        for column in range(ids.shape[1]):
            own = ids[: int(np.searchsorted(-lengths[order], -column)), column]
            total[: len(own)] += self.table[own]
            weight[: len(own)] += self.weights[own]
        mean = total / np.maximum(weight, np.finfo(np.float32).tiny)[:, None]
        vectors = np.empty((len(bags), self.head.shape[1]), np.int8)
        vectors[order] = self._layers(mean)
        return vectors

    def _layers(self, mean: FloatArray) -> IntArray:
        """mean (n, d) → (n, e) int8. On the grids every product of matrices is exact, in any order and shape."""
        first, second = self._grids
        mixed = _rounded(mean, first) @ self.mix + self.bias
        out = _rounded(mean + np.maximum(mixed, 0.0), second) @ self.head
        square = np.zeros(len(out))
        for component in out.T:
            square += component * component
        return np.asarray(np.rint(out / np.sqrt(np.maximum(square, 1e-24))[:, None] * 127).astype(np.int8))


def gate_weights(table: FloatArray, gate: FloatArray) -> FloatArray:
    """Return (V,) float32 for `ItemVectors.weights`, of table (V, d) and gate (d,): once, at export."""
    gates = np.asarray(table, np.float64) @ np.asarray(gate, np.float64)
    return np.asarray(np.exp(gates - gates.max()).astype(np.float32))


def _row_sum(matrix: FloatArray) -> float:
    return float(np.abs(np.asarray(matrix, np.float64)).sum(axis=1).max(initial=0.0))


def _grid(bound: float) -> float:
    """Return 2 to the power of b: products of two multiples of 2⁻ᵇ are added exactly up to `bound` in all."""
    return 2.0 ** ((52 - math.ceil(math.log2(max(bound, 1.0)))) // 2)


def _rounded(values: FloatArray, grid: float) -> FloatArray:
    return np.asarray(np.rint(np.asarray(values, np.float64) * grid) / grid)
