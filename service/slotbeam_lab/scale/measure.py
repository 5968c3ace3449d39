"""Systems asked the same queries in turns: their answers, and the processor time of each."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from slotbeam.catalog.item import Interaction
from slotbeam.decode.frontier import Opened
from slotbeam.search.artifact import Artifact
from slotbeam_lab.baselines.inverted import InvertedFile
from slotbeam_lab.measures import metrics
from slotbeam_lab.measures.run import Asked, System, Values
from slotbeam_lab.scale.ways import Way, mass_alone, opened, read

OURS, TANTIVY, BM25S, SCAN, LISTS = (
    "slotbeam",
    "tantivy OR",
    "bm25s",
    "exact scan, our item score",
    "inverted file (FAISS), our item score",
)
"""Labels of the systems."""

WARM_UP = 10
"""Queries that every system is asked before any is timed."""

BUDGETS = (256, 1024, 4096, 16_384, 65_536, 262_144)
"""Scan budgets of the curve of candidate recall."""


def take_turns(
    systems: Mapping[str, System], rows: Sequence[Interaction], k: int, seed: int
) -> tuple[dict[str, Values], dict[str, list[float]]]:
    """Ask every system every query, one query after another, the systems of each in a random order.

    Returns:
        For each system its metrics, one value a query (HR@K of 10, 100 and 350 up to `k`, MRR@k), and the milliseconds
        of this process's processor time that each query took it.
    """
    asked = [Asked.of(row) for row in rows]
    for query in asked[:WARM_UP]:
        for search in systems.values():
            search(query, k)
    values: dict[str, Values] = {name: {} for name in systems}
    milliseconds: dict[str, list[float]] = {name: [] for name in systems}
    turns, names = np.random.default_rng(seed), list(systems)
    for row, query in zip(rows, asked, strict=True):
        for name in turns.permutation(names).tolist():
            began = time.process_time()
            ranked = systems[name](query, k)
            milliseconds[name].append(round(1000 * (time.process_time() - began), 4))
            for metric, value in _metrics(ranked, row.item_id, k).items():
                values[name].setdefault(metric, []).append(value)
    return values, milliseconds


def _metrics(ranked: Sequence[str], wanted: str, k: int) -> dict[str, float]:
    rates = {f"HR@{most}": metrics.hit_rate(ranked, (wanted,), most) for most in (10, 100, 350) if most <= k}
    return rates | {f"MRR@{k}": round(metrics.reciprocal_rank(ranked, (wanted,), k), 6)}


def recall_curve(artifact: Artifact, lists: InvertedFile, rows: Sequence[Interaction]) -> list[dict[str, Any]]:
    """Return by budget whether each click's item is in the opened ranges, and in lists that hold as many rows or more.

    Returns:
        For each budget below the catalog's size: `budget`, `rows` looked at, `ranges` and `lists` (0 or 1), `words`
        (the ranges with the words' candidates added), `steps` and `decoded` (rows in these steps); `mass` and
        `deeper`, ranges opened by mass alone, and decoded deeper where they exceed what is left by more than the
        budget, with `mass_rows` and `deeper_rows`; one value a query each.
    """
    served = Way.served(artifact)
    readings = [read(artifact, Asked.of(row)) for row in rows]
    wanted = [artifact.catalog.row_of(row.item_id) for row in rows]
    curve = []
    for budget in sorted({*BUDGETS, served.budget.rows}):
        if budget >= len(artifact.catalog):
            break
        way = served.scanning(budget)
        point: dict[str, Any] = {"budget": budget, "served": budget == served.budget.rows}
        others = {
            "mass": replace(way, worth=mass_alone),
            "deeper": replace(way, budget=replace(way.budget, step=budget)),
        }
        columns: dict[str, list[int]] = {}
        for reading, row in zip(readings, wanted, strict=True):
            ranges, held = opened(artifact, reading, way), -1 if row is None else row
            looked_at, inside = _looked_at(ranges, held)
            lexical = held in reading.terms.best(artifact.options.lexical_candidates)
            by_lists = row is not None and lists.reaches(reading.vector, row, looked_at)
            told = {"rows": looked_at, "steps": ranges.steps, "decoded": ranges.decoded}
            told |= {"ranges": inside, "lists": by_lists, "words": inside or lexical}
            for name, other in others.items():
                told[f"{name}_rows"], told[name] = _looked_at(opened(artifact, reading, other), held)
            for name, value in told.items():
                columns.setdefault(name, []).append(int(value))
        curve.append(point | columns)
    return curve


def _looked_at(ranges: Opened, row: int) -> tuple[int, bool]:
    """Return how many rows the ranges hold, and whether `row` is one of them."""
    rows = int((ranges.stop - ranges.start).sum())
    return rows, bool(((ranges.start <= row) & (row < ranges.stop)).any())
