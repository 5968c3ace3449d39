"""`slotbeam scale`: worlds of several sizes, one model, an index of each by it, and what these are worth and cost."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from slotbeam_lab.measures.report import Section, markdown, provenance, write_results
from slotbeam_lab.paper.plots import draw
from slotbeam_lab.paper.units import Outcome, Told, Unit, run_units
from slotbeam_lab.scale import tasks
from slotbeam_lab.scale.options import DEMO_ITEMS, ScaleOptions
from slotbeam_lab.scale.places import Places, model_name
from slotbeam_lab.scale.tables import sections_of


def run_scale(
    options: ScaleOptions, out: Path, command: str = "", tell: Told | None = None
) -> tuple[Outcome, list[Section]]:
    """Run what is not there yet; write `scale.md`, `scale.json` and `plots/` to `out` from all that is.

    Args:
        out: of worlds, model, indexes, and one file a unit. command: as it was given, for the record.
        tell: see `run_units`.
    """
    places = Places(options, out)
    outcome = run_units(units_of(options, places), places, out / "units", tell=tell)
    sizes = [outcome.results[name] for items in options.items if (name := f"scale-{items}") in outcome.results]
    sections = sections_of(sizes, outcome.results.get("demo"), outcome.results.get("agreement"))
    facts = provenance(command, seed=options.seed)
    write_results(out / "scale.json", sections, facts)
    text = [f"# At scale\n\n`{command}`, seed {options.seed}, commit {facts['commit']}, {facts['date']}."]
    text += [markdown(section) for section in sections]
    text += [f"**Failed**: {name}: {why}" for name, why in outcome.failed.items()]
    (out / "scale.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")
    draw(sections, out / "plots")
    return outcome, sections


def units_of(options: ScaleOptions, places: Places) -> list[Unit]:
    """Return a unit a size, and what is measured on the demo."""
    model = model_name(places.model())
    units = [
        _unit(f"scale-{items}", tasks.at_size, tasks.ScaleWork(items, options.queries, options.seed, model))
        for items in options.items
    ]
    if options.demo is not None:
        work = tasks.ScaleWork(DEMO_ITEMS, options.queries, options.seed, model_name(options.demo), demo=True)
        units += [_unit("demo", tasks.at_size, work), _unit("agreement", tasks.agreement_of, work)]
    return units


def _unit(name: str, run: Any, work: tasks.ScaleWork) -> Unit:
    return Unit(name, run, work, asdict(work))
