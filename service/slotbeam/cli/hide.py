"""`slotbeam hide`: items out of the answers to one query, or to all."""

from __future__ import annotations

from typing import Annotated

import typer

from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.rules.actions import DryRun, say_edit
from slotbeam.cli.slots.edits import Ends, Owner, Reason, Starts, send
from slotbeam.cli.zones import ZoneName, placed


def hide(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help='The whole query; "" hides the items from every one.')],
    ids: Annotated[list[str], typer.Argument(help="Item ids.")],
    starts: Starts = None,
    ends: Ends = None,
    zone: ZoneName = None,
    owner: Owner = "",
    reason: Reason = "",
    dry_run: DryRun = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Hide items from one query, or from every one; "slotbeam rules add" knows more."""
    from slotbeam.cli.client import admin_client

    body = {
        **({"words": [query], "trigger": "whole"} if query else {}),
        "hide": ids,
        "starts_at": placed(starts, zone),
        "ends_at": placed(ends, zone),
        "owner": owner,
        "reason": reason,
    }
    with admin_client(settings_of(ctx), url) as client:
        say_edit(send(client, "POST", "/admin/rules", body, wait=wait, dry_run=dry_run), zone, as_json)
