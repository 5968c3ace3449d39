"""The scan budget, chosen at the end of training: as few rows as bring what users took about as often as many do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from slotbeam.catalog.item import Interaction
from slotbeam.catalog.passing import Passing
from slotbeam.decode.frontier import open_ranges
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Shelf
from slotbeam.search.groups import read_base
from slotbeam.search.request import SearchRequest
from slotbeam.types import BoolArray
from slotbeam_train.budget import Budget

BUDGETS = tuple(2**power for power in range(10, 17))
"""Rows, 1 024 to 65 536: no fewer than an answer may hold, and no more than a query can afford."""
KEPT = 0.995
"""Share of the largest budget's candidate recall that a smaller one has to keep."""
QUERIES = 2000
"""Queries that the choice needs; with fewer the budget stays as it is."""
_ROUNDS = 2000


@dataclass(frozen=True, slots=True)
class ScanChoice:
    """What was chosen, and the candidate recall of every budget that was tried."""

    rows: int
    recall: Mapping[int, float]


def choose_budget(
    artifact: Artifact, taken: Sequence[Interaction], seed: int, budget: Budget | None = None, least: int = QUERIES
) -> ScanChoice:
    """Return the smallest budget that keeps `KEPT` of the largest one's candidate recall, for sure.

    For sure: the lower bound of the ratio, a paired bootstrap over queries, 95 %.

    Args:
        artifact: as it will be served.
        taken: queries, their histories, and the item that each led to.
        seed: of the bootstrap.
        budget: what it may take; when that is used up the queries that were decoded have to do.
        least: queries that the choice needs.
    """
    n = len(artifact.catalog)
    budgets = BUDGETS[: sum(rows < n for rows in BUDGETS) + 1]  # one that holds all is as good as any larger one
    asked = takewhile(lambda _: budget is None or budget.left > 0, taken)
    reached = np.array([_reached(artifact, row, budgets) for row in asked]).reshape(-1, len(budgets))
    recall = dict(zip(budgets, reached.mean(axis=0).tolist(), strict=True)) if len(reached) else {}
    if len(reached) < least or not reached[:, -1].any():
        return ScanChoice(artifact.options.scan_budget, recall)
    rng = np.random.default_rng([seed, 5])
    means = np.stack([reached[rng.integers(0, len(reached), len(reached))].mean(axis=0) for _ in range(_ROUNDS)])
    lower = np.percentile(means / np.maximum(means[:, -1:], 1 / len(reached)), 2.5, axis=0)
    return ScanChoice(budgets[int(np.argmax(lower >= KEPT))], recall)


def _reached(artifact: Artifact, row: Interaction, budgets: Sequence[int]) -> BoolArray:
    """Return (budgets,) whether the item that was taken would be a candidate under each."""
    request = SearchRequest(row.query, recent_queries=row.recent_queries, recent_item_ids=row.recent_item_ids)
    read = read_base(artifact, request)
    catalog, wanted = artifact.catalog, artifact.catalog.row_of(row.item_id)
    if wanted is None:
        return np.zeros(len(budgets), np.bool_)
    everything, options = Passing(len(catalog)), artifact.options
    by_words = wanted in read.terms.best(options.lexical_candidates)
    near = catalog.text_index.nearest(read.text_vector, options.text_candidates, options.text_rows, everything)
    if by_words or wanted in near:
        return np.ones(len(budgets), np.bool_)
    reached = np.zeros(len(budgets), np.bool_)
    for number, rows in enumerate(budgets):
        opened = open_ranges(
            artifact.model,
            read.memory,
            Shelf(artifact.trie, catalog.leaf_items, everything),
            artifact.options.budget_of(rows),
        )
        reached[number] = bool(((opened.start <= wanted) & (wanted < opened.stop)).any())
    return reached
