"""A teacher's vectors → a table of token vectors whose sums rank items as the teacher ranks them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from slotbeam.types import FloatArray, IntArray
from slotbeam_train.stages.ragged import Ragged

MOST_LISTS = 4096
"""Centroids of an index, at most."""
_SMOOTH = 1e-3
"""Share of all tokens at which one weighs half."""


@dataclass(frozen=True, slots=True)
class DistillOptions:
    """How a table is distilled.

    Attributes:
        width: components of a text vector, m; a teacher of fewer gives as many as it has.
        items: of the catalog that the teacher reads, at most, drawn evenly.
        queries: texts of the log, texts that are made of the catalog, and words of the teacher's own, at most, each.
        steps: of training; batch: texts, and items, of each.
        rate: of Adam for the table. temperature: of the ranking, in 1 / cosine.
        ranking: weight of the ranking loss (nats) beside the cosine loss.
        share: of a budget of time that teacher and table may take.
    """

    width: int = 128
    items: int = 60_000
    queries: int = 60_000
    steps: int = 1500
    batch: int = 512
    rate: float = 2e-3
    temperature: float = 20.0
    ranking: float = 0.3
    share: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """Token ids of texts, and what the teacher says of each.

    Attributes:
        queries, items: Q and N lists of ids. taught_queries: (Q, w), taught_items: (N, w), the teacher's unit vectors.
        tokens: (V, w), the teacher's vector of each token of the vocabulary alone: where the table begins.
    """

    queries: Ragged
    items: Ragged
    taught_queries: FloatArray
    taught_items: FloatArray
    tokens: FloatArray


def distill(
    lessons: Lessons,
    options: DistillOptions,
    seed: int,
    goes_on: Callable[[int], bool] = lambda step: True,
) -> tuple[FloatArray, FloatArray]:
    """Return the table (V, m) float32 and the log weight (V,) of each token.

    The teacher's space is cut to the m directions in which its queries and items vary most. A text's vector is to
    point where the teacher's does there (cosine), and to rank the items of a batch as the teacher's own vectors do, all
    of their components (cross-entropy of two softmaxes).

    Args:
        lessons: what is taught.
        options: settings.
        seed: of the batches.
        goes_on: whether there is time for a step; asked before each.
    """
    project = torch.from_numpy(directions(lessons.taught_queries, lessons.taught_items, options.width))
    rng = np.random.default_rng([seed, 7])
    counts = np.bincount(np.concatenate([lessons.queries.flat, lessons.items.flat]), minlength=len(lessons.tokens)) + 1
    table = torch.nn.Parameter(torch.from_numpy(lessons.tokens.astype(np.float32)) @ project)
    weights = torch.nn.Parameter(torch.from_numpy(np.log(smooth_inverse(counts)).astype(np.float32)))
    optimiser = torch.optim.Adam(
        [{"params": [table], "lr": options.rate}, {"params": [weights], "lr": 5 * options.rate}]
    )
    rates = [group["lr"] for group in optimiser.param_groups]
    sizes = len(lessons.queries), len(lessons.items)
    for step in range(options.steps):
        if not goes_on(step):
            break
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, (step + 1) / 50) * (1 - step / options.steps)
        asked, held = (rng.integers(size, size=min(options.batch, size)) for size in sizes)
        queries, items = _encode(table, weights, lessons.queries, asked), _encode(table, weights, lessons.items, held)
        taught_queries, taught_items = _rows(lessons.taught_queries, asked), _rows(lessons.taught_items, held)
        # What the teacher says of these queries and items: where each lies, and which item comes before which.
        aims = F.normalize(taught_queries @ project, dim=-1), F.normalize(taught_items @ project, dim=-1)
        order = F.softmax(options.temperature * taught_queries @ taught_items.T, -1)
        apart = 2 - (queries * aims[0]).sum(-1).mean() - (items * aims[1]).sum(-1).mean()
        scores = options.temperature * queries
        loss = apart + options.ranking * (
            F.cross_entropy(scores @ aims[1].T, order) + F.cross_entropy(scores @ items.T, order)
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return table.detach().numpy(), weights.detach().numpy()


def quantised(table: FloatArray, weights: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the table (V, m) int8 and the scales (V,) int32 of serving: row by row 127 steps, scales 16 bits."""
    rows = np.asarray(table, np.float64) * np.exp(np.asarray(weights, np.float64))[:, None]
    largest = np.abs(rows).max(axis=1)
    steps = np.rint(rows / np.maximum(largest, np.finfo(np.float64).tiny)[:, None] * 127)
    scales = np.rint(largest / max(float(largest.max(initial=0.0)), 1e-30) * 65535)
    return steps.astype(np.int8), scales.astype(np.int32)


def centroids_of(units: IntArray, seed: int) -> IntArray:
    """Return (C, m) int8, 127 × unit centroids of text vectors (n, m) int8: k-means, about √n of them."""
    from sklearn.cluster import MiniBatchKMeans

    count = int(np.clip(2 ** round(np.log2(max(1.0, len(units) ** 0.5))), 1, MOST_LISTS))
    points = units.astype(np.float32) / 127
    means = MiniBatchKMeans(count, random_state=seed, batch_size=4096, n_init=1, max_iter=20).fit(points)
    found = means.cluster_centers_
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(np.rint(127 * found / np.where(lengths > 0, lengths, 1.0)).astype(np.int8))


def directions(queries: FloatArray, items: FloatArray, width: int) -> FloatArray:
    """Return (w, m) float32: the main directions of queries (Q, w) and items (N, w), either half of the weight."""
    both = [np.asarray(own, np.float32) for own in (queries, items)]
    _, found = np.linalg.eigh(sum(own.T @ own / max(1, len(own)) for own in both))
    return np.ascontiguousarray(found[:, ::-1][:, :width], np.float32)


def smooth_inverse(counts: IntArray) -> FloatArray:
    """Return (V,) the weight of each token by how common it is (Arora et al. 2017)."""
    return np.asarray(_SMOOTH / (_SMOOTH + counts / counts.sum()))


def _encode(table: Tensor, weights: Tensor, lists: Ragged, own: IntArray) -> Tensor:
    """(n,) numbers of lists → (n, m) unit vectors."""
    rows = [lists[number] or [0] for number in own.tolist()]
    flat = torch.tensor([token for row in rows for token in row])
    starts = torch.tensor(np.cumsum([0, *map(len, rows[:-1])]))
    held = F.embedding_bag(flat, table, starts, mode="sum", per_sample_weights=weights.exp()[flat])
    return F.normalize(held, dim=-1)


def _rows(vectors: FloatArray, own: IntArray) -> Tensor:
    return torch.from_numpy(vectors[own].astype(np.float32))
