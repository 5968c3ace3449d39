"""RQ-VAE: a small autoencoder with a residual-quantised bottleneck (Lee et al., arXiv 2203.01941), as TIGER
(arXiv 2305.05065) makes semantic ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from slotbeam_lab.baselines.closed import Method, build_closed
from slotbeam_lab.baselines.quantise import Material, Quantiser, residual_kmeans, shrinking
from slotbeam_lab.baselines.registry import Built, Setup

LAYERS = 3


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
        """An eighth of the items, 200 steps at least."""
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
        """z (N, h) → the sum of its centroids, the first alone (both with straight-through gradients), the loss."""
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
        """The encoder and the centroids, as arrays."""
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


def fit(material: Material) -> Quantiser:
    """Three layers, sized by the catalog."""
    return train_vae(material, shrinking(len(material.items), LAYERS), VaeOptions())


METHOD = Method("rq-vae", fit, {"layers": LAYERS, **asdict(VaeOptions())})


def build(setup: Setup) -> Built:
    return build_closed(setup, METHOD)
