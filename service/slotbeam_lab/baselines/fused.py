"""Several branches fused by reciprocal rank, as a search system is deployed: with an inverted index, or KAE instead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from slotbeam_lab.baselines import behaviour, bm25, dense
from slotbeam_lab.baselines.registry import Build, Built, Setup
from slotbeam_lab.baselines.systems import build_kae
from slotbeam_lab.measures.run import Asked, System

RRF_K = 60
"""Cormack, Clarke and Büttcher's constant: score = Σ over branches 1 / (RRF_K + rank)."""


def fuse(rankings: Sequence[Sequence[str]], k: int) -> list[str]:
    """The best `k` of several rankings by reciprocal rank fusion; among equals the one that an earlier branch has."""
    scores: dict[str, float] = defaultdict(float)
    for ranked in rankings:
        for rank, item in enumerate(ranked, start=1):
            scores[item] += 1 / (RRF_K + rank)
    return sorted(scores, key=lambda item: -scores[item])[:k]


def fused_system(branches: Sequence[System]) -> System:
    """Ask every branch for as many items as are wanted, and fuse."""

    def search(asked: Asked, k: int) -> list[str]:
        return fuse([branch(asked, k) for branch in branches], k)

    return search


def build(setup: Setup) -> Built:
    """BM25 + dense + behaviour."""
    return _build(setup, bm25.build)


def build_with_kae(setup: Setup) -> Built:
    """slotbeam in the place of BM25."""
    return _build(setup, build_kae)


def _build(setup: Setup, first: Build) -> Built:
    parts = [first(setup), dense.build(setup), behaviour.build(setup)]
    return Built(fused_system([part.search for part in parts]), parts[0].artifact, parts[0].facts | parts[1].facts)
