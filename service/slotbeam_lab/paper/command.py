"""`slotbeam paper`: every table of the evaluation. This file says which units of work there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slotbeam_lab.baselines.registry import chosen
from slotbeam_lab.interventions.editable import PINNED, UNPINNED
from slotbeam_lab.measures.report import Section, markdown, provenance, write_results
from slotbeam_lab.paper import tasks
from slotbeam_lab.paper.options import ABLATIONS, PaperOptions
from slotbeam_lab.paper.plots import draw
from slotbeam_lab.paper.tables import sections_of
from slotbeam_lab.paper.tasks import Place, Work
from slotbeam_lab.paper.units import Outcome, Told, Unit, run_units


def units_of(options: PaperOptions) -> list[Unit]:
    """Return the units of a paper, those that train before those that need what they trained."""
    chosen(options.systems)
    main = Work(options.train.seeded(0), world=options.world, queries=options.queries)
    units: list[Unit] = []
    if "systems" in options.parts:
        for seed in options.seeds:
            for name in options.systems:
                work = replace(main, system=name, options=options.train.seeded(seed))
                units.append(_unit(f"systems-{name}-{seed}", tasks.answers, work))
    if "interventions" in options.parts:
        work = replace(main, words=options.words, queries=None)
        for name in options.told:
            units.append(_unit(f"interventions-{name}", tasks.interventions, replace(work, system=name)))
        units.append(_unit("collateral", tasks.collateral, replace(work, collateral=options.collateral)))
    if "curves" in options.parts:
        units.append(_unit("curves-kae", tasks.behind, main))
        units.append(_unit("elbow", tasks.elbow, main))
    if "ablations" in options.parts:
        for name, ablation in ABLATIONS.items():
            trained = ablation.change(main.options)
            work = replace(main, world=options.ablated, options=trained, stages=ablation.stages, system=ablation.system)
            units.append(_unit(f"ablation-{name}", tasks.answers, work))
            if ablation.bound:
                bound = replace(work, words=max(1, options.words // 4), modes=(PINNED, UNPINNED), queries=None)
                units.append(_unit(f"ablation-{name}-bound", tasks.interventions, bound))
    if "gap" in options.parts:
        for gap in options.gaps:
            for name in ("bm25", "kae"):
                work = replace(main, system=name, world=replace(options.world, vocabulary_gap=gap))
                units.append(_unit(f"gap-{gap:g}-{name}", tasks.answers, work))
    if "icecat" in options.parts and options.icecat is not None:
        for seed in options.seeds:
            for name in options.judged:
                work = Work(options.train.seeded(seed), system=name, catalog=options.icecat)
                units.append(_unit(f"icecat-{name}-{seed}", tasks.answers, work))
    return _chained(units)


def run_paper(
    options: PaperOptions, out: Path, place: Place, jobs: int = 1, command: str = "", tell: Told | None = None
) -> tuple[Outcome, list[Section]]:
    """Run what is not there yet and write `paper.md`, `paper.json` and `plots/` to `out` from all that is.

    Args:
        out: its `units/` holds one file a unit. place: of worlds and trained systems.
        command: as it was given, for the record. jobs, tell: see `run_units`.
    """
    units = units_of(options)
    worlds = [options.world, options.ablated, *(replace(options.world, vocabulary_gap=gap) for gap in options.gaps)]
    for world in {unit.work.world for unit in units if unit.work.world in worlds}:
        tasks.world_at(place, world)
    outcome = run_units(units, place, out / "units", jobs, tell)
    sections = sections_of(options, outcome.results)
    budget = options.budget + ("" if place.threads is None else f", {place.threads} thread each")
    facts = provenance(command, seed=",".join(map(str, options.seeds)), budget=budget)
    write_results(out / "paper.json", sections, facts)
    (out / "paper.md").write_text(paper_text(sections, facts, outcome), encoding="utf-8")
    draw(sections, out / "plots")
    return outcome, sections


def paper_text(sections: Sequence[Section], facts: dict[str, Any], outcome: Outcome) -> str:
    """Write all tables as one Markdown file."""
    head = f"Training budget of every system: {facts['budget']}. `{facts['command']}`, seeds {facts['seed']}"
    parts = ["# Results", f"{head}, commit {facts['commit']}, {facts['date']}."]
    parts += [markdown(section) for section in sections]
    if outcome.failed:
        parts.append("\n".join(["**Failed**", "", *(f"- {name}: {why}" for name, why in outcome.failed.items())]))
    return "\n\n".join(parts) + "\n"


def _unit(name: str, run: Any, work: Work) -> Unit:
    return Unit(name, run, work, work.described())


TRAINED = {
    **dict.fromkeys(("kae-no-lexical", "kae-paper", "kae-paper-trie"), ("kae",)),
    "fused": ("dense",),
    "fused-kae": ("kae", "dense"),
}
"""What a system finds in the cache when another one was built before, where that is not its own."""
UNTRAINED = ("bm25",)


def _chained(units: list[Unit]) -> list[Unit]:
    """Let units that need the same trained system wait for the first of them, instead of for its lock."""
    owner: dict[str, str] = {}
    chained = []
    for unit in units:
        needs = []
        also = ("kae",) if unit.run is tasks.interventions else ()  # whose words are asked for
        for system in dict.fromkeys((*TRAINED.get(unit.work.system, (unit.work.system,)), *also)):
            if system not in UNTRAINED and unit.run is not tasks.elbow:
                data = {part: unit.job[part] for part in ("world", "catalog", "stages", "options")}
                data["options"] = {name: value for name, value in data["options"].items() if name != "search"}
                needs.append(owner.setdefault(json.dumps([system, data], sort_keys=True, default=str), unit.name))
        chained.append(replace(unit, needs=tuple(need for need in needs if need != unit.name)))
    return chained
