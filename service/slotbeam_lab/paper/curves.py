"""What lies behind the tables: recall against beam width and candidates, the information-loss elbow, slot density."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from slotbeam.catalog.item import Interaction, Item
from slotbeam.kae.grouping import Grouping
from slotbeam.search.artifact import Artifact
from slotbeam_lab.baselines.systems import artifact_system, candidate_system
from slotbeam_lab.measures.questions import world_table
from slotbeam_lab.measures.report import Cell, Row, Section, cells_of
from slotbeam_lab.measures.run import Asked, Progress, Table, evaluate
from slotbeam_lab.paper.history import history_facts
from slotbeam_train.lexicon import KaeOptions, behaviour_of, build_with_grouping

BEAMS = (16, 32, 64, 128, 256, 512, 1024)
LIMITS = (250, 500, 1000, 2000, 4000)
DENSITY_POINTS = 64
"""Points of a position's density curve that are kept at most."""


def beam_section(
    artifact: Artifact, rows: Sequence[Interaction], beams: Sequence[int] = BEAMS, progress: Progress | None = None
) -> Section:
    """Recall of the candidates against beam width B: full depth, and decoding that stops at a range."""
    found = []
    for width in beams:
        cells: dict[str, Cell] = {}
        for name, early in (("full depth", False), ("stop at a range", True)):
            options = replace(artifact.options, beam_width=width, stop_at_range=early)
            table = _candidates(replace(artifact, options=options), rows, f"B = {width}, {name}", progress)
            cells |= {f"{metric}, {name}": cell for metric, cell in table.items()}
        found.append(Row(str(width), cells))
    limit = artifact.options.candidates
    title = f"Recall of the candidates against beam width: {len(rows)} clicks, at most {limit} candidates"
    return Section("beam", title, tuple(found[0].cells), tuple(found), first="B", facts={"queries": len(rows)})


def candidate_section(
    artifact: Artifact, rows: Sequence[Interaction], limits: Sequence[int] = LIMITS, progress: Progress | None = None
) -> Section:
    """Recall of the candidates, and of the answer, against how many candidates are scored."""
    found, width = [], artifact.options.beam_width
    for limit in limits:
        changed = replace(artifact, options=replace(artifact.options, candidates=limit))
        cells = _candidates(changed, rows, f"{limit} candidates", progress)
        served = world_table({"answer": artifact_system(changed)}, rows, (10, 350), progress).intervals()["answer"]
        found.append(Row(str(limit), cells | cells_of({name: served[name] for name in ("HR@10", "HR@350")})))
    title = f"Recall against candidates: {len(rows)} clicks, B = {width}"
    columns = tuple(found[0].cells)
    return Section("candidates", title, columns, tuple(found), first="at most", facts={"queries": len(rows)})


def _candidates(
    artifact: Artifact, rows: Sequence[Interaction], name: str, progress: Progress | None
) -> dict[str, Cell]:
    system = candidate_system(artifact)
    asked = [Asked(one.query, one.recent_queries, one.recent_item_ids) for one in rows]

    def score(number: int, ranked: Sequence[str]) -> dict[str, float]:
        return {"recall": float(rows[number].item_id in ranked), "candidates": float(len(ranked))}

    table: Table = evaluate({name: system}, asked, 1, score, progress)
    found = cells_of(table.intervals()[name])
    found["candidates"] = round(table.means()[name]["candidates"])
    return found


def history_section(
    artifact: Artifact, log: Sequence[Interaction], queries: int | None = None, progress: Progress | None = None
) -> Section:
    """What a user's history is worth, by its strength: figures with it over figures without."""
    facts = history_facts(artifact, log, (10, 350), queries, progress)
    buckets = [(one["strength"] if one is facts["all"] else f"newest {one['strength']}", one) for one in facts["curve"]]
    buckets += [(f"{cut} {one['strength']}", one) for cut, found in facts["by"].items() for one in found]
    rows = [Row(name, {"rows": one["rows"], **cells_of(one["ratio"])}, "ratio") for name, one in buckets]
    columns = tuple(dict.fromkeys(name for row in rows for name in row.cells))
    title = f"History: with ÷ without, {facts['rows']} rows that have one"
    return Section("history", title, columns, tuple(rows), first="history", facts=facts)


def elbow_section(items: Sequence[Item], log: Sequence[Interaction], options: KaeOptions) -> Section:
    """Cumulative information loss over the number of groups."""
    queries, clicks = behaviour_of(log)
    return grouping_section(build_with_grouping(items, queries, options, clicks=clicks).grouping)


def grouping_section(grouping: Grouping) -> Section:
    """The curve of a grouping as a table."""
    rows = tuple(
        Row(str(count), {"loss (nats)": round(loss, 5), "": "elbow" if count == grouping.elbow else ""})
        for count, loss in sorted(grouping.losses)
    )
    facts = {"elbow": grouping.elbow, "used": len(grouping.groups), "groups": [list(one) for one in grouping.groups]}
    title = f"Information loss: elbow at {grouping.elbow} groups"
    return Section("elbow", title, ("loss (nats)", ""), rows, first="groups", facts=facts)


def density_section(artifact: Artifact) -> Section:
    """How the items spread over the slots of every position."""
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
    """[rank from 1, items] of at most `DENSITY_POINTS` slots, spread evenly over the logarithm of the rank."""
    if not len(used):
        return []
    ranks = np.unique(np.geomspace(1, len(used), DENSITY_POINTS).round().astype(int))
    return [[int(rank), int(used[rank - 1])] for rank in ranks]
