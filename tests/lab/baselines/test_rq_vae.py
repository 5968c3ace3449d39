"""The trained quantisers: what is frozen is the network, its codes are used, contrast does what it is for."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("faiss")
pytest.importorskip("torch")

import torch

from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.baselines.quantise import Material
from slotbeam_lab.baselines.rq_vae import Contrast, RqVae, VaeOptions, info_nce, train_vae

KINDS, WIDTH = 8, 16
OPTIONS = VaeOptions(hidden=32, latent=8, steps=300, batch=64)


def material() -> Material:
    """Two halves of a vector: a kind that queries ask for, and noise that is larger."""
    rng = np.random.default_rng(0)
    kind = rng.integers(KINDS, size=400)
    means = rng.normal(size=(KINDS, WIDTH // 2))

    def rows(of: IntArray, noise: float) -> FloatArray:
        both = np.hstack([means[of], noise * rng.normal(size=(len(of), WIDTH // 2))])
        return np.asarray(both / np.linalg.norm(both, axis=1, keepdims=True), np.float32)

    pairs = np.stack([kind, np.arange(400)], axis=1)
    return Material(rows(kind, 1.5), rows(np.arange(KINDS), 0.0), pairs, kind, 0)


def agreement(data: Material, extra: bool) -> float:
    """How often the first code of an item is that of the query that led to it."""
    quantiser = train_vae(data, (8, 8), OPTIONS, Contrast(data) if extra else None)
    items, queries = quantiser.codes(data.items), quantiser.codes(data.queries)
    assert len(np.unique(items[:, 0])) > 4, "codes are used"
    return float((items[:, 0] == queries[data.pairs[:, 0], 0]).mean())


def test_contrast_brings_items_to_the_codes_of_their_queries() -> None:
    data = material()
    assert agreement(data, extra=True) > agreement(data, extra=False) + 0.1


def test_what_is_frozen_is_the_network_and_equal_seeds_give_equal_codes() -> None:
    data = material()
    torch.manual_seed(0)
    model = RqVae(WIDTH, OPTIONS)
    vectors = torch.from_numpy(data.items)
    model.start(vectors, (8, 4), 0)
    frozen = model.frozen()
    latent = model.encoder(vectors)
    assert np.allclose(frozen.latent(data.items), latent.detach().numpy(), atol=1e-5)
    total, first, _ = model.quantise(latent)
    codes = frozen.codes(data.items)
    assert np.allclose(frozen.decode(codes), total.detach().numpy(), atol=1e-5)
    assert np.allclose(frozen.layers[0][codes[:, 0] - 1], first.detach().numpy(), atol=1e-5)


def test_a_code_that_nothing_uses_is_put_on_a_vector_of_the_batch() -> None:
    model = RqVae(WIDTH, OPTIONS)
    vectors = torch.from_numpy(material().items)
    model.start(vectors, (8,), 0)
    latent = model.encoder(vectors).detach()
    with torch.no_grad():
        model.tables[0][3] = 1e3
    model.quantise(latent)
    model.revive(latent, torch.Generator().manual_seed(0))
    assert float(torch.cdist(model.tables[0][3:4].detach(), latent).min()) < 1e-4
    assert not model.used[0].any()


def test_info_nce_is_the_mean_log_likelihood_over_true_negatives() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(5, 4), torch.randn(5, 4)
    owner = torch.tensor([0, 1, 0, 2, 3])
    cosine = (torch.nn.functional.normalize(a) @ torch.nn.functional.normalize(b).T / 0.1).tolist()
    wanted = []
    for n in range(5):
        rivals = [m for m in range(5) if m == n or owner[m] != owner[n]]
        for scores in ([cosine[n][m] for m in rivals], [cosine[m][n] for m in rivals]):
            wanted.append(np.log(np.sum(np.exp(scores))) - cosine[n][n])
    assert float(info_nce(a, b, owner[:, None] == owner[None])) == pytest.approx(float(np.mean(wanted)), rel=1e-4)


def test_items_without_a_query_or_a_category_are_left_out() -> None:
    data = material()
    bare = Material(data.items, data.queries, np.empty((0, 2), np.int64), np.full(len(data.items), -1), 0)
    model = RqVae(WIDTH, OPTIONS)
    latent = model.encoder(torch.from_numpy(data.items[:32]))
    assert float(Contrast(bare)(model, torch.arange(32), latent, latent, latent)) == 0.0
