"""Metrics against values worked out by hand, and against an independent brute force."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam_lab.measures import metrics

RANKED = ["a", "x", "b", "y", "c"]
GRADES = {"a": 2, "b": 3, "c": 0, "d": 1}


def test_hit_rate_by_hand() -> None:
    assert metrics.hit_rate(RANKED, {"b"}, 2) == 0
    assert metrics.hit_rate(RANKED, {"b"}, 3) == 1
    assert metrics.hit_rate([], {"b"}, 3) == 0


def test_recall_by_hand() -> None:
    assert metrics.recall(RANKED, {"a", "b", "d"}, 3) == pytest.approx(2 / 3)
    assert metrics.recall(RANKED, set(), 3) == 0


def test_reciprocal_rank_by_hand() -> None:
    assert metrics.reciprocal_rank(RANKED, {"b", "c"}, 5) == pytest.approx(1 / 3)
    assert metrics.reciprocal_rank(RANKED, {"b"}, 2) == 0


def test_ndcg_by_hand() -> None:
    got = 3 / math.log2(2) + 7 / math.log2(4)
    ideal = 7 / math.log2(2) + 3 / math.log2(3) + 1 / math.log2(4)
    assert metrics.ndcg(RANKED, GRADES) == pytest.approx(got / ideal)
    assert metrics.ndcg(RANKED, {"a": 0}) == 0


def test_condensed_ndcg_drops_unjudged_items() -> None:
    got = 3 / math.log2(2) + 7 / math.log2(3)
    ideal = 7 / math.log2(2) + 3 / math.log2(3) + 1 / math.log2(4)
    assert metrics.condensed_ndcg(RANKED, GRADES) == pytest.approx(got / ideal)


def test_bpref_by_hand() -> None:
    # Relevant a, b, d; judged other x, z. a has none above it, b has x, d is not found: (1 + (1 − 1/2)) / 3.
    assert metrics.bpref(RANKED, {"a", "b", "d"}, {"x", "z"}) == pytest.approx(0.5)
    assert metrics.bpref(RANKED, {"a", "b"}, set()) == 1
    assert metrics.bpref(RANKED, set(), {"x"}) == 0


ITEMS = st.sampled_from("abcdefgh")


@given(st.lists(ITEMS, unique=True), st.dictionaries(ITEMS, st.integers(0, 3)), st.integers(1, 10))
def test_every_metric_equals_its_definition_taken_literally(ranked: list[str], grades: dict[str, int], k: int) -> None:
    relevant = {item for item, grade in grades.items() if grade >= 2}
    other = set(grades) - relevant
    places = {item: ranked.index(item) + 1 for item in relevant if item in ranked[:k]}
    assert metrics.hit_rate(ranked, relevant, k) == (1.0 if places else 0.0)
    assert metrics.recall(ranked, relevant, k) == pytest.approx(len(places) / len(relevant) if relevant else 0)
    assert metrics.reciprocal_rank(ranked, relevant, k) == pytest.approx(1 / min(places.values()) if places else 0)
    gains = [(2 ** grades.get(one, 0) - 1) / math.log2(i + 2) for i, one in enumerate(ranked)]
    best = [(2**g - 1) / math.log2(i + 2) for i, g in enumerate(sorted(grades.values())[::-1])]
    assert metrics.ndcg(ranked, grades, k) == pytest.approx(sum(gains[:k]) / sum(best[:k]) if sum(best[:k]) else 0)
    judged = [item for item in ranked if item in grades]
    assert metrics.condensed_ndcg(ranked, grades, k) == metrics.ndcg(judged, grades, k)
    total = 0.0
    for item in relevant & set(ranked):
        above = len(other & set(ranked[: ranked.index(item)]))
        total += 1 - min(above, len(relevant)) / min(len(relevant), len(other)) if other else 1
    assert metrics.bpref(ranked, relevant, other) == pytest.approx(total / len(relevant) if relevant else 0)


@given(st.lists(ITEMS, unique=True), st.dictionaries(ITEMS, st.integers(0, 3)), st.integers(1, 10))
def test_every_metric_lies_between_0_and_1(ranked: list[str], grades: dict[str, int], k: int) -> None:
    relevant = {item for item, grade in grades.items() if grade >= 2}
    for value in (
        metrics.hit_rate(ranked, relevant, k),
        metrics.recall(ranked, relevant, k),
        metrics.reciprocal_rank(ranked, relevant, k),
        metrics.ndcg(ranked, grades, k),
        metrics.condensed_ndcg(ranked, grades, k),
        metrics.bpref(ranked, relevant, set(grades) - relevant),
    ):
        assert -1e-12 <= value <= 1 + 1e-12


items = st.lists(st.integers(0, 12).map(str), unique=True, max_size=9)


@given(items, items, st.integers(1, 12))
def test_overlap_equals_counting_the_pairs_that_are_equal(one: list[str], other: list[str], k: int) -> None:
    pairs = sum(a == b for a in one[:k] for b in other[:k])
    longest = max(len(one[:k]), len(other[:k]))
    assert metrics.overlap(one, other, k) == (pairs / longest if longest else 1)


@given(items, items, st.sampled_from([0.5, 0.9]))
def test_rank_biased_overlap_is_the_sum_of_the_agreements_that_are_seen_and_extrapolated(
    one: list[str], other: list[str], p: float
) -> None:
    """Webber et al. 2010, equation 4, to where p^d is nothing: what is not seen of a list agrees as what is seen."""
    short, long = sorted((one, other), key=len)
    if not short:
        assert metrics.rank_biased_overlap(one, other, p) == float(not long)
        return

    def agreement(depth: int) -> float:
        held = len(set(short[:depth]) & set(long[:depth]))
        beyond = max(depth - len(short), 0) * len(set(short) & set(long[: len(short)])) / len(short)
        return (held + beyond) / depth

    seen = sum((1 - p) * p ** (d - 1) * agreement(d) for d in range(1, len(long) + 1))
    total = seen + sum((1 - p) * p ** (d - 1) * agreement(len(long)) for d in range(len(long) + 1, 500))
    assert metrics.rank_biased_overlap(one, other, p) == pytest.approx(total, abs=1e-9)
    assert metrics.rank_biased_overlap(one, other, p) == metrics.rank_biased_overlap(other, one, p)
    assert metrics.rank_biased_overlap(one, one, p) == 1


def test_rank_biased_overlap_weighs_the_first_ranks_most() -> None:
    ranked = [str(rank) for rank in range(20)]
    first, last = ["x", *ranked[1:]], [*ranked[:-1], "x"]
    assert metrics.rank_biased_overlap(ranked, first) < 0.9 < 0.99 < metrics.rank_biased_overlap(ranked, last) < 1
