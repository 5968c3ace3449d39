"""Text vectors: unit rows, what users type near what the catalog says, the same after a round trip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from slotbeam_lab.baselines.textvectors import TextVectors, terms_of, unit

TEXTS = [
    *["red couch\nsofa", "green couch\nsofa", "blue couch\nsofa", "couch"] * 4,
    *["red lamp\nlight", "green lamp\nlight", "blue lamp\nlight", "lamp"] * 4,
]


@pytest.fixture(scope="module")
def vectors() -> TextVectors:
    return TextVectors.fit(TEXTS, dimensions=2)


def test_rows_have_length_one_and_a_text_without_a_known_word_is_zero(vectors: TextVectors) -> None:
    made = vectors.vectors(["red couch", "unheard of", ""])
    assert made.shape == (3, vectors.dimensions)
    assert np.linalg.norm(made[0]) == pytest.approx(1.0, abs=1e-5)
    assert not made[1:].any()


def test_an_unseen_word_adds_nothing(vectors: TextVectors) -> None:
    plain, more = vectors.vectors(["red couch", "red couch zqxnew"])
    assert np.array_equal(plain, more)


def test_a_word_that_only_users_type_lies_near_what_they_clicked(vectors: TextVectors) -> None:
    sofa, couch, lamp = vectors.vectors(["sofa", "couch", "lamp"])
    assert sofa @ couch > 0.9 > 0.3 > sofa @ lamp


def test_a_round_trip_changes_nothing(vectors: TextVectors, tmp_path: Path) -> None:
    vectors.save(tmp_path / "v.npz")
    again = TextVectors.load(tmp_path / "v.npz")
    assert np.array_equal(again.vectors(TEXTS), vectors.vectors(TEXTS))


def test_plurals_fold_and_chinese_is_read_by_characters_and_pairs() -> None:
    assert terms_of("red couches") == ["red", "couch"]
    assert terms_of("手机壳 red") == ["手", "机", "壳", "手机", "机壳", "red"]


def test_rows_of_nothing_stay_nothing() -> None:
    assert not unit(np.zeros((2, 3), np.float32)).any()
