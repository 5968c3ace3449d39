"""What one unit of a run at scale measures: the index of one world, everything on it in one process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from slotbeam.catalog.item import Interaction
from slotbeam.catalog.loaders import load_catalog, load_log
from slotbeam.search.artifact import Artifact
from slotbeam_lab.baselines.bm25 import Bm25, system_of
from slotbeam_lab.baselines.inverted import InvertedFile
from slotbeam_lab.baselines.systems import artifact_system
from slotbeam_lab.measures.questions import sample
from slotbeam_lab.measures.run import Asked, System, Values
from slotbeam_lab.scale.agreement import agreement, policy_of
from slotbeam_lab.scale.engines import Tantivy
from slotbeam_lab.scale.footprint import footprint, index_bytes
from slotbeam_lab.scale.measure import BM25S, LISTS, OURS, SCAN, TANTIVY, recall_curve, take_turns
from slotbeam_lab.scale.options import KS
from slotbeam_lab.scale.places import Places
from slotbeam_lab.scale.ways import Way, answer, parts, read

AGREED = 300
"""Queries that are decoded by the plain beam search at most: each takes it a third of a second."""


@dataclass(frozen=True, slots=True)
class ScaleWork:
    """What a unit measures: `queries` clicks of the test day of a world of `items`, in an order that `seed` draws.

    `model` names what encoded it; the `demo` is asked as it is shipped, and not encoded again.
    """

    items: int
    queries: int
    seed: int
    model: str
    demo: bool = False


def at_size(places: Places, work: ScaleWork) -> dict[str, Any]:
    """Measure everything at one size.

    Returns:
        `answers`: system → metric → one value a query (k = 350); `milliseconds`: K → system → one a query; `curve`: see
        `recall_curve`; `parts`: way → `values` and `milliseconds`; `lists`: of the inverted file; `index`: bytes,
        memory and time until ready.
    """
    world, artifact, rows = _read(places, work)
    served = Way.served(artifact)
    lists = InvertedFile(artifact.catalog.vectors)
    curve = recall_curve(artifact, lists, rows)
    looked_at = next((np.mean(point["rows"]) for point in curve if point["served"]), float(len(artifact.catalog)))
    vectors = [read(artifact, Asked.of(row)).vector for row in rows[:100]]
    by_lists = replace(served, lists=lists, probes=lists.probes(vectors, float(looked_at)))

    def way(chosen: Way) -> System:
        return partial(_asked, artifact, chosen)

    systems: dict[str, System] = {
        OURS: artifact_system(artifact),
        TANTIVY: Tantivy(load_catalog(world)),
        BM25S: system_of(Bm25(load_catalog(world))),
        LISTS: way(by_lists),
        SCAN: way(served.scanning(len(artifact.catalog))),
    }
    answers: dict[str, Values] = {}
    milliseconds: dict[str, dict[str, list[float]]] = {}
    for k in sorted(KS, reverse=True):
        values, milliseconds[str(k)] = take_turns(systems, rows, k, work.seed)
        answers = answers or values
        systems.pop(SCAN, None)  # a scan of everything takes as long for a shorter answer
    systems.clear()
    ways = {label: way(chosen) for label, chosen in parts(artifact).items()}
    values, own = take_turns(ways, rows, max(KS), work.seed)
    return {
        "items": len(artifact.catalog),
        "queries": len(rows),
        "answers": answers,
        "milliseconds": milliseconds,
        "curve": curve,
        "parts": {label: {"values": values[label], "milliseconds": own[label]} for label in ways},
        "lists": {"lists": lists.lists, "probes": by_lists.probes},
        "index": _index_facts(artifact, rows),
    }


def agreement_of(places: Places, work: ScaleWork) -> dict[str, Any]:
    """Measure whether the paper's mode finds what a plain beam search finds."""
    _, artifact, rows = _read(places, work)
    return agreement(artifact, policy_of(artifact), [Asked.of(row) for row in rows[:AGREED]])


def _read(places: Places, work: ScaleWork) -> tuple[Path, Artifact, list[Interaction]]:
    world = places.world(work.items)
    artifact = Artifact.load(places.demo if work.demo else places.index(work.items))
    return world, artifact, clicks_of(world, artifact, work.queries)


def clicks_of(world: Path, artifact: Artifact, queries: int) -> list[Interaction]:
    """Return clicks of the test day on items that the index holds, `queries` at most."""
    clicks = [row for row in load_log(world / "test.jsonl") if row.kind == "click"]
    return sample([row for row in clicks if artifact.catalog.row_of(row.item_id) is not None], queries)


def _asked(artifact: Artifact, way: Way, asked: Asked, k: int) -> Sequence[str]:
    return answer(artifact, asked, k, way)


def _index_facts(artifact: Artifact, rows: Sequence[Interaction]) -> dict[str, Any]:
    asked = [Asked.of(row) for row in rows[:100]]
    return {"bytes": index_bytes(artifact.manifest), **footprint(artifact.directory, asked)}
