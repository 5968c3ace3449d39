"""What lies behind the tables: recall against beam width and candidates, the information-loss elbow, slot density, and
what the user's history is worth.

Logs where nearly every row has a long history (the world's test day does) say little by the rows' own lengths: the
*curve* of history asks the same rows with only the newest n entries of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from slotbeam.catalog.item import Interaction, Item
from slotbeam.kae.codebook import EMPTY
from slotbeam.kae.grouping import Grouping
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.types import Progress
from slotbeam_lab.baselines.systems import artifact_system, candidate_system
from slotbeam_lab.measures.questions import sample, world_table
from slotbeam_lab.measures.report import Cell, Row, Section, cells_of
from slotbeam_lab.measures.run import Asked, System, Table, evaluate
from slotbeam_train.lexicon import KaeOptions, behaviour_of, build_with_grouping

BEAMS = (16, 32, 64, 128, 256, 512, 1024)
BUDGETS = (1024, 2048, 4096, 8192, 16_384)
DENSITY_POINTS = 64
"""Points of a position's density curve that are kept at most."""

WITH, WITHOUT = "with history", "without history"
STRENGTHS = ("1", "2", "3", "4+")
"""Buckets of rows: how many earlier queries or items there are, or how many positions the query itself names."""

KEPT = (1, 2, 3)
"""Points of the curve below the whole history: the newest n queries and the newest n items."""

CountOf = Callable[[Interaction], int]
"""How strong a row is in one respect."""


def artifact_sections(
    artifact: Artifact,
    clicks: Sequence[Interaction],
    test: Sequence[Interaction],
    queries: int | None = None,
    progress: Progress | None = None,
) -> list[Section]:
    """Make every curve behind one artifact: of beams and candidates on `clicks`, of history on the test day's rows."""
    return [
        beam_section(artifact, clicks, progress=progress),
        candidate_section(artifact, clicks, progress=progress),
        density_section(artifact),
        history_section(artifact, test, queries, progress),
    ]


def beam_section(
    artifact: Artifact, rows: Sequence[Interaction], beams: Sequence[int] = BEAMS, progress: Progress | None = None
) -> Section:
    """Show the recall of the candidates against beam width B, in the paper's mode: SIDs decoded to their full depth."""
    lines = []
    for width in beams:
        options = replace(artifact.options, beam_width=width)
        lines.append(Row(str(width), _candidates(replace(artifact, options=options), rows, f"B = {width}", progress)))
    limit = artifact.options.candidates
    title = f"Recall of the candidates against beam width: {len(rows)} clicks, at most {limit} candidates"
    return Section("beam", title, tuple(lines[0].cells), tuple(lines), first="B", facts={"queries": len(rows)})


def candidate_section(
    artifact: Artifact, rows: Sequence[Interaction], budgets: Sequence[int] = BUDGETS, progress: Progress | None = None
) -> Section:
    """Show the recall of the candidates, and of the answer, against the scan budget."""
    lines = []
    for budget in budgets:
        changed = replace(artifact, options=replace(artifact.options, scan_budget=budget))
        cells = _candidates(changed, rows, f"budget {budget}", progress)
        served = world_table({"answer": artifact_system(changed)}, rows, (10, 350), progress).intervals()["answer"]
        lines.append(Row(str(budget), cells | cells_of({name: served[name] for name in ("HR@10", "HR@350")})))
    title = f"Recall against the scan budget: {len(rows)} clicks"
    columns = tuple(lines[0].cells)
    return Section("candidates", title, columns, tuple(lines), first="rows", facts={"queries": len(rows)})


def _candidates(
    artifact: Artifact, rows: Sequence[Interaction], name: str, progress: Progress | None
) -> dict[str, Cell]:
    system = candidate_system(artifact)
    asked = [Asked.of(row) for row in rows]

    def score(number: int, ranked: Sequence[str]) -> dict[str, float]:
        return {"recall": float(rows[number].item_id in ranked), "candidates": float(len(ranked))}

    table: Table = evaluate({name: system}, asked, 1, score, progress)
    cells = cells_of(table.intervals()[name])
    cells["candidates"] = round(table.means()[name]["candidates"])
    return cells


def history_section(
    artifact: Artifact, log: Sequence[Interaction], queries: int | None = None, progress: Progress | None = None
) -> Section:
    """Show what a user's history is worth, by its strength: figures with it over figures without."""
    facts = history_facts(artifact, log, (10, 350), queries, progress)
    every = facts["all"]
    buckets = [(own["strength"] if own is every else f"newest {own['strength']}", own) for own in facts["curve"]]
    buckets += [(f"{cut} {own['strength']}", own) for cut, strengths in facts["by"].items() for own in strengths]
    rows = [Row(name, {"rows": own["rows"], **cells_of(own["ratio"])}, "ratio") for name, own in buckets]
    columns = tuple(dict.fromkeys(name for row in rows for name in row.cells))
    title = f"History: with ÷ without, {facts['rows']} rows that have one"
    return Section("history", title, columns, tuple(rows), first="history", facts=facts)


def history_facts(
    artifact: Artifact,
    log: Sequence[Interaction],
    ks: Sequence[int] = (10, 100, 350),
    queries: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure an artifact with and without the histories of (at most `queries`) rows that have one: `history_table`."""
    systems = {WITH: artifact_system(artifact), WITHOUT: artifact_system(artifact, history=False)}

    def named(row: Interaction) -> int:
        return sum(code != EMPTY for code in artifact.kae.encode(normalize(row.query)).sid)

    rows = sample([row for row in log if row.recent_queries or row.recent_item_ids], queries)
    return history_table(systems, rows, ks, {"positions": named}, progress)


def history_table(
    systems: Mapping[str, System],
    log: Sequence[Interaction],
    ks: Sequence[int],
    further: Mapping[str, CountOf] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure HR@K and MRR with and without history, over all rows and by strength.

    Args:
        systems: `WITH` and `WITHOUT`.
        log: rows with a history; an interaction is one query, its item the only relevant one.
        ks: K of HR@K; MRR is at the largest.
        further: more ways to cut the rows, beside the number of recent items and queries.

    Returns:
        JSON: `rows`; `all`, one bucket; `curve`, buckets of all rows with their histories cut to the newest 1, 2, 3
        entries, then whole; `by`, for each cut (`items`, `queries`, …) its buckets of rows in order. A bucket has
        `strength`, `rows`, system → metric → mean, and `ratio`: metric → [with ÷ without, lower, upper], the paired
        bootstrap's 95 % interval; a metric that is 0 for every row without history has none.
    """
    cut = {str(n): _newest(systems[WITH], n) for n in KEPT}
    table = world_table({**systems, **cut}, log, ks, progress)
    keep = {*(f"HR@{k}" for k in ks), f"MRR@{max(ks)}"}
    cuts: dict[str, CountOf] = {
        "items": lambda row: len(row.recent_item_ids),
        "queries": lambda row: len(row.recent_queries),
        **(further or {}),
    }
    by = {}
    for name, count in cuts.items():
        counts = np.array([min(count(row), len(STRENGTHS)) for row in log], np.int64)
        buckets = ((strength, np.flatnonzero(counts == n).tolist()) for n, strength in enumerate(STRENGTHS, 1))
        by[name] = [_bucket(table, keep, strength, rows) for strength, rows in buckets if rows]
    whole = range(len(log))
    curve = [_bucket(table, keep, strength, whole, strength) for strength in cut]
    every = _bucket(table, keep, "all", whole)
    return {"rows": len(log), "all": every, "curve": [*curve, every], "by": by}


def _newest(system: System, n: int) -> System:
    """Show the system only the newest n queries and items."""
    return lambda asked, k: system(Asked(asked.query, asked.recent_queries[-n:], asked.recent_item_ids[-n:]), k)


def _bucket(table: Table, keep: set[str], strength: str, rows: Sequence[int], shown: str = WITH) -> dict[str, Any]:
    """Measure one bucket: the system `shown` against the one without history."""
    own = Table(
        {
            name: {metric: [values[i] for i in rows] for metric, values in table.values[of].items() if metric in keep}
            for name, of in ((WITH, shown), (WITHOUT, WITHOUT))
        }
    )
    ratios = own.ratios([(WITH, WITHOUT)])[WITH, WITHOUT] if len(rows) else {}
    return {
        "strength": strength,
        "rows": len(rows),
        **own.means(),
        "ratio": {name: list(interval) for name, interval in ratios.items()},
    }


def elbow_section(items: Sequence[Item], log: Sequence[Interaction], options: KaeOptions) -> Section:
    """Show the cumulative information loss over the number of groups."""
    queries, clicks = behaviour_of(log)
    return grouping_section(build_with_grouping(items, queries, options, clicks=clicks).grouping)


def grouping_section(grouping: Grouping) -> Section:
    """Show the curve of a grouping as a table."""
    rows = tuple(
        Row(str(count), {"loss (nats)": round(loss, 5), "": "elbow" if count == grouping.elbow else ""})
        for count, loss in sorted(grouping.losses)
    )
    groups = [list(group) for group in grouping.groups]
    facts = {"elbow": grouping.elbow, "used": len(groups), "groups": groups}
    title = f"Information loss: elbow at {grouping.elbow} groups"
    return Section("elbow", title, ("loss (nats)", ""), rows, first="groups", facts=facts)


def density_section(artifact: Artifact) -> Section:
    """Show how the items spread over the slots of every position."""
    book, sids = artifact.kae.codebook, np.asarray(artifact.catalog.sids)  # (N, L)
    rows, curves = [], {}
    for position in range(len(book)):
        counts = np.bincount(sids[:, position], minlength=book.sizes[position])
        used = np.sort(counts[1 : 1 + book.core_counts[position]])[::-1]
        used = used[used > 0]
        name = f"{position} {book.group_name(position)}"
        rows.append(
            Row(
                name,
                {
                    "core slots": book.core_counts[position],
                    "used": len(used),
                    "items with a word": round(1 - float(counts[0]) / len(sids), 4),
                    "items a used slot, median": int(np.median(used)) if len(used) else 0,
                    "largest slot": round(float(used[0]) / len(sids), 4) if len(used) else 0.0,
                },
            )
        )
        curves[name] = _curve(used)
    title = f"Slot density: {len(sids)} items, {artifact.trie.n_leaves} SIDs"
    facts: dict[str, Any] = {"curves": curves, "items": len(sids), "sids": artifact.trie.n_leaves}
    return Section("density", title, tuple(rows[0].cells), tuple(rows), first="position", facts=facts)


def _curve(used: Any) -> list[list[int]]:
    """Return [rank from 1, items] of at most `DENSITY_POINTS` slots, spread evenly over the logarithm of the rank."""
    if not len(used):
        return []
    ranks = np.unique(np.geomspace(1, len(used), DENSITY_POINTS).round().astype(int))
    return [[int(rank), int(used[rank - 1])] for rank in ranks]
