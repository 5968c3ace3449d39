"""`slotbeam backup …`: the store in one file, and back, one file a command."""

from __future__ import annotations

import typer

from slotbeam.cli.backup import make, restore, verify

group = typer.Typer(help="Back the store up into a file, check one, bring one back.", no_args_is_help=True)
group.command()(make.make)
group.command()(verify.verify)
group.command()(restore.restore)
