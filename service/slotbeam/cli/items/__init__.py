"""`slotbeam items …`: live items from the shell, one file a command."""

from __future__ import annotations

import typer

from slotbeam.cli.items import delete, find, import_, patch, put, restore, show, watermark

group = typer.Typer(help="Put, patch and delete items, live.", no_args_is_help=True)
group.command()(put.put)
group.command()(patch.patch)
group.command()(delete.delete)
group.command()(show.show)
group.command()(find.find)
group.command("import")(import_.import_items)
group.command()(restore.restore)
group.command()(watermark.watermark)
