"""`slotbeam eval`: BM25 and, when there is one, an artifact on judged queries or on a log's test day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import load_catalog, load_log
from slotbeam.errors import InputError
from slotbeam.eval.baselines.bm25 import Bm25
from slotbeam.eval.icecat import judged_recall, judged_table
from slotbeam.eval.intervene import collateral, intervention_table, make_rounds
from slotbeam.eval.judgements import Judged, read_judgements
from slotbeam.eval.run import System, Table
from slotbeam.eval.systems import artifact_system, bm25_system, candidate_system
from slotbeam.eval.world import sample, world_table
from slotbeam.search.artifact import Artifact

KS = (10, 100, 350)
COLLATERAL = 10_000
"""Rows of the log at most that are asked for collateral change."""


def run_eval(
    artifact: Path | None,
    catalog: Path,
    judgements: Path | None = None,
    world: Path | None = None,
    out: Path | None = None,
    ks: Sequence[int] = KS,
    queries: int | None = None,
    interventions: int | None = None,
) -> dict[str, Any]:
    """Measure and return the figures; `render` shows them.

    Args:
        artifact: an artifact directory; None measures BM25 alone.
        catalog: a catalog file or directory, read as training reads it.
        judgements: a CSV of judged queries.
        world: a log (or a world's directory, whose `test.jsonl` is taken). With neither, what lies beside the catalog
            decides: `world.json`, else `judgements*.csv`.
        out: a directory to write `eval.json` and `eval.md` to.
        ks: the values of K.
        queries: at most so many rows of the log, always the same ones.
        interventions: bind so many unseen words of each size (1, 5, 20, 100, 500 items); needs an artifact and a log.

    Returns:
        JSON values: `tables` (name → system → metric → mean), `queries` (name → count), `over_bm25`
        (name → system → metric → [ratio, lower, upper]) and, with an artifact, `candidates` and `interventions`.

    Raises:
        InputError: a file that is missing or malformed, or nothing to measure on.
    """
    judgements, world = _found(catalog, judgements, world)
    items = list(load_catalog(catalog))
    systems: dict[str, System] = {"BM25": bm25_system(Bm25(items))}
    loaded = Artifact.load(artifact) if artifact else None
    if loaded:
        systems[loaded.name] = artifact_system(loaded)
        if loaded.options.weight_lexical:
            systems[f"{loaded.name}, no lexical feature"] = artifact_system(loaded, lexical=False)
    result: dict[str, Any] = {"catalog": len(items), "tables": {}, "queries": {}, "over_bm25": {}}
    tables: dict[str, Table] = {}
    if world:
        log = list(load_log(world))
        for kind in ("click", "order"):
            rows = sample([one for one in log if one.kind == kind], queries)
            if rows:
                tables[kind] = world_table(systems, rows, ks)
    if judgements:
        judged = _judged(judgements, items, result)
        tables["judged"] = judged_table(systems, judged, ks)
        if loaded:
            recall, count = judged_recall(candidate_system(loaded), judged, max(ks))
            result["candidates"] = {"limit": loaded.options.candidates, "mean": count, "recall": recall}
    for name, table in tables.items():
        result["tables"][name] = table.means()
        result["queries"][name] = len(next(iter(next(iter(table.values.values())).values()), []))
        result["over_bm25"][name] = {
            system: {metric: list(ratio) for metric, ratio in ratios.items()}
            for system, ratios in table.ratios("BM25").items()
        }
    if interventions:
        if loaded is None or world is None:
            raise InputError("interventions need an artifact and a log: name them")
        result["interventions"] = _intervene(loaded, Bm25(items), list(load_log(world)), interventions, ks)
    if loaded:
        result["artifact"] = {"name": loaded.name, "codebook_sha": loaded.codebook_sha}
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "eval.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (out / "eval.md").write_text(render(result) + "\n", encoding="utf-8")
    return result


def render(result: dict[str, Any]) -> str:
    """The figures of `run_eval` as Markdown."""
    parts = []
    for name, means in result["tables"].items():
        names = list(next(iter(means.values())))
        rows = [["system", *names], ["---"] * (len(names) + 1)]
        rows += [[system, *(f"{values[metric]:.3f}" for metric in names)] for system, values in means.items()]
        for system, ratios in result["over_bm25"][name].items():
            cells = [_interval(ratios[metric]) if metric in ratios else "" for metric in names]
            rows.append([f"{system} ÷ BM25 (95 %)", *cells])
        title = f"**{name}**: {result['queries'][name]} queries, {result['catalog']} items"
        parts.append("\n".join([title, "", *("| " + " | ".join(row) + " |" for row in rows)]))
    if "interventions" in result:
        parts.append(render_interventions(result["interventions"]))
    if "candidates" in result:
        facts = result["candidates"]
        what = f"{facts['mean']:.0f} candidates a query (limit {facts['limit']})"
        parts.append(f"Candidate recall {facts['recall']:.3f} at {what}.")
    return "\n\n".join(parts)


def render_interventions(facts: dict[str, Any]) -> str:
    """The intervention figures as Markdown: one row a size and system, and the collateral."""
    names = list(next(iter(next(iter(facts["sizes"].values())).values())))
    rows = [["items a word", "system", *names], ["---"] * (len(names) + 2)]
    for size, systems in facts["sizes"].items():
        rows += [[size, system, *(f"{means[name]:.3f}" for name in names)] for system, means in systems.items()]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    changed = f"Collateral: {facts['changed']} of {facts['untouched']} answers to queries without a bound word changed."
    return "\n".join([f"**interventions**: {facts['words']} unseen words", "", *lines, "", changed])


def _intervene(
    artifact: Artifact, bm25: Bm25, log: list[Interaction], per_size: int, ks: Sequence[int]
) -> dict[str, Any]:
    rounds = make_rounds(artifact, log, per_size)
    tables = intervention_table(artifact, bm25, rounds, ks)
    queries = [one.query for one in sample(log, COLLATERAL)]
    untouched, changed = collateral(artifact, rounds[0], queries, max(ks))
    return {
        "words": sum(map(len, rounds)),
        "sizes": {str(size): table.means() for size, table in tables.items()},
        "untouched": untouched,
        "changed": changed,
    }


def _interval(ratio: Sequence[float]) -> str:
    return f"{ratio[0]:.2f} ({ratio[1]:.2f}–{ratio[2]:.2f})"


def _found(catalog: Path, judgements: Path | None, world: Path | None) -> tuple[Path | None, Path | None]:
    beside = catalog if catalog.is_dir() else catalog.parent
    if judgements is None and world is None:
        if (beside / "world.json").is_file():
            world = beside
        else:
            judgements = next(iter(sorted(beside.glob("judgements*.csv"))), None)
    if judgements is None and world is None:
        raise InputError(f"nothing to measure on: {beside} has no world.json and no judgements*.csv; name a file")
    if world is not None and (world / "test.jsonl").is_file():
        world = world / "test.jsonl"
    return judgements, world


def _judged(path: Path, items: list[Item], result: dict[str, Any]) -> list[Judged]:
    ids = {item.id for item in items}
    judged = read_judgements(path)
    kept = [one.within(ids) for one in judged]
    lost = sum(len(one.ratings) for one in judged) - sum(len(one.ratings) for one in kept)
    result["judged_outside_the_catalog"] = lost
    kept = [one for one in kept if one.relevant]
    if not kept:
        raise InputError(f"{path.name}: no query has a relevant item in the catalog; allowed: ids of the catalog")
    return kept
