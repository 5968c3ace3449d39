"""Judged queries (Icecat's, or any file of the same shape): BM25 beside an artifact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slotbeam_lab.measures import metrics
from slotbeam_lab.measures.judgements import Judged
from slotbeam_lab.measures.run import Asked, Progress, System, Table, evaluate


def judged_table(
    systems: Mapping[str, System], judged: Sequence[Judged], ks: Sequence[int], progress: Progress | None = None
) -> Table:
    """Recall@K for each K, nDCG@10, condensed nDCG@10, bpref and MRR at the largest K.

    Queries without a relevant item are left out: every metric is undefined there.
    """
    judged = [one for one in judged if one.relevant]
    most = max(ks)

    def score(number: int, ranked: Sequence[str]) -> dict[str, float]:
        one = judged[number]
        return {
            **{f"Recall@{k}": metrics.recall(ranked, one.relevant, k) for k in ks},
            "nDCG@10": metrics.ndcg(ranked, one.ratings),
            "condensed nDCG@10": metrics.condensed_ndcg(ranked, one.ratings),
            "bpref": metrics.bpref(ranked, one.relevant, one.other),
            f"MRR@{most}": metrics.reciprocal_rank(ranked, one.relevant, most),
        }

    return evaluate(systems, [Asked(one.query) for one in judged], most, score, progress)


def judged_recall(system: System, judged: Sequence[Judged], k: int) -> tuple[float, float]:
    """Mean recall of everything that `system` returns, and how many items that is on average."""
    judged = [one for one in judged if one.relevant]
    answers = [system(Asked(one.query), k) for one in judged]
    found = [metrics.recall(answer, one.relevant, len(answer)) for answer, one in zip(answers, judged, strict=True)]
    return sum(found) / len(judged), sum(map(len, answers)) / len(judged)
