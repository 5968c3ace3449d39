"""`slotbeam bench`: how fast an artifact answers, and how soon an edit is live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import ArtifactDir, AsJson, settings_of


def bench(
    ctx: typer.Context,
    artifact: ArtifactDir = None,
    queries: Annotated[Path | None, typer.Option(exists=True, help="One query a line; titles otherwise.")] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the JSON there.")] = None,
    processes: Annotated[
        int | None, typer.Option(min=2, help="Also: requests/s of so many data planes behind one port, beside one.")
    ] = None,
    items: Annotated[
        int | None, typer.Option(min=1, help="Also: a query beside so many live items, and how soon edits are served.")
    ] = None,
    switch: Annotated[
        int | None, typer.Option(min=1, help="Also: a query while the index is switched so many times, beside idle.")
    ] = None,
    bindings: Annotated[
        int | None, typer.Option(min=1, max=20000, help="Also: a request and an edit beside so many bindings.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="For how long --items are put at a steady rate.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Measure how fast an artifact answers, and how long an edit takes to be live."""
    from slotbeam.bench.command import bench as measure
    from slotbeam.bench.command import render
    from slotbeam.bench.load import Load

    figures = measure(settings_of(ctx).artifact, queries, Load(seconds=seconds), processes, items, switch, bindings)
    if out is not None:
        import json

        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if as_json:
        show_json(figures)
    else:
        for line in render(figures).split("\n"):
            say(line)
