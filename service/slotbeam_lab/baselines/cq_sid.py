"""CQ-SID: category- and query-constrained semantic *cluster* ids (arXiv 2605.14434).

An RQ-VAE whose quantised item is drawn to the queries that led to it, and whose first layer is drawn together within
a category, both by InfoNCE against the batch. Its codebooks are small, so that a SID holds several items.
Sizes, weights and temperature are ours. The paper's reinforcement learning (EG-GRPO) is left out: every system
here is trained by maximum likelihood under one budget.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from slotbeam_lab.baselines.closed import Method, build_closed
from slotbeam_lab.baselines.quantise import Material, Quantiser, shrinking
from slotbeam_lab.baselines.registry import Built, Setup
from slotbeam_lab.baselines.rq_vae import RqVae, VaeOptions, train_vae

LAYERS, PER_CODE, LEAST = 3, 256.0, 8
QUERY_WEIGHT, CATEGORY_WEIGHT, TEMPERATURE = 0.2, 0.1, 0.1
ROWS = 256
"""Items of a batch that are contrasted, each with all others: it costs their square."""


def info_nce(a: Tensor, b: Tensor, same: Tensor) -> Tensor:
    """Symmetric InfoNCE (nats) of rows n of `a` and `b` (N, h); `same` (N, N) marks pairs that are no negatives."""
    scores = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / TEMPERATURE
    own = torch.eye(len(a), dtype=torch.bool)
    scores = scores.masked_fill(same & ~own, -torch.inf)
    target = torch.arange(len(a))
    return 0.5 * (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target))


class Contrast:
    """The two contrastive terms of a batch of items."""

    def __init__(self, material: Material) -> None:
        self._rng = np.random.default_rng([material.seed, 5])
        self._queries = torch.from_numpy(material.queries)
        self._items = torch.from_numpy(material.items)
        self._by_item = _groups(material.pairs[:, 1], len(material.items))
        self._asked = material.pairs[self._by_item[0], 0] if len(material.pairs) else np.empty(0, np.int64)
        self._categories = material.categories
        self._by_category = _groups(material.categories, int(material.categories.max(initial=-1)) + 1)

    def __call__(self, model: RqVae, rows: Tensor, z: Tensor, quantised: Tensor, first: Tensor) -> Tensor:
        part, quantised, first = rows[:ROWS], quantised[:ROWS], first[:ROWS]
        asked = self._query_item(model, part, quantised)
        return QUERY_WEIGHT * asked + CATEGORY_WEIGHT * self._category(model, part, first)

    def _query_item(self, model: RqVae, rows: Tensor, quantised: Tensor) -> Tensor:
        """A query that led to the item, against the queries of the other items; an item without one is left out."""
        items = rows.numpy()
        picks = _member(self._by_item, items, self._rng)
        keep = picks >= 0
        if keep.sum() < 2:
            return quantised.new_zeros(())
        asked = model.encoder(self._queries[torch.from_numpy(self._asked[picks[keep]])])
        own = rows[torch.from_numpy(keep)]
        return info_nce(asked, quantised[torch.from_numpy(keep)], own[:, None] == own[None])

    def _category(self, model: RqVae, rows: Tensor, first: Tensor) -> Tensor:
        """Another item of the same category, against those of other categories."""
        own = self._categories[rows.numpy()]
        picks = _member(self._by_category, own, self._rng)
        keep = torch.from_numpy(picks >= 0)
        if int(keep.sum()) < 2:
            return first.new_zeros(())
        order = torch.from_numpy(self._by_category[0])
        other = model.encoder(self._items[order[torch.from_numpy(picks)[keep]]])
        kind = torch.from_numpy(own)[keep]
        return info_nce(first[keep], other, kind[:, None] == kind[None])


def _groups(owner: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Members ordered by owner (those of -1 first), and where each owner's begin: (count + 1,)."""
    order = np.argsort(owner, kind="stable")
    return order, np.searchsorted(owner[order], np.arange(count + 1))


def _member(groups: tuple[np.ndarray, np.ndarray], owners: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A place in the order for each owner, at random among its members; -1 where it has none."""
    starts = groups[1]
    known = owners >= 0
    begin = np.where(known, starts[np.maximum(owners, 0)], 0)
    count = np.where(known, starts[np.maximum(owners, 0) + 1] - begin, 0) if len(starts) > 1 else np.zeros_like(begin)
    pick = begin + np.floor(rng.random(len(owners)) * np.maximum(count, 1)).astype(np.int64)
    return np.where(count > 0, pick, -1)


def fit(material: Material) -> Quantiser:
    """Three small layers, sized by the catalog."""
    return train_vae(
        material, shrinking(len(material.items), LAYERS, PER_CODE, LEAST), VaeOptions(), Contrast(material)
    )


METHOD = Method(
    "cq-sid",
    fit,
    {
        "layers": LAYERS,
        "per_code": PER_CODE,
        "least": LEAST,
        "contrast": [QUERY_WEIGHT, CATEGORY_WEIGHT, TEMPERATURE, ROWS],
        **asdict(VaeOptions()),
    },
)


def build(setup: Setup) -> Built:
    return build_closed(setup, METHOD)
