"""Text vectors without a teacher: a text's bytes are its own, and those of the sum of its tokens."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.errors import ArtifactError
from slotbeam.model.textvectors import MAX_WORDS, TABLE, TextVectors, words_of_item
from support.texts import VOCABULARY, tokenizer

RNG = np.random.default_rng(3)
WIDTH = 24
TEXTS = TextVectors(
    tokenizer(),
    RNG.integers(-127, 128, (len(VOCABULARY), WIDTH)).astype(np.int8),
    RNG.integers(1, 65536, len(VOCABULARY)).astype(np.int32),
    RNG.integers(-127, 128, (8, WIDTH)).astype(np.int8),
)

words = st.lists(st.sampled_from([*VOCABULARY, "sofas", "zzqx", "ß"]), max_size=9).map(" ".join)


def oracle(text_words: list[str]) -> np.ndarray:
    """Sum, token by token, in whole numbers of any size."""
    total = [0] * WIDTH
    for word in text_words:
        for token in TEXTS.tokenizer.encode(word, add_special_tokens=False).ids:
            for place in range(WIDTH):
                total[place] += int(TEXTS.table[token, place]) * int(TEXTS.scales[token])
    return np.array(total, dtype=np.float64)


@settings(max_examples=100)
@given(words)
def test_a_query_has_the_direction_of_the_sum_of_its_tokens(text: str) -> None:
    total = oracle(text.split())
    assert TEXTS.of_query(text) == pytest.approx(total / (np.linalg.norm(total) or 1.0), abs=1e-12)


@settings(max_examples=100)
@given(words, st.lists(words, max_size=3))
def test_an_item_is_its_title_twice_and_its_other_texts(title: str, others: list[str]) -> None:
    rest = [word for text in others for word in text.split()]
    assert TEXTS.of_item(title, others).tolist() == oracle([*title.split() * 2, *rest]).tolist()


def test_of_a_long_item_no_more_words_are_read_than_the_limit() -> None:
    assert len(words_of_item("sofa red", ["mug " * 500])) == MAX_WORDS + 2
    assert len(words_of_item("sofa " * 500, ["mug"])) == 2 * MAX_WORDS


@settings(max_examples=50)
@given(st.lists(words, min_size=1, max_size=12), st.integers(1, 5))
def test_the_bytes_of_an_item_do_not_depend_on_what_shares_its_block(titles: list[str], size: int) -> None:
    totals = np.array([TEXTS.of_item(title, ()) for title in titles])
    whole = TEXTS.units(totals)
    parts = [TEXTS.units(totals[start : start + size]) for start in range(0, len(titles), size)]
    assert np.concatenate(parts).tolist() == whole.tolist()
    lengths = np.linalg.norm(totals, axis=1, keepdims=True)
    assert np.abs(whole - totals / np.maximum(lengths, 1) * 127).max() <= 0.5 + 1e-9
    lists = [TEXTS.lists_of(part) for part in parts]
    assert np.concatenate(lists).tolist() == TEXTS.lists_of(whole).tolist()


def test_a_list_is_that_of_the_nearest_centroid() -> None:
    units = TEXTS.units(RNG.normal(size=(50, WIDTH)) * 1e5)
    nearest = [max(range(8), key=lambda c: int(unit.astype(int) @ TEXTS.centroids[c].astype(int))) for unit in units]
    assert TEXTS.lists_of(units).tolist() == nearest


@pytest.mark.parametrize(
    ("text", "known"), [("sofa", True), ("zzqx sofa", True), ("zzqx", False), ("", False), ("sofamug", False)]
)
def test_it_knows_whole_words_of_the_teacher_and_no_letters_in_any_order(text: str, known: bool) -> None:
    assert TEXTS.knows(text) is known


def test_a_text_that_says_nothing_has_no_direction() -> None:
    assert not TEXTS.of_query("").any()


def test_what_is_saved_is_read_again(tmp_path) -> None:
    TEXTS.save(tmp_path)
    again = TextVectors.load(tmp_path)
    assert again is not None
    assert again.of_item("red sofa", ["mug"]).tolist() == TEXTS.of_item("red sofa", ["mug"]).tolist()


def test_a_model_without_a_teacher_has_none_and_a_damaged_file_is_named(tmp_path) -> None:
    assert TextVectors.load(tmp_path) is None
    (tmp_path / TABLE).write_bytes(b"none")
    with pytest.raises(ArtifactError, match=r"text_vectors.npz cannot be read"):
        TextVectors.load(tmp_path)
    TEXTS.save(tmp_path)
    np.savez(tmp_path / TABLE, table=TEXTS.table[:3], scales=TEXTS.scales[:3], centroids=TEXTS.centroids)
    with pytest.raises(ArtifactError, match=r"text_vectors.npz does not fit"):
        TextVectors.load(tmp_path)
