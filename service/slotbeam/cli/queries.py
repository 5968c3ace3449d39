"""`slotbeam queries`: the queries that got no items, or no clicks, from the shell."""

from __future__ import annotations

from typing import Annotated

import typer

from slotbeam.cli.console import say, show_json, table
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, settings_of


def queries(
    ctx: typer.Context,
    unclicked: Annotated[bool, typer.Option("--unclicked", help="Those with items of which nobody took one.")] = False,
    count: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 20,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the queries that got no items, or no clicks, from five askers on."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        asked = {"answered": "unclicked" if unclicked else "none", "count": count}
        answer = client.call("GET", "/admin/queries", params=asked).json()
    if as_json:
        show_json(answer)
        return
    rows = [(each["query"], each["count"], each["askers"], each["last_seen"]) for each in answer["queries"]]
    table(("query", "asked", "askers", "last"), rows, right=("asked", "askers"))
    say(f"{len(rows)} shown, {answer['withheld']} withheld: fewer than five asked them")
