"""One run of interventions: rounds of unseen words, every system that can be told them, and the collateral."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slotbeam.catalog.item import Interaction
from slotbeam.search.artifact import Artifact
from slotbeam_lab.interventions.editable import Editable
from slotbeam_lab.interventions.intervene import (
    ask_rounds,
    collateral,
    collateral_queries,
    make_rounds,
    position_facts,
    tables_by,
)
from slotbeam_lab.measures.run import Progress

COLLATERAL = 10_000
"""Answers that are compared before and after."""


def intervene(
    artifact: Artifact,
    systems: Mapping[str, Editable],
    test: Sequence[Interaction],
    per_size: int,
    ks: Sequence[int],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Bind `per_size` words of every size in every system and ask for each.

    Args:
        artifact: it decides which words, slots and queries there are; the systems may be others.
        test: rows of the test day.

    Returns:
        JSON values: `words`, `sizes` (size → system → metric → values) and `positions` (means by group).
    """
    outcomes = ask_rounds(systems, make_rounds(artifact, test, per_size), ks, progress)
    tables = dict(sorted(tables_by(outcomes, lambda one: len(one.rows)).items()))
    return {
        "words": len(outcomes),
        "sizes": {str(size): table.values for size, table in tables.items()},
        "positions": position_facts(artifact, outcomes),
    }


def untouched(
    artifact: Artifact,
    test: Sequence[Interaction],
    log: Iterable[Interaction],
    per_size: int,
    k: int,
    wanted: int = COLLATERAL,
) -> dict[str, int]:
    """With the first round bound: how many of `wanted` queries without a bound word were asked, and answered anew.

    Args:
        log: rows of the days before the test day, oldest first; read when the test day has too few queries.
    """
    queries = collateral_queries(test, log, 2 * wanted)
    asked, changed = collateral(artifact, make_rounds(artifact, test, per_size)[0], queries, k, wanted)
    return {"untouched": asked, "changed": changed}
