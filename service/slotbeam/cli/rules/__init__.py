"""`slotbeam rules …`: what is done to queries and answers without a slot, one file a command."""

from __future__ import annotations

import typer

from slotbeam.cli.rules import add, delete, edit, show
from slotbeam.cli.rules import list as list_

group = typer.Typer(help="Hide, order, weigh, rewrite and alias, live.", no_args_is_help=True)
group.command()(add.add)
group.command()(edit.edit)
group.command("list")(list_.list_rules)
group.command()(show.show)
group.command()(delete.delete)
