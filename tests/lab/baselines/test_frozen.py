"""Text → vector → codes: unit rows, what users type near what the catalog says, the same after a round trip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("faiss")

from slotbeam.kae.facts import facts_of
from slotbeam_lab.baselines.frozen import Embedding, FrozenEncoding, SpectralVectors, terms_of, unit
from slotbeam_lab.baselines.quantise import Quantiser
from support.shop import make_kae

TEXTS = [
    *["red couch\nsofa", "green couch\nsofa", "blue couch\nsofa", "couch"] * 4,
    *["red lamp\nlight", "green lamp\nlight", "blue lamp\nlight", "lamp"] * 4,
]


@pytest.fixture(scope="module")
def vectors() -> SpectralVectors:
    return SpectralVectors.fit(TEXTS, dimensions=2)


def test_rows_have_length_one_and_a_text_without_a_known_word_is_zero(vectors: SpectralVectors) -> None:
    made = vectors.vectors(["red couch", "unheard of", ""])
    assert made.shape == (3, vectors.dimensions)
    assert np.linalg.norm(made[0]) == pytest.approx(1.0, abs=1e-5)
    assert not made[1:].any()


def test_an_unseen_word_adds_nothing(vectors: SpectralVectors) -> None:
    plain, more = vectors.vectors(["red couch", "red couch zqxnew"])
    assert np.array_equal(plain, more)


def test_a_word_that_only_users_type_lies_near_what_they_clicked(vectors: SpectralVectors) -> None:
    sofa, couch, lamp = vectors.vectors(["sofa", "couch", "lamp"])
    assert sofa @ couch > 0.9 > 0.3 > sofa @ lamp


def test_a_round_trip_changes_nothing(vectors: SpectralVectors, tmp_path: Path) -> None:
    vectors.save(tmp_path / "v.npz")
    again = SpectralVectors.load(tmp_path / "v.npz")
    assert np.array_equal(again.vectors(TEXTS), vectors.vectors(TEXTS))


def test_plurals_fold_and_chinese_is_read_by_characters_and_pairs() -> None:
    assert terms_of("red couches") == ["red", "couch"]
    assert terms_of("手机壳 red") == ["手", "机", "壳", "手机", "机壳", "red"]


def test_rows_of_nothing_stay_nothing() -> None:
    assert not unit(np.zeros((2, 3), np.float32)).any()


def test_keyword_vectors_are_half_text_half_mean_of_matched_words() -> None:
    texts = SpectralVectors.fit(["red mug from acme", "blue lamp from bolt", "red lamp", "blue mug"] * 3, dimensions=6)
    fused = Embedding(texts, make_kae()).vectors(["red mug from acme", "from"])
    text, red, mug, acme = texts.vectors(["red mug from acme", "red", "mug", "acme"])
    half = 0.5 * text + 0.5 * (red + mug + acme) / 3
    assert np.allclose(fused[0], half / np.linalg.norm(half), atol=1e-5)
    assert np.allclose(fused[1], texts.vectors(["from"])[0], atol=1e-5), "no word matched: the text alone"
    frozen = FrozenEncoding(Embedding(texts), Quantiser((unit(np.eye(6, dtype=np.float32)),)))
    assert frozen.encode("unheard of").sid == (0,)
    assert frozen.encode("red mug").sid[0] > 0


def test_a_closed_codebook_is_a_kae_without_words() -> None:
    texts = SpectralVectors.fit(["red mug from acme", "blue lamp from bolt", "red lamp", "blue mug"] * 3, dimensions=6)
    quantiser = Quantiser((unit(np.eye(6, dtype=np.float32)),) * 2)
    frozen = FrozenEncoding(Embedding(texts), quantiser, "of the file")
    book = frozen.codebook
    assert (book.sizes, len(book), book.sha) == (quantiser.sizes, 2, "of the file")
    assert not any(len(book.reserved(position)) for position in range(len(book)))
    assert facts_of(frozen, "red mug") == []
    assert frozen.knows_token("mug")
    assert not frozen.knows_token("unheard")
