"""`slotbeam items show`: an item as it is now."""

from __future__ import annotations

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.items.edit import ItemId, path_of
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, settings_of


def show(
    ctx: typer.Context, item_id: ItemId, url: AdminUrl = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Show an item as it is now: the row as it was given, and its ETag."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        found = client.call("GET", path_of(item_id)).json()
    if as_json:
        show_json(found)
        return
    show_json(found["item"])
    edited = "as the index has it" if found["seq"] is None else f"edited, seq {found['seq']}"
    say(f"{edited}; ETag {found['etag']}")
