"""`slotbeam scale`: one model's index at several sizes, beside engines that need no model (docs/evaluation.md)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from slotbeam.cli.extras import need
from slotbeam.cli.options import ResultsFile, command_line, numbers
from slotbeam.cli.progress import tell_units, unit_progress

ArtifactPath = Annotated[
    Path | None, typer.Option(exists=True, file_okay=False, help="Whose model encodes the worlds.")
]


def scale(
    out: Annotated[Path, typer.Option(help="Directory of worlds, model, indexes, tables and plots.")] = Path(
        "build/scale"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="10 000 products and few queries: seconds.")] = False,
    items: Annotated[str | None, typer.Option(help="Products of each world, rising, e.g. 10000,100000.")] = None,
    model: ArtifactPath = None,
    train_minutes: Annotated[float | None, typer.Option(min=0.01, help="Of training, without --model.")] = None,
    sample: Annotated[int | None, typer.Option(min=100, help="Items of the largest world to learn from.")] = None,
    queries: Annotated[int | None, typer.Option(min=1, help="Clicks of each test day at most.")] = None,
    demo: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="An artifact of the default world.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of worlds and training.")] = None,
    results: ResultsFile = None,
) -> None:
    """Measure an index against the size of its catalog; what is in --out already is not made or run again.

    Exit code 1 when a unit failed.
    """
    need("tantivy")
    from slotbeam_lab.scale.command import run_scale
    from slotbeam_lab.scale.options import ScaleOptions
    from slotbeam_lab.scale.options import quick as quick_options

    options = quick_options() if quick else ScaleOptions()
    given: dict[str, Any] = {
        "items": None if items is None else numbers(items),
        "model": model,
        "minutes": train_minutes,
        "sample": sample,
        "queries": queries,
        "demo": demo,
        "seed": seed,
    }
    options = replace(options, **{name: value for name, value in given.items() if value is not None})
    with unit_progress() as tell:
        outcome, sections = run_scale(options, out, command_line(), tell)
    tell_units(out / "scale.md", len(sections), outcome, results)
