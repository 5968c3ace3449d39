"""`slotbeam index …`: indexes from the shell, one file a command; without one, a catalog becomes an artifact."""

from __future__ import annotations

import typer

from slotbeam.cli.index import activate, build, pull, rollback, verify
from slotbeam.cli.index import list as list_

group = typer.Typer(
    help="Encode a catalog by a model, without training; fold live edits into an index; check what was made.",
    invoke_without_command=True,
)
group.callback()(build.index)
group.command()(pull.pull)
group.command()(verify.verify)
group.command("list")(list_.list_indexes)
group.command()(activate.activate)
group.command()(rollback.rollback)
