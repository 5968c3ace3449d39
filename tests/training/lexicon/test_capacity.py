from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slotbeam_train.lexicon.capacity import Capacity, assign, capacity
from slotbeam_train.lexicon.vectors import word_vectors


def test_words_that_all_fit_have_a_slot_each_and_no_cluster() -> None:
    assert capacity([5, 4, 3], 0.8, 1024, floor=4) == Capacity(0, 3)


def test_capacity_is_the_smallest_power_of_two_whose_solo_half_covers_the_share() -> None:
    counts = [100] * 10 + [1] * 100  # 1100 in all; eight words cover 73 %, 16 cover 91 %
    assert capacity(counts, 0.7, 1024) == Capacity(8, 8)
    assert capacity(counts, 0.8, 1024) == Capacity(16, 16)


def test_capacity_is_capped() -> None:
    assert capacity([1] * 5000, 0.9, 1024) == Capacity(512, 512)


def test_rare_words_get_no_solo_slot() -> None:
    assert capacity([9, 9, 9] + [1] * 500, 0.9, 1024, least=3) == Capacity(4, 3)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=300), st.floats(0.1, 0.99), st.sampled_from([16, 64, 256]))
def test_capacity_never_exceeds_its_cap(counts: list[int], coverage: float, cap: int) -> None:
    room = capacity(counts, coverage, cap)
    assert room.clusters + room.solo <= cap
    assert room.solo <= len(counts)


def test_clusters_come_first_and_solo_slots_follow_by_count() -> None:
    words = [f"w{n:02}" for n in range(20)]
    counts = list(range(20, 0, -1))
    vectors = word_vectors(words, [[n] for n in range(20)])
    index, used = assign(words, counts, vectors, Capacity(4, 4), seed=0)
    assert 1 <= used <= 4
    assert index[:4].tolist() == [used + 1, used + 2, used + 3, used + 4]
    assert set(index[4:].tolist()) == set(range(1, used + 1))


def test_clustering_is_deterministic() -> None:
    rng = np.random.default_rng(0)
    texts = [rng.choice(200, size=6, replace=False).tolist() for _ in range(400)]
    words = [f"word{n}" for n in range(200)]
    first, second = [
        assign(words, [1] * 200, word_vectors(words, texts), Capacity(16, 16), seed=7)[0] for _ in range(2)
    ]
    assert np.array_equal(first, second)


def test_concepts_that_are_sure_of_a_slot_are_solo_whatever_their_counts() -> None:
    counts = [9, 9, 9] + [1] * 500
    room = capacity(counts, 0.9, 1024, least=3, sure=2)
    assert room == Capacity(4, 4)
    words = [f"w{n:03d}" for n in range(len(counts))]
    index, used = assign(words, counts, word_vectors(words, [(n,) for n in range(len(words))]), room, 0, {400, 401})
    assert sorted(index[[400, 401]].tolist()) == [used + 3, used + 4]
    assert (np.delete(index, [0, 1, 400, 401]) <= used).all()
    assert capacity([1] * 40, 0.1, 16, sure=12).solo == 12
