"""Our metrics against trec_eval's own code, on random runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam_lab.measures import metrics
from slotbeam_lab.measures.questions import RELEVANT

pytrec_eval = pytest.importorskip("pytrec_eval")

ITEMS = [f"d{n}" for n in range(40)]
RANKED = st.lists(st.sampled_from(ITEMS), unique=True, min_size=1)
GRADES = st.dictionaries(st.sampled_from(ITEMS), st.integers(0, 3), min_size=1)
K = st.sampled_from([1, 3, 10, 30])


def trec(measure: str, ranked: list[str], relevances: dict[str, int]) -> float:
    """Return what trec_eval says of one run: the measure of one query, 0 where it has nothing to say."""
    run = {"q": {item: float(len(ranked) - rank) for rank, item in enumerate(ranked)}}
    found = pytrec_eval.RelevanceEvaluator({"q": relevances}, {measure}).evaluate(run) if ranked else {}
    return float(found["q"][measure.replace(".", "_")]) if "q" in found else 0.0


@given(RANKED, GRADES, K)
def test_hit_rate_recall_and_reciprocal_rank_are_those_of_trec_eval(
    ranked: list[str], grades: dict[str, int], k: int
) -> None:
    relevant = {item for item, grade in grades.items() if grade >= RELEVANT}
    binary = {item: int(item in relevant) for item in grades}
    assert metrics.hit_rate(ranked, relevant, k) == trec(f"success.{k}", ranked, binary)
    assert metrics.recall(ranked, relevant, k) == pytest.approx(trec(f"recall.{k}", ranked, binary))
    assert metrics.reciprocal_rank(ranked, relevant, k) == pytest.approx(trec("recip_rank", ranked[:k], binary))


@given(RANKED, GRADES, K)
def test_ndcg_is_that_of_trec_eval_with_exponential_gains(ranked: list[str], grades: dict[str, int], k: int) -> None:
    gains = {item: 2**grade - 1 for item, grade in grades.items()}  # trec_eval's own gain is the grade itself
    assert metrics.ndcg(ranked, grades, k) == pytest.approx(trec(f"ndcg_cut.{k}", ranked, gains))
    judged = [item for item in ranked if item in grades]
    assert metrics.condensed_ndcg(ranked, grades, k) == pytest.approx(trec(f"ndcg_cut.{k}", judged, gains))


@given(RANKED, GRADES)
def test_bpref_is_that_of_trec_eval(ranked: list[str], grades: dict[str, int]) -> None:
    relevant = {item for item, grade in grades.items() if grade >= RELEVANT}
    expected = trec("bpref", ranked, {item: int(item in relevant) for item in grades})
    assert metrics.bpref(ranked, relevant, set(grades) - relevant) == pytest.approx(expected)
