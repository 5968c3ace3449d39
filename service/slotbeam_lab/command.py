"""`slotbeam eval`: an artifact beside BM25, or systems of the registry, on judged queries or on a log's test day."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import load_catalog, load_log
from slotbeam.errors import InputError
from slotbeam.search.artifact import Artifact
from slotbeam.types import Progress
from slotbeam_lab.baselines.registry import Setup, chosen
from slotbeam_lab.baselines.rivals import all_rivals, rival_pairs, with_best
from slotbeam_lab.baselines.sparse import SparseEncoder
from slotbeam_lab.baselines.systems import candidate_system, limited
from slotbeam_lab.interventions.editable import standard_systems
from slotbeam_lab.interventions.intervene import COLLATERAL, intervene, untouched
from slotbeam_lab.interventions.latent import latent_systems
from slotbeam_lab.measures.choosing import answered
from slotbeam_lab.measures.questions import (
    Questions,
    days_before,
    find_questions,
    judged_recall,
    read_questions,
    sample,
)
from slotbeam_lab.measures.report import Section, markdown, section_of
from slotbeam_lab.measures.run import averaged
from slotbeam_lab.paper import curves
from slotbeam_lab.paper.plots import draw
from slotbeam_lab.paper.tables import BASE, intervention_sections, pairs_of, table_of, table_section, tables_of
from slotbeam_lab.paper.tasks import KS, measured
from slotbeam_train.lexicon import KaeOptions
from slotbeam_train.teacher import Teacher

LARGE = 400_000
"""Items from which on a system may score no more than 0.5 % of them for a query: of fewer, 2 000 hide differences."""
CURVE_QUERIES = 500
"""Rows of the test day that a point of a curve is measured on, at most."""


@dataclass(frozen=True, slots=True)
class Contest:
    """Systems of the registry to be compared.

    Attributes:
        names: of the registry. setup: data, options and budget of each; its seed is replaced.
        seeds: of training; figures are means over them.
    """

    names: tuple[str, ...]
    setup: Setup
    seeds: tuple[int, ...] = (0,)


def run_eval(
    artifact: Path | None,
    catalog: Path,
    judgements: Path | None = None,
    world: Path | None = None,
    out: Path | None = None,
    ks: Sequence[int] = KS,
    queries: int | None = None,
    interventions: int | None = None,
    logs: Path | None = None,
    contest: Contest | None = None,
    plots: Path | None = None,
    progress: Progress | None = None,
    teacher: Teacher | None = None,
    sparse: SparseEncoder | None = None,
    candidates: int | None = None,
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
        logs: earlier days: for the information loss, and for collateral change when the test day has too few queries.
        contest: compare these systems instead of an artifact beside BM25; those not in the cache are trained.
        plots: also measure what lies behind an artifact (`slotbeam_lab.paper.curves`), and draw all curves there.
        progress: told of every answer.
        teacher: also measure it alone and in hybrids with BM25, whose settings are chosen on other queries.
        sparse: also measure a learned sparse index of its vectors.
        candidates: items that a system may score for a query; None: 0.5 % of a catalog of 400 000 items or more.

    Returns:
        JSON values: `tables` (name → system → metric → mean), `queries` (name → count), `over_bm25`
        (name → system → metric → [ratio, lower, upper]), `sections` (the same as tables to be shown, with intervals of
        the means), with a teacher `chosen` (name → system → the setting taken, and the mean of each) and, with an
        artifact, `candidates` and `interventions`.

    Raises:
        InputError: a file that is missing or malformed, or nothing to measure on.
    """
    judgements, world = find_questions(catalog, judgements, world)
    items = list(load_catalog(catalog))
    questions = read_questions(judgements, world, {item.id for item in items}, queries)
    result: dict[str, Any] = {"catalog": len(items), "tables": {}, "queries": questions.counts(), "over_bm25": {}}
    if candidates is None and len(items) >= LARGE:
        candidates = len(items) // 200
    loaded = Artifact.load(artifact) if artifact and contest is None else None
    if loaded and not loaded.catalog.rows_of(item.id for item in items)[0]:
        raise InputError(f"the artifact {loaded.name} holds no item of the catalog; index the catalog: slotbeam index")
    if loaded and candidates:
        loaded = limited(loaded, candidates)
    notes: dict[str, tuple[str, ...]] = {}
    pairs_of_table = pairs_of
    if contest is None:
        days = days_before(min((row.day for row in questions.log), default=0), logs)
        rivals = all_rivals(items, loaded, teacher, sparse, candidates)
        tables, picked = answered(rivals, questions, ks, days, progress)
        pairs_of_table = partial(rival_pairs, ours=loaded.name if loaded else None)
        if teacher:
            result["teacher"] = teacher.name
            result["chosen"] = {
                kind: {label: {"setting": one.said, "means": one.means} for label, one in own.items()}
                for kind, own in picked.items()
            }
            notes = {
                kind: (f"Teacher: {teacher.name}.", *(f"{label}: {one.said}." for label, one in own.items()))
                for kind, own in picked.items()
            }
    else:
        contest = replace(contest, setup=replace(contest.setup, teacher=teacher, sparse=sparse, candidates=candidates))
        kept = {seed: _measured(contest, seed, questions, ks, progress) for seed in contest.seeds}
        tables = {
            kind: averaged([table_of(systems.values(), kind) for systems in kept.values()])
            for kind in questions.counts()
        }
        notes = {kind: _chosen_notes(kept[contest.seeds[0]].values(), kind) for kind in tables}
        result["training"] = {
            str(seed): {name: own["facts"] for name, own in systems.items()} for seed, systems in kept.items()
        }
    sections = []
    for name, table in ((name, with_best(table)) for name, table in tables.items()):
        pairs = pairs_of_table(table)
        result["tables"][name] = table.means()
        result["over_bm25"][name] = {
            system: metrics for (system, over), metrics in table.ratios(pairs).items() if over == BASE
        }
        section = table_section(name, table, pairs, f"{len(items)} items")
        sections.append(replace(section, notes=notes.get(name, ())))
    if (interventions or plots) and (loaded is None or not questions.log):
        raise InputError("interventions and plots need an artifact and a log: name them")
    if loaded and interventions:
        systems = standard_systems(loaded, items) | (latent_systems(world) if world else {})
        facts = intervene(loaded, systems, questions.log, interventions, ks, progress)
        facts |= untouched(loaded, questions.log, load_log(logs) if logs else (), interventions, max(ks), COLLATERAL)
        by_size = tables_of(facts["sizes"])
        sections += intervention_sections(by_size, facts)
        result["interventions"] = facts | {"sizes": {size: table.means() for size, table in by_size.items()}}
    if loaded and plots:
        sections += _behind(loaded, items, questions, logs, progress)
        draw(sections, plots)
    if loaded:
        result["artifact"] = {"name": loaded.name, "codebook_sha": loaded.codebook_sha}
        if questions.judged:
            budget = loaded.options.scan_budget
            recall, count = judged_recall(candidate_system(loaded), questions.judged, max(ks))
            result["candidates"] = {"budget": budget, "mean": count, "recall": recall}
            note = f"Candidate recall {recall:.3f} at {count:.0f} candidates a query (scan budget {budget})."
            sections = [
                replace(each, notes=(*each.notes, note)) if each.name == "judged" else each for each in sections
            ]
    if questions.judged:
        result["judged_outside_the_catalog"] = questions.lost
    result["sections"] = [asdict(section) for section in sections]
    result = json.loads(json.dumps(result))  # the value itself is what the file holds
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "eval.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (out / "eval.md").write_text(render(result) + "\n", encoding="utf-8")
    return result


def _behind(
    artifact: Artifact, items: Sequence[Item], questions: Questions, logs: Path | None, progress: Progress | None
) -> list[Section]:
    """Draw the curves behind an artifact; the information loss is that of its own settings and the training days."""
    settings = artifact.manifest["model"]["training"]["settings"]
    log = [row for row in load_log(logs) if row.day <= settings["last_day"]] if logs else []
    clicks = sample(questions.kinds.get("click", ()), CURVE_QUERIES)
    return [
        curves.elbow_section(items, log, KaeOptions(**settings["kae"])),
        *curves.artifact_sections(artifact, clicks, questions.log, CURVE_QUERIES, progress),
    ]


def _measured(
    contest: Contest, seed: int, questions: Questions, ks: Sequence[int], progress: Progress | None
) -> dict[str, dict[str, Any]]:
    """Return name → what `measured` says of each system, trained with `seed` when it is not in the cache."""
    setup = replace(contest.setup, options=contest.setup.options.seeded(seed))
    return {name: measured(setup, name, questions, ks, progress) for name in chosen(contest.names)}


def _chosen_notes(measured: Iterable[Mapping[str, Any]], kind: str) -> tuple[str, ...]:
    """Say which settings were taken, of those that were left open."""
    return tuple(f"{own['label']}: {own['facts']['chosen'][kind]}." for own in measured if "chosen" in own["facts"])


def render(result: Mapping[str, Any]) -> str:
    """Write the figures of `run_eval` as Markdown, with all intervals."""
    return "\n\n".join(markdown(section_of(section)) for section in result["sections"])
