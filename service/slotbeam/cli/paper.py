"""`slotbeam paper`: every table of the evaluation, generated (docs/evaluation.md)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from slotbeam.cli.extras import need
from slotbeam.cli.options import Config, ResultsFile, StepCount, Systems, command_line, numbers, parts_of
from slotbeam.cli.progress import tell_units, unit_progress


def paper(
    out: Annotated[Path, typer.Option(help="Directory of units, worlds, trained systems, tables and plots.")] = Path(
        "build/paper"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="Small worlds and short trainings: half an hour.")] = False,
    systems: Systems = None,
    parts: Annotated[str | None, typer.Option(help="Of systems,interventions,ablations,gap,curves,icecat.")] = None,
    items: Annotated[int | None, typer.Option(min=1000, help="Products of the systems' world.")] = None,
    ablation_items: Annotated[int | None, typer.Option(min=1000, help="Products of the ablations' world.")] = None,
    minutes_per_system: Annotated[float | None, typer.Option(min=0.01, help="Training budget of each.")] = None,
    steps: StepCount = None,
    config: Config = "quick",
    seeds: Annotated[str | None, typer.Option(help="Of training, for the rows that decide.")] = None,
    queries: Annotated[int | None, typer.Option(min=1, help="Rows of a test day at most.")] = None,
    words: Annotated[int | None, typer.Option(min=1, help="Interventions of each size.")] = None,
    icecat: Annotated[Path | None, typer.Option(exists=True, help="Folder of a catalog with judgements*.csv.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Units side by side, one thread each.")] = None,
    results: ResultsFile = None,
) -> None:
    """Regenerate every table; what is in --out already is not run again. Exit code 1 when a unit failed."""
    need("torch")
    from slotbeam_lab.paper.command import run_paper
    from slotbeam_lab.paper.options import PaperOptions
    from slotbeam_lab.paper.options import quick as quick_options
    from slotbeam_lab.paper.tasks import Place
    from slotbeam_train.options import preset

    options = quick_options() if quick else PaperOptions()
    loop = options.train.loop
    minutes = minutes_per_system if minutes_per_system or steps else loop.minutes
    given: dict[str, Any] = {
        "systems": parts_of(systems),
        "parts": parts_of(parts),
        "seeds": None if seeds is None else numbers(seeds),
        "queries": queries,
        "words": words,
        "icecat": icecat,
        "world": None if items is None else replace(options.world, items=items),
        "ablated": None if ablation_items is None else replace(options.ablated, items=ablation_items),
        "train": preset(config, steps=steps, minutes=minutes),
    }
    options = replace(options, **{name: value for name, value in given.items() if value is not None})
    jobs = jobs or min(4, len(os.sched_getaffinity(0)))
    place = Place(out / "worlds", out / "systems", threads=1 if jobs > 1 else None)
    with unit_progress() as tell:
        outcome, sections = run_paper(options, out, place, jobs, command_line(), tell)
    tell_units(out / "paper.md", len(sections), outcome, results)
