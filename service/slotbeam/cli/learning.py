"""`train`, `world`, `bench`: from data to an artifact, and how fast it is."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slotbeam.cli.checking import say_report
from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import ArtifactDir, AsJson, settings_of
from slotbeam.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Catalog = Annotated[Path, typer.Option(exists=True, help="Items: a file or directory (docs/catalog.md).")]
Logs = Annotated[Path | None, typer.Option(exists=True, help="Clicks and orders: a file or directory.")]
Format = Annotated[
    str | None,
    typer.Option(help="Of rows: jsonl, shopify, google, … (docs/catalog.md); found out otherwise."),
]
Mapping = Annotated[Path | None, typer.Option(exists=True, help="Source field → category (JSON).")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("train")(train)
    app.command("bench")(bench)
    app.command("world")(world)


def train(
    catalog: Catalog,
    out: Annotated[Path | None, typer.Option(help="The artifact directory to write.")] = None,
    logs: Logs = None,
    format: Format = None,
    mapping: Mapping = None,
    config: Annotated[str, typer.Option(help="tiny, quick, standard or large.")] = "standard",
    name: Annotated[str | None, typer.Option(help="Name of the artifact.")] = None,
    artifact_from: Annotated[
        Path | None, typer.Option("--from", exists=True, help="Refresh this artifact; its codebook stays.")
    ] = None,
    absorb: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help='Bindings that become words ("slots export"); may be repeated.'),
    ] = None,
    stages: Annotated[str, typer.Option(help="Which of S0,S1,S2,S3.")] = "S0,S1,S2,S3",
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of all stages.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="How long the whole command may take, instead of steps.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Examples a step.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="PyTorch threads.")] = None,
    groups: Annotated[int | None, typer.Option(min=1, max=18, help="Positions; the elbow otherwise.")] = None,
    reserved: Annotated[int | None, typer.Option(min=0, max=1000, help="Reserved slots a position.")] = None,
    last_day: Annotated[int | None, typer.Option(min=1, help="Last day of the log that training sees.")] = None,
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

    options = preset(config, steps=steps, minutes=minutes, batch=batch, threads=threads)
    kae: dict[str, Any] = {
        key: value for key, value in (("groups", groups), ("reserved", reserved)) if value is not None
    }
    options = replace(
        options,
        name=name or (out.name if config == "standard" else f"{out.name}-{config}"),
        seed=seed,
        quiet=quiet,
        last_day=last_day or options.last_day,
        kae=replace(options.kae, seed=seed, **kae),
    )
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
    )
    say(f"{out} is complete; serve it: SLOTBEAM_ARTIFACT={out} slotbeam up")


def world(
    out: Annotated[Path, typer.Option(help="Directory to write.")],
    items: Annotated[int | None, typer.Option(help="Products.")] = None,
    seed: Annotated[int | None, typer.Option(help="The world's seed.")] = None,
    vocabulary_gap: Annotated[
        float | None, typer.Option(help="0: users type the catalog's words; 1: always their own.")
    ] = None,
    requests_per_item: Annotated[float | None, typer.Option(help="Searches in 31 days, per product.")] = None,
    planted: Annotated[int | None, typer.Option(help="New words that appear on the last day only.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a synthetic catalog and 31 days of searches, of any size (docs/world.md)."""
    from slotbeam_lab.world import WorldOptions, make_world

    given = {
        "items": items,
        "seed": seed,
        "vocabulary_gap": vocabulary_gap,
        "requests_per_item": requests_per_item,
        "planted": planted,
    }
    options = WorldOptions(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    with progress_bar() as progress:
        facts = make_world(out, options, progress)
    if as_json:
        show_json(facts)
    else:
        say(f"{out}: " + ", ".join(f"{count} {name}" for name, count in facts["counts"].items()))


def bench(
    ctx: typer.Context,
    artifact: ArtifactDir = None,
    queries: Annotated[Path | None, typer.Option(exists=True, help="One query a line; titles otherwise.")] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the JSON there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure latency of the shipped artifact, and how long an edit takes to be live."""
    from slotbeam.bench.quick import bench as measure
    from slotbeam.bench.quick import render

    found = measure(settings_of(ctx).artifact, queries)
    if out is not None:
        import json

        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if as_json:
        show_json(found)
    else:
        for line in render(found).split("\n"):
            say(line)


def need(module: str) -> None:
    """Raise `SetupError` saying what to install when `module` is not there."""
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise SetupError(
            f'this needs {module}, which serving does not: pip install "slotbeam[train]" '
            "(PyTorch's CPU build is enough; see https://pytorch.org/get-started/locally/)"
        )


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error: call with (what, done, total)."""
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield report
