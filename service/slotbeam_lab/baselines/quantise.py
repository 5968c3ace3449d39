"""Frozen codebooks: a vector → L codes by a walk over the layers of a residual quantiser.

Codes are 1..K_l, so a position's size is K_l + 1: code 0 stays `empty`, and is what a text without a known word gets.
RQ-kmeans: three layers over text vectors, as in QARM (arXiv 2411.11739) and the paper's own comparison.

RQ-OPQ with keyword enhancement: OneSearch's KHQE (arXiv 2509.03236). Three layers of residual k-means code what items
share, then OPQ (Ge et al., 2013) with two sub-codes codes what is left over, an item's own: five positions.

Every product is one of numbers on a grid (`arrays.on_grid`), so equal vectors have equal codes, whatever shares their
batch and whatever processor it is: items are coded many at a time, a query and an edited text alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from slotbeam.arrays import on_grid
from slotbeam.files import replacing
from slotbeam.types import FloatArray, IntArray

LAYERS, PARTS, SIZE = 3, 2, 256
"""Residual layers, and the sub-codes of OPQ behind them with how many codes each has."""
_CHUNK = 8192


@dataclass(frozen=True, eq=False)
class Material:
    """What a quantiser is fitted on: N items, Q queries, P clicks and orders, d dimensions.

    Attributes:
        items: (N, d) float32 unit rows; queries: (Q, d).
        pairs: (P, 2) number of a query, number of the item it led to.
        categories: (N,) number of the item's entity (its department where it names none), -1 for neither.
        seed: of everything random.
    """

    items: FloatArray
    queries: FloatArray
    pairs: IntArray
    categories: IntArray
    seed: int


@dataclass(frozen=True, eq=False)
class Quantiser:
    """An encoder (none: the identity), residual layers, and M sub-codes on what they leave over.

    Attributes:
        layers: (K_l, h) centroids each; layer l + 1 codes what layer l leaves over.
        encoder: weights (a, b) and biases (b,) in turn, ReLU between them: d → h.
        rotation: (h, h) orthogonal, applied to the last residual before it is split in M equal parts.
        parts: M centroid tables (K, h / M).
    """

    layers: tuple[FloatArray, ...]
    encoder: tuple[FloatArray, ...] = ()
    rotation: FloatArray | None = None
    parts: tuple[FloatArray, ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        """(L,) V_l: the centroids of each position, and `empty`."""
        return tuple(1 + len(table) for table in (*self.layers, *self.parts))

    def latent(self, vectors: FloatArray) -> FloatArray:
        """Encode (N, d) → (N, h) float64, on the grid."""
        x = on_grid(vectors)
        for at in range(0, len(self.encoder), 2):
            x = on_grid(x @ on_grid(self.encoder[at]) + on_grid(self.encoder[at + 1]))
            if at + 2 < len(self.encoder):
                x = np.maximum(x, 0.0)
        return x

    def codes(self, vectors: FloatArray) -> IntArray:
        """Code (N, d) → (N, L) int32; a row of zeros has codes 0."""
        residual = self.latent(vectors)
        columns = []
        for table in self.layers:
            nearest = nearest_rows(residual, table)
            residual = residual - on_grid(table)[nearest]
            columns.append(nearest)
        if self.rotation is not None:
            pieces = np.split(turned(residual, self.rotation), len(self.parts), axis=1)
            columns += [nearest_rows(piece, table) for piece, table in zip(pieces, self.parts, strict=True)]
        codes = 1 + np.stack(columns, axis=1).astype(np.int32)
        codes[~np.any(vectors, axis=1)] = 0
        return codes

    def decode(self, codes: IntArray) -> FloatArray:
        """Return (N, L) codes → (N, h), the sums of the centroids they name; `empty` adds nothing."""
        tables = [np.vstack([np.zeros((1, table.shape[1])), table]) for table in (*self.layers, *self.parts)]
        chosen = [table[codes[:, position]] for position, table in enumerate(tables)]
        total = np.sum(chosen[: len(self.layers)], axis=0)
        if self.rotation is not None:
            total = total + np.hstack(chosen[len(self.layers) :]) @ self.rotation
        return np.asarray(total, np.float32)

    def save(self, path: Path) -> None:
        """Write one `.npz`, whole."""
        arrays: dict[str, Any] = {} if self.rotation is None else {"rotation": self.rotation}
        for name in ("layers", "encoder", "parts"):
            arrays |= {f"{name}/{number}": array for number, array in enumerate(getattr(self, name))}
        with replacing(path) as file:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> Quantiser:
        with np.load(path, allow_pickle=False) as held:

            def many(name: str) -> tuple[FloatArray, ...]:
                return tuple(
                    held[f"{name}/{i}"] for i in range(sum(held_name.startswith(f"{name}/") for held_name in held))
                )

            rotation = held.get("rotation")
            return cls(many("layers"), many("encoder"), rotation, many("parts"))


@dataclass(frozen=True, slots=True)
class Method:
    """A way to make identifiers.

    Attributes:
        name: in the registry.
        fit: makes the quantiser.
        facts: JSON values that its outcome depends on, beside the data.
        keywords: whether vectors are keyword-enhanced.
    """

    name: str
    fit: Callable[[Material], Quantiser]
    facts: dict[str, Any] = field(default_factory=dict)
    keywords: bool = False


def nearest_rows(vectors: FloatArray, table: FloatArray) -> IntArray:
    """Return (N,) the row of `table` (K, h) that is nearest to each of `vectors` (N, h); the first of equals."""
    vectors, table = on_grid(vectors), on_grid(table)
    half = 0.5 * (table**2).sum(1)
    parts = [np.argmin(half - vectors[at : at + _CHUNK] @ table.T, axis=1) for at in range(0, len(vectors), _CHUNK)]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def turned(vectors: FloatArray, rotation: FloatArray) -> FloatArray:
    """Turn (N, h) float64: `vectors` (N, h) by `rotation` (h, h), on the grid, so that equal rows stay equal."""
    return on_grid(on_grid(vectors) @ on_grid(rotation).T)


def kmeans(vectors: FloatArray, size: int, seed: int) -> FloatArray:
    """Find (K, h) centroids by Lloyd's algorithm (faiss); K = `size`, or the distinct vectors where those are fewer."""
    points = np.ascontiguousarray(on_grid(vectors), np.float32)
    size = min(size, len(np.unique(points, axis=0)))
    clusters = faiss.Kmeans(points.shape[1], size, niter=20, seed=seed, min_points_per_centroid=1, verbose=False)
    clusters.train(points)
    return np.array(clusters.centroids, np.float32)


def residual_kmeans(vectors: FloatArray, sizes: Sequence[int], seed: int) -> tuple[FloatArray, ...]:
    """Find the centroids of residual layers: each is k-means over what the ones before leave."""
    residual = on_grid(vectors)
    layers: list[FloatArray] = []
    for number, size in enumerate(sizes):
        layers.append(kmeans(residual, size, seed + number))
        residual = residual - on_grid(layers[-1])[nearest_rows(residual, layers[-1])]
    return tuple(layers)


def product_codes(vectors: FloatArray, parts: int, size: int, seed: int) -> tuple[FloatArray, tuple[FloatArray, ...]]:
    """Find by OPQ (faiss) a rotation (h, h) that makes `parts` equal pieces easy to code apart, and k-means of each."""
    points = np.ascontiguousarray(vectors, np.float32)
    width = points.shape[1]
    bits = max(1, min(size, len(points)).bit_length() - 1)
    turn = faiss.OPQMatrix(width, parts)
    trained = faiss.ProductQuantizer(width, parts, bits)
    trained.cp.min_points_per_centroid = 1
    turn.pq = trained
    turn.train(points)
    rotation = faiss.vector_to_array(turn.A).reshape(width, width).copy()
    pieces = np.split(turned(vectors, rotation), parts, axis=1)
    return rotation, tuple(kmeans(piece, size, seed + number) for number, piece in enumerate(pieces))


def shrinking(items: int, layers: int, per_code: float = 48.0, least: int = 16) -> tuple[int, ...]:
    """Size residual layers for a catalog: a power of two near `items / per_code`, halved from layer to layer.

    OneSearch's 4096-1024-512 for its catalog has the same shape: wide first, narrower then. The first layer has
    `least` to 4096 codes, a later one half of `least` at least.
    """
    first = min(4096, max(least, 1 << int(np.log2(max(1.0, items / per_code)))))
    return tuple(max(least // 2, first >> layer) for layer in range(layers))


def fit_kmeans(material: Material) -> Quantiser:
    """Fit three layers, sized by the catalog."""
    return Quantiser(residual_kmeans(material.items, shrinking(len(material.items), LAYERS), material.seed))


def fit_opq(material: Material) -> Quantiser:
    """Fit the three layers, and two sub-codes of 256 on the residual."""
    shared = fit_kmeans(material)
    residual = material.items - shared.decode(shared.codes(material.items))
    rotation, parts = product_codes(residual, PARTS, SIZE, material.seed + LAYERS)
    return Quantiser(shared.layers, rotation=rotation, parts=parts)


KMEANS = Method("rq-kmeans", fit_kmeans, {"layers": LAYERS})
OPQ = Method("rq-opq", fit_opq, {"layers": LAYERS, "parts": PARTS, "size": SIZE}, keywords=True)
