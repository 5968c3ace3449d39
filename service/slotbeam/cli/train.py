"""`slotbeam train`: from a catalog and a log to an artifact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from slotbeam.cli.checking import say_report
from slotbeam.cli.console import say
from slotbeam.cli.extras import need
from slotbeam.cli.options import CatalogPath, Format, Language, Logs, Mapping, Teacher
from slotbeam.errors import SetupError


def train(
    catalog: CatalogPath,
    out: Annotated[Path | None, typer.Option(help="The artifact directory to write.")] = None,
    logs: Logs = None,
    format: Format = None,
    mapping: Mapping = None,
    language: Language = None,
    config: Annotated[str, typer.Option(help="tiny, quick, standard or large.")] = "standard",
    name: Annotated[str | None, typer.Option(help="Name of the artifact.")] = None,
    artifact_from: Annotated[
        Path | None, typer.Option("--from", exists=True, help="Refresh this artifact; its codebook stays.")
    ] = None,
    absorb: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help='Bindings that become words ("slots export"); may be repeated.'),
    ] = None,
    teacher: Teacher = None,
    stages: Annotated[str, typer.Option(help="Which of S0,S1,S2,S3.")] = "S0,S1,S2,S3",
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of all stages.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="How long the whole command may take, instead of steps.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Examples a step.")] = None,
    shape: Annotated[
        str, typer.Option(help="full is the configuration's own, small is faster, auto is what the minutes hold.")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="PyTorch threads.")] = None,
    groups: Annotated[int | None, typer.Option(min=1, max=18, help="Positions; the elbow otherwise.")] = None,
    reserved: Annotated[int | None, typer.Option(min=0, max=1000, help="Reserved slots a position.")] = None,
    last_day: Annotated[int | None, typer.Option(min=1, help="Last day of the log that training sees.")] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Learn from so many items, drawn evenly; the index holds all.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that encode the index.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    check: Annotated[
        bool, typer.Option("--check", help="Only check catalog and log, and say what they hold; needs no PyTorch.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Turn a catalog (and a click log, when there is one) into an artifact that `serve` reads."""
    if check:
        from slotbeam.catalog.loaders import check_data

        say_report(check_data(catalog, logs, format, mapping))
        return
    if out is None:
        raise SetupError("where to? give --out DIRECTORY, or --check to check the catalog alone")
    need("torch")
    from slotbeam_train.budget import Budget

    budget = Budget(minutes * 60) if minutes else None  # PyTorch's own start counts, too
    from slotbeam_train.command import train as run
    from slotbeam_train.options import preset
    from slotbeam_train.teacher import open_teacher

    options = preset(config, steps=steps, minutes=minutes, batch=batch, threads=threads)
    kae: dict[str, Any] = {
        option: value for option, value in (("groups", groups), ("reserved", reserved)) if value is not None
    }
    options = replace(
        options,
        name=name or (out.name if config == "standard" else f"{out.name}-{config}"),
        quiet=quiet,
        language=language,
        last_day=last_day or options.last_day,
        sample=sample,
        shape=shape,
        kae=replace(options.kae, **kae),
    ).seeded(seed)
    chosen = [stage.strip() for stage in stages.split(",") if stage.strip()]
    run(
        catalog,
        out,
        logs=logs,
        format=format,
        mapping=mapping,
        options=options,
        artifact_from=artifact_from,
        absorb=absorb or (),
        stages=chosen,
        resume=resume,
        budget=budget,
        jobs=jobs,
        teacher=open_teacher(teacher) if teacher else None,
    )
    say(f"{out} is complete; serve it: SLOTBEAM_ARTIFACT={out} slotbeam up")
