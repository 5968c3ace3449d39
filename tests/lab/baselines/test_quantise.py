"""Quantisers against brute force: nearest centroids, errors that fall, an orthogonal rotation, what a file keeps."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("faiss")
pytest.importorskip("torch")

from slotbeam.types import FloatArray
from slotbeam_lab.baselines.closed import sharing
from slotbeam_lab.baselines.quantise import (
    Material,
    Quantiser,
    fit_opq,
    kmeans,
    nearest_rows,
    product_codes,
    residual_kmeans,
    shrinking,
)

WIDTH = 12


def blobs(n: int = 600, seed: int = 0) -> FloatArray:
    """Draw unit rows around 30 centres."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(30, WIDTH))[rng.integers(30, size=n)] + 0.4 * rng.normal(size=(n, WIDTH))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def material(vectors: FloatArray) -> Material:
    n = len(vectors)
    pairs = np.stack([np.arange(n) % 50, np.arange(n)], axis=1)
    return Material(vectors, vectors[:50], pairs, np.arange(n) % 7, 0)


@pytest.fixture(scope="module")
def opq() -> Quantiser:
    return fit_opq(material(blobs()))


def error(vectors: FloatArray, quantiser: Quantiser) -> float:
    return float(((vectors - quantiser.decode(quantiser.codes(vectors))) ** 2).sum(1).mean())


def test_every_layer_lowers_the_error() -> None:
    vectors = blobs()
    layers = residual_kmeans(vectors, (16, 16, 16), seed=0)
    errors = [error(vectors, Quantiser(layers[:n])) for n in (1, 2, 3)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[0] < float((vectors**2).sum(1).mean()), "one layer is better than none"


def test_sub_codes_lower_the_error_of_the_layers_alone(opq: Quantiser) -> None:
    assert error(blobs(), opq) < 0.5 * error(blobs(), Quantiser(opq.layers))


def test_codes_are_a_brute_force_walk_to_the_nearest_centroid(opq: Quantiser) -> None:
    vectors = blobs(40, seed=3)
    codes = opq.codes(vectors)
    assert opq.rotation is not None
    for vector, found in zip(vectors, codes.tolist(), strict=True):
        residual, walked = vector.astype(np.float64), []
        for table in opq.layers:
            walked.append(min(range(len(table)), key=lambda k: float(((residual - table[k]) ** 2).sum())))
            residual = residual - table[walked[-1]]
        turned = opq.rotation @ residual
        for part, table in enumerate(opq.parts):
            piece = turned[part * WIDTH // 2 : (part + 1) * WIDTH // 2]
            walked.append(min(range(len(table)), key=lambda k: float(((piece - table[k]) ** 2).sum())))
        assert found == [1 + code for code in walked]


def test_the_rotation_is_orthogonal(opq: Quantiser) -> None:
    assert opq.rotation is not None
    assert np.abs(opq.rotation @ opq.rotation.T - np.eye(WIDTH)).max() < 1e-4


def test_codes_start_at_one_and_a_text_that_says_nothing_has_empty_slots(opq: Quantiser) -> None:
    codes = opq.codes(np.vstack([blobs(50), np.zeros((1, WIDTH), np.float32)]))
    assert codes.shape == (51, 5)
    assert codes[:50].min() >= 1
    assert (codes.max(axis=0) < opq.sizes).all()
    assert codes[50].tolist() == [0] * 5
    assert not opq.decode(codes[50:]).any()


def test_a_round_trip_keeps_every_code(opq: Quantiser, tmp_path: Path) -> None:
    deep = Quantiser((np.eye(3, dtype=np.float32),), (np.ones((WIDTH, 3), np.float32), np.arange(3, dtype=np.float32)))
    for number, one in enumerate((opq, deep)):
        one.save(tmp_path / f"{number}.npz")
        again = Quantiser.load(tmp_path / f"{number}.npz")
        assert again.sizes == one.sizes
        assert np.array_equal(again.codes(blobs()), one.codes(blobs()))


def test_the_encoder_is_the_network_it_was_taken_from() -> None:
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=shape).astype(np.float32) for shape in ((WIDTH, 5), (5,), (5, 3), (3,))]
    found = Quantiser((np.eye(3, dtype=np.float32),), tuple(weights)).latent(blobs(9))
    hidden = np.maximum(blobs(9) @ weights[0] + weights[1], 0)
    assert np.allclose(found, hidden @ weights[2] + weights[3], atol=1e-5)


def test_sharing_counts_what_a_dict_counts() -> None:
    sids = np.random.default_rng(0).integers(1, 4, size=(60, 3))
    counts = Counter(map(tuple, sids.tolist()))
    assert sharing(sids) == {
        "sids": len(counts),
        "colliding": sum(count for count in counts.values() if count > 1),
        "largest": max(counts.values()),
    }


def test_centroids_are_never_more_than_the_distinct_vectors() -> None:
    few = np.repeat(blobs(5), 8, axis=0)
    assert len(kmeans(few, 16, seed=0)) == 5
    rotation, parts = product_codes(few, 2, 16, seed=0)
    assert rotation.shape == (WIDTH, WIDTH)
    assert [len(table) for table in parts] == [5, 5]


def test_equal_vectors_have_equal_codes_whatever_shares_their_batch() -> None:
    """Rows half-way between two centroids: one rounding more or less in their products would tell them apart."""
    rng = np.random.default_rng(4)
    table, weights = rng.normal(size=(64, 24)).astype(np.float32), rng.normal(size=(24, 24)).astype(np.float32)
    rotation = np.linalg.qr(weights)[0]
    halves = (table[:32] + table[32:]) / 2
    for one in (
        Quantiser((table, table[:9])),
        Quantiser((table,), encoder=(weights, table[0])),
        Quantiser((table[:9],), rotation=rotation, parts=(table[:, :12], table[:, 12:])),
    ):
        many = np.vstack([np.repeat(halves, 5, axis=0), halves[::-1], blobs(7).repeat(2, axis=1)])
        codes = one.codes(many)
        for row, code in zip(many, codes, strict=True):
            assert np.array_equal(one.codes(row[None])[0], code)
        assert np.array_equal(codes[:160].reshape(32, 5, -1), np.repeat(codes[160:192][::-1, None], 5, axis=1))


def test_nearest_rows_of_no_vector_are_none() -> None:
    assert nearest_rows(np.zeros((0, WIDTH), np.float32), blobs(4)).shape == (0,)


def test_layers_narrow_and_follow_the_catalog() -> None:
    assert shrinking(30_000, 3) == (512, 256, 128)
    assert shrinking(100, 3) == (16, 8, 8)
    assert shrinking(100, 3, least=8) == (8, 4, 4)
    assert shrinking(10**9, 2) == (4096, 2048)
