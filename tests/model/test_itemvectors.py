"""Item vectors without PyTorch: an item's bytes are its own, and those of the policy give or take one."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.errors import ArtifactError
from slotbeam.model.itemvectors import MAX_ITEM_TEXT, ItemVectors, bag_of, gate_weights
from slotbeam.model.tokenizer import PAD, TITLE

V, D, E = 300, 48, 16
RNG = np.random.default_rng(5)
TABLE = RNG.normal(0, 0.3, (V, D)).astype(np.float16)
GATE = RNG.normal(0, 2, D)
MIX, BIAS, HEAD = (RNG.normal(0, 0.2, shape).astype(np.float32) for shape in ((D, D), (D,), (E, D)))
VECTORS = ItemVectors.of(TABLE, gate_weights(TABLE, GATE), MIX, BIAS, HEAD)

bags = st.lists(st.lists(st.integers(1, V - 1), min_size=1, max_size=40), min_size=1, max_size=30)


@settings(max_examples=200)
@given(bags, st.integers(1, 7), st.randoms(use_true_random=False))
def test_the_bytes_of_an_item_do_not_depend_on_what_shares_its_block(given_bags, size, random):
    whole = VECTORS.encode(given_bags)
    order = list(range(len(given_bags)))
    random.shuffle(order)
    for start in range(0, len(order), size):
        block = order[start : start + size]
        assert VECTORS.encode([given_bags[i] for i in block]).tolist() == whole[block].tolist()


def test_they_are_those_of_the_formula_give_or_take_one():
    given_bags = [RNG.integers(1, V, RNG.integers(1, 40)).tolist() for _ in range(500)]
    table = TABLE.astype(np.float64)
    for bag, got in zip(given_bags, VECTORS.encode(given_bags), strict=True):
        gates = np.exp(table[bag] @ GATE)
        mean = gates @ table[bag] / gates.sum()
        out = HEAD @ (mean + np.maximum(MIX @ mean + BIAS, 0))
        assert np.abs(got - out / np.linalg.norm(out) * 127).max() <= 1


def test_a_bag_holds_the_slots_and_the_first_distinct_words_and_is_never_empty():
    assert bag_of([200, 201], [5, 6, 5, 7]) == [200, 201, 5, 6, 7]
    assert bag_of([200], range(1, 100)) == [200, *range(1, MAX_ITEM_TEXT + 1)]
    assert bag_of([], []) == [TITLE]


def test_padding_adds_nothing():
    assert VECTORS.encode([[5, 6, PAD, PAD]]).tolist() == VECTORS.encode([[5, 6]]).tolist()


def test_no_items_have_no_vectors():
    assert VECTORS.encode([]).shape == (0, E)


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match=r"items.npz cannot be read"):
        ItemVectors.load(tmp_path)


def test_the_bytes_are_the_same_on_every_processor():
    """`make test-kernels` runs this with other instructions; nothing here but the vectors is no whole number."""
    rng = np.random.default_rng(11)
    table, mix, head = (rng.integers(-900, 900, shape) / 2048 for shape in ((V, D), (D, D), (E, D)))
    vectors = ItemVectors.of(table, rng.integers(1, 2**20, V) / 2**20, mix, np.zeros(D), head)
    got = vectors.encode([rng.integers(1, V, 1 + number % 40).tolist() for number in range(2000)])
    assert hashlib.sha256(got.tobytes()).hexdigest()[:16] == "bd70797c3cb5091b"
