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


def overlap(one: Sequence[str], other: Sequence[str], k: int) -> float:
    """Overlap@K = |first K of one ∩ first K of the other| / the length of the longer of both; two empty ones are 1.

    Of two lists of at least K items this is their agreement at depth K (Webber et al. 2010).
    """
    first, second = set(one[:k]), set(other[:k])
    longest = max(len(first), len(second))
    return len(first & second) / longest if longest else 1.0


def rank_biased_overlap(one: Sequence[str], other: Sequence[str], p: float = 0.9) -> float:
    """RBO_ext of two rankings, extrapolated from what is seen of them; 1 of equal ones, 0 where only one is empty.

    With p = 0.9 the first ten ranks have 86 % of the weight. Source: Webber, Moffat and Zobel, "A similarity measure
    for indefinite rankings", ACM TOIS 28(4), 2010, equation 32, for lists of unequal length.
    """
    short, long = sorted((one, other), key=len)
    if list(short) == list(long):
        return 1.0  # and not what a sum of powers rounds to
    if not short:
        return 0.0
    s, found, total = len(short), 0, 0.0
    seen_short: set[str] = set()
    seen_long: set[str] = set()
    found_at_s = 0
    for depth, item in enumerate(long, start=1):
        seen_long.add(item)
        found += item in seen_short
        if depth <= s:
            seen_short.add(short[depth - 1])
            found += short[depth - 1] in seen_long
            found_at_s = found
            total += found / depth * p**depth
        else:
            total += (found / depth + found_at_s * (depth - s) / (s * depth)) * p**depth
    last = (found - found_at_s) / len(long) + found_at_s / s
    return (1 - p) / p * total + last * p ** len(long)


def _dcg(gains: Sequence[float]) -> float:
    return math.fsum((2.0**gain - 1.0) / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))
