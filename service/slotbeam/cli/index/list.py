"""`slotbeam index list`."""

from __future__ import annotations

import typer

from slotbeam.cli.console import counted, say, show_json
from slotbeam.cli.index.switching import shown
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, settings_of


def list_indexes(ctx: typer.Context, url: AdminUrl = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show the active index, the one before it, and those that can be activated."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        told = client.call("GET", "/admin/indexes").json()
    if as_json:
        show_json(told)
        return
    by = f", by {told['switched_by']} at {told['switched_at']}" if told["switched_by"] else ""
    say(f"active  {shown(told['active'])}{by}")
    if told["before"]:
        say(f"before  {shown(told['before'])}")
    say(f"{counted(told['delta'], 'item')} edited since, {told['limit']} are allowed")
    for index in told["indexes"]:
        refused = f"; cannot be activated: {index['refused']}" if index.get("refused") else ""
        say(f"  {index['name']:<32} {counted(index['items'], 'item')}, edits up to seq {index['seq']}{refused}")
