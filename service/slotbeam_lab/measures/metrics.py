"""Ranking metrics of one query; each formula is in its docstring. Means over queries are the caller's.

`ranked` is a list of distinct item ids, best first. `relevant` is a set of ids; `grades` maps an id to its gain and
holds judged items only.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence


def hit_rate(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """HR@K = 1 if any of the first K is relevant, else 0."""
    return float(any(item in relevant for item in ranked[:k]))


def recall(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Recall@K = |first K ∩ relevant| / |relevant|; 0 when nothing is relevant."""
    return sum(item in relevant for item in ranked[:k]) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """RR@K = 1 / (rank of the first relevant item), 0 when none is among the first K. Its mean is MRR@K."""
    return next((1.0 / rank for rank, item in enumerate(ranked[:k], start=1) if item in relevant), 0.0)


def ndcg(ranked: Sequence[str], grades: Mapping[str, float], k: int = 10) -> float:
    """nDCG@K = DCG@K / ideal DCG@K, DCG@K = Σ_{r=1..K} (2^g_r − 1) / log2(r + 1); an unjudged item has g = 0.

    The ideal order is of all judged items; 0 when none has a gain.
    """
    ideal = _dcg(sorted(grades.values(), reverse=True)[:k])
    return _dcg([grades.get(item, 0.0) for item in ranked[:k]]) / ideal if ideal else 0.0


def condensed_ndcg(ranked: Sequence[str], grades: Mapping[str, float], k: int = 10) -> float:
    """nDCG@K of the list that is left when unjudged items are dropped."""
    return ndcg([item for item in ranked if item in grades], grades, k)


def bpref(ranked: Sequence[str], relevant: Collection[str], other: Collection[str]) -> float:
    """bpref = 1/R Σ_r (1 − min(n_r, R) / min(R, N)).

    R relevant and N judged non-relevant (`other`) items; the sum is over the relevant items in `ranked`, n_r of
    `other` stand above r. With N = 0 every relevant item that is found counts 1. 0 when nothing is relevant.
    """
    if not relevant:
        return 0.0
    bound = min(len(relevant), len(other))
    above, total = 0, 0.0
    for item in ranked:
        if item in other:
            above += 1
        elif item in relevant:
            total += 1.0 - min(above, len(relevant)) / bound if bound else 1.0
    return total / len(relevant)


def _dcg(gains: Sequence[float]) -> float:
    return math.fsum((2.0**gain - 1.0) / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))
