"""`slotbeam items find`: the way to an item's id."""

from __future__ import annotations

from typing import Annotated

import typer

from slotbeam.cli.console import counted, say, show_json, table
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, settings_of


def find(
    ctx: typer.Context,
    text: Annotated[str | None, typer.Argument(help="What a shopper would type; those edited last otherwise.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Find items by text; without one, those that were edited, the newest first."""
    from slotbeam.cli.client import admin_client

    params = {"limit": limit, **({"q": text} if text is not None else {})}
    with admin_client(settings_of(ctx), url) as client:
        found = client.call("GET", "/admin/items", params=params).json()
    if as_json:
        show_json(found)
        return
    table(("id", "title", "seq"), [(one["id"], one["title"], one["seq"]) for one in found["items"]], right=("seq",))
    say(f"{counted(found['edited'], 'item')} edited since the index was built, seq {found['seq']}, {found['state']}")
