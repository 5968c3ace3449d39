"""`slotbeam report`: kept figures into the pages that show them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slotbeam.cli.console import say


def report(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A Markdown file with marked blocks.")],
    results: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The kept figures.")] = Path(
        "docs/results"
    ),
) -> None:
    """Render every block between `<!-- results:NAME -->` and `<!-- /results -->` of a file anew."""
    from slotbeam_lab.measures.report import rewrite

    old = file.read_text(encoding="utf-8")
    new = rewrite(old, results)
    if new != old:
        file.write_text(new, encoding="utf-8")
    say(f"{file} {'is rewritten' if new != old else 'is as it was'}")
