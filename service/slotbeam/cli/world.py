"""`slotbeam world`: a synthetic catalog and its log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import AsJson
from slotbeam.cli.progress import progress_bar


def world(
    out: Annotated[Path, typer.Option(help="Directory to write.")],
    items: Annotated[int | None, typer.Option(help="Products.")] = None,
    seed: Annotated[int | None, typer.Option(help="The world's seed.")] = None,
    vocabulary_gap: Annotated[
        float | None, typer.Option(help="0: users type the catalog's words; 1: always their own.")
    ] = None,
    requests_per_item: Annotated[float | None, typer.Option(help="Searches in 31 days, per product.")] = None,
    planted: Annotated[int | None, typer.Option(help="New words that appear on the last day only.")] = None,
    version: Annotated[
        int, typer.Option(min=1, max=2, help="1, or 2: harder, with words that only the world outside knows.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Make a synthetic catalog and 31 days of searches, of any size (docs/world.md)."""
    from slotbeam_lab.world import WorldOptions, make_world
    from slotbeam_lab.world2 import World2Options, make_world2

    given = {
        "items": items,
        "seed": seed,
        "vocabulary_gap": vocabulary_gap,
        "requests_per_item": requests_per_item,
        "planted": planted,
    }
    said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    with progress_bar() as progress:
        if version == 2:
            facts = make_world2(out, World2Options(**said), progress)
        else:
            facts = make_world(out, WorldOptions(**said), progress)
    if as_json:
        show_json(facts)
    else:
        say(f"{out}: " + ", ".join(f"{count} {name}" for name, count in facts["counts"].items()))
