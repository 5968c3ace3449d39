"""Several branches fused by reciprocal rank, as a search system is deployed: with an inverted index, or KAE instead.

One of them is behaviour: what users took after the same query, then after queries that share its words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import load_catalog, load_log
from slotbeam.language.normalize import normalize
from slotbeam_lab.baselines import bm25, dense
from slotbeam_lab.baselines.bm25 import Bm25
from slotbeam_lab.baselines.registry import Built, Setup
from slotbeam_lab.baselines.systems import build_kae
from slotbeam_lab.measures.run import Asked, System

ORDER_WEIGHT = 3
"""Clicks that an order counts for, as in training."""


class Behaviour:
    """Two tables of a log: canonical query → items, and BM25 over the queries that led to each item."""

    def __init__(self, log: Iterable[Interaction], known: Iterable[str]) -> None:
        """Read a log.

        Args:
            log: clicks and orders of the training days.
            known: ids of the catalog; rows that lead elsewhere are left out.
        """
        ids = set(known)
        led: dict[str, Counter[str]] = defaultdict(Counter)
        said: dict[str, list[str]] = defaultdict(list)
        for interaction in log:
            query, item = normalize(interaction.query), interaction.item_id
            if query and item in ids:
                weight = ORDER_WEIGHT if interaction.kind == "order" else 1
                led[query][item] += weight
                said[item] += [query] * weight
        self._led = {query: [item for item, _ in counts.most_common()] for query, counts in led.items()}
        self._index = Bm25([Item(item, " ".join(queries)) for item, queries in said.items()]) if said else None

    def search(self, query: str, k: int) -> list[str]:
        """Items of the same query by their weight, then of queries that share words; an unseen query may find none."""
        canonical = normalize(query)
        near = self._index.search(canonical, k) if self._index else []
        return list(dict.fromkeys([*self._led.get(canonical, []), *near]))[:k]


def behaviour_of(setup: Setup) -> Behaviour:
    """Return the branch of a comparison: days up to `options.last_day`; empty without a log."""
    log = load_log(setup.logs) if setup.logs is not None else iter(())
    days = (interaction for interaction in log if interaction.day <= setup.options.last_day)
    return Behaviour(days, (item.id for item in load_catalog(setup.catalog)))


RRF_K = 60
"""Cormack, Clarke and Büttcher's constant: score = Σ over branches 1 / (RRF_K + rank)."""


def fuse(
    rankings: Sequence[Sequence[str]], k: int, constant: int = RRF_K, weights: Sequence[float] | None = None
) -> list[str]:
    """Fuse rankings by reciprocal rank into the best `k`; among equals the one that an earlier branch has.

    Args:
        rankings: one a branch, best first. k: items wanted.
        constant: added to every rank. weights: of each branch; all 1 unless given.
    """
    scores: dict[str, float] = defaultdict(float)
    for ranked, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for rank, item in enumerate(ranked, start=1):
            scores[item] += weight / (constant + rank)
    return sorted(scores, key=lambda item: -scores[item])[:k]


def fused_system(branches: Sequence[System]) -> System:
    """Ask every branch for as many items as are wanted, and fuse."""

    def search(asked: Asked, k: int) -> list[str]:
        return fuse([branch(asked, k) for branch in branches], k)

    return search


def build(setup: Setup) -> Built:
    """Fuse BM25, dense and behaviour."""
    return _build(setup, bm25.build)


def build_with_kae(setup: Setup) -> Built:
    """Fuse the same with slotbeam in the place of BM25."""
    return _build(setup, build_kae)


def _build(setup: Setup, first: Callable[[Setup], Built]) -> Built:
    parts = [first(setup), dense.build(setup), _behaviour(setup)]
    return Built(fused_system([part.search for part in parts]), parts[0].artifact, parts[0].facts | parts[1].facts)


def _behaviour(setup: Setup) -> Built:
    branch = behaviour_of(setup)
    return Built(lambda asked, k: branch.search(asked.query, k))
