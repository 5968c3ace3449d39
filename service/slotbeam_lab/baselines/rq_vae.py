"""RQ-VAE: a small autoencoder with a residual-quantised bottleneck (Lee et al., arXiv 2203.01941), as TIGER
(arXiv 2305.05065) makes semantic ids; and CQ-SID, category- and query-constrained *cluster* ids (arXiv 2605.14434).

CQ-SID is the same autoencoder, whose quantised item is drawn to the queries that led to it, and whose first layer is
drawn together within a category, both by InfoNCE against the batch. Its codebooks are small, so that a SID holds
several items. Sizes, weights and temperature are ours. The paper's reinforcement learning (EG-GRPO) is left out: every
system here is trained by maximum likelihood under one budget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from slotbeam_lab.baselines.quantise import LAYERS, Material, Method, Quantiser, residual_kmeans, shrinking

PER_CODE, LEAST = 256.0, 8
"""Items a code of CQ-SID's first layer, and its codes at least."""
QUERY_WEIGHT, CATEGORY_WEIGHT, TEMPERATURE = 0.2, 0.1, 0.1
ROWS = 256
"""Items of a batch that are contrasted, each with all others: it costs their square."""


@dataclass(frozen=True, slots=True)
class VaeOptions:
    """Training of the autoencoder.

    Attributes:
        hidden, latent: widths. batch, rate: of Adam.
        steps: at most; a small catalog takes fewer, see `steps_for`.
        warmup: share of the steps without quantisation; then k-means places the centroids.
        commitment: weight of the latent's pull to its centroid (beta).
        revive: steps after which a code that was not used is put on a vector of the batch.
    """

    hidden: int = 192
    latent: int = 64
    steps: int = 1500
    batch: int = 512
    rate: float = 1e-3
    warmup: float = 0.2
    commitment: float = 0.25
    revive: int = 100

    def steps_for(self, items: int) -> int:
        """Return an eighth of the items, 200 steps at least."""
        return min(self.steps, max(200, items // 8))


class RqVae(nn.Module):
    """d → latent → sum of one centroid a layer → d."""

    def __init__(self, width: int, options: VaeOptions) -> None:
        super().__init__()
        self.options = options
        hidden, latent = options.hidden, options.latent
        self.encoder = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.tables = nn.ParameterList()
        self.used: list[Tensor] = []

    def start(self, vectors: Tensor, sizes: Sequence[int], seed: int) -> None:
        """Place the centroids by residual k-means over the latents of `vectors` (N, d)."""
        with torch.no_grad():
            latents = self.encoder(vectors).numpy()
        for layer in residual_kmeans(latents, sizes, seed):
            self.tables.append(nn.Parameter(torch.from_numpy(layer)))
            self.used.append(torch.zeros(len(layer), dtype=torch.bool))

    def quantise(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Quantise z (N, h): the sum of its centroids, the first alone (gradients pass straight to z), the loss."""
        residual, loss, total = z, z.new_zeros(()), list[Tensor]()
        for table, used in zip(self.tables, self.used, strict=True):
            nearest = torch.cdist(residual.detach(), table.detach()).argmin(1)
            used[nearest] = True
            chosen = table[nearest]
            loss = loss + F.mse_loss(chosen, residual.detach())
            loss = loss + self.options.commitment * F.mse_loss(residual, chosen.detach())
            total.append(chosen.detach() + (total[-1] if total else 0.0))
            residual = residual - chosen.detach()
        return z + (total[-1] - z).detach(), z + (total[0] - z).detach(), loss

    def revive(self, z: Tensor, generator: torch.Generator) -> None:
        """Put every code that was not used since the last call on a residual of the batch z (N, h)."""
        residual = z.detach()
        with torch.no_grad():
            for table, used in zip(self.tables, self.used, strict=True):
                dead = torch.nonzero(~used)[:, 0]
                picks = torch.randint(len(residual), (len(dead),), generator=generator)
                table[dead] = residual[picks]
                used.zero_()
                residual = residual - table[torch.cdist(residual, table).argmin(1)]

    def frozen(self) -> Quantiser:
        """Return the encoder and the centroids, as arrays."""
        linear = [module for module in self.encoder if isinstance(module, nn.Linear)]
        arrays = [a for one in linear for a in (one.weight.detach().T.contiguous().numpy(), one.bias.detach().numpy())]
        return Quantiser(tuple(table.detach().numpy() for table in self.tables), encoder=tuple(arrays))


Extra = Callable[["RqVae", Tensor, Tensor, Tensor, Tensor], Tensor]
"""`extra(model, rows, z, quantised, first)` → a further loss of the batch whose items are `rows`."""


def train_vae(material: Material, sizes: Sequence[int], options: VaeOptions, extra: Extra | None = None) -> Quantiser:
    """Train on the items' vectors and freeze."""
    torch.manual_seed(material.seed)
    generator = torch.Generator().manual_seed(material.seed)
    vectors = torch.from_numpy(np.ascontiguousarray(material.items))
    width = vectors.shape[1]
    model = RqVae(width, options)
    optimizer = torch.optim.Adam(model.parameters(), lr=options.rate)
    steps = options.steps_for(len(vectors))
    batch = min(options.batch, len(vectors))
    for step in range(steps):
        if step == int(options.warmup * steps):
            model.start(vectors, sizes, material.seed)
            optimizer = torch.optim.Adam(model.parameters(), lr=options.rate)
        rows = torch.randint(len(vectors), (batch,), generator=generator)
        x = vectors[rows]
        z = model.encoder(x)
        quantised, first, loss = model.quantise(z) if model.tables else (z, z, z.new_zeros(()))
        loss = loss * options.latent + width * F.mse_loss(model.decoder(quantised), x)
        if extra is not None:
            loss = loss + extra(model, rows, z, quantised, first)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if model.tables and (step + 1) % options.revive == 0 and step < 0.8 * steps:
            model.revive(model.encoder(x), generator)
    return model.frozen()


def info_nce(a: Tensor, b: Tensor, same: Tensor) -> Tensor:
    """Return the symmetric InfoNCE (nats) of `a` and `b` (N, h), row by row; `same` (N, N): no negatives."""
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
        """Contrast a query that led to the item with those of the other items; an item without one is left out."""
        items = rows.numpy()
        picks = _member(self._by_item, items, self._rng)
        keep = picks >= 0
        if keep.sum() < 2:
            return quantised.new_zeros(())
        asked = model.encoder(self._queries[torch.from_numpy(self._asked[picks[keep]])])
        own = rows[torch.from_numpy(keep)]
        return info_nce(asked, quantised[torch.from_numpy(keep)], own[:, None] == own[None])

    def _category(self, model: RqVae, rows: Tensor, first: Tensor) -> Tensor:
        """Contrast another item of the same category with those of other categories."""
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
    """Order members by owner (those of -1 first), and where each owner's begin: (count + 1,)."""
    order = np.argsort(owner, kind="stable")
    return order, np.searchsorted(owner[order], np.arange(count + 1))


def _member(groups: tuple[np.ndarray, np.ndarray], owners: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a place in the order for each owner, at random among its members; -1 where it has none."""
    starts = groups[1]
    known = owners >= 0
    begin = np.where(known, starts[np.maximum(owners, 0)], 0)
    count = np.where(known, starts[np.maximum(owners, 0) + 1] - begin, 0) if len(starts) > 1 else np.zeros_like(begin)
    pick = begin + np.floor(rng.random(len(owners)) * np.maximum(count, 1)).astype(np.int64)
    return np.where(count > 0, pick, -1)


def fit_vae(material: Material) -> Quantiser:
    """Fit three layers, sized by the catalog."""
    return train_vae(material, shrinking(len(material.items), LAYERS), VaeOptions())


def fit_clusters(material: Material) -> Quantiser:
    """Fit three small layers, sized by the catalog."""
    sizes = shrinking(len(material.items), LAYERS, PER_CODE, LEAST)
    return train_vae(material, sizes, VaeOptions(), Contrast(material))


RQ_VAE = Method("rq-vae", fit_vae, {"layers": LAYERS, **asdict(VaeOptions())})
CQ_SID = Method(
    "cq-sid",
    fit_clusters,
    {
        "layers": LAYERS,
        "per_code": PER_CODE,
        "least": LEAST,
        "contrast": [QUERY_WEIGHT, CATEGORY_WEIGHT, TEMPERATURE, ROWS],
        **asdict(VaeOptions()),
    },
)
