"""`slotbeam slots …`: edits from the shell, one file a command."""

from __future__ import annotations

import typer

from slotbeam.cli.slots import bind, carry, change, export, history, import_, preview, restore, revert, unbind
from slotbeam.cli.slots import list as list_

group = typer.Typer(help="Bind words to reserved slots, live.", no_args_is_help=True)
group.command()(bind.bind)
group.command()(preview.preview)
for command in (change.edit, change.publish, change.draft, change.schedule):
    group.command()(command)
group.command()(unbind.unbind)
group.command("list")(list_.list_slots)
group.command()(export.export)
group.command()(carry.carry)
group.command("import")(import_.import_file)
group.command()(history.history)
group.command()(revert.revert)
group.command()(restore.restore)
