"""`slotbeam alias`: a new surface of a word that the dictionary knows."""

from __future__ import annotations

from typing import Annotated

import typer

from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.rules.actions import DryRun, say_edit
from slotbeam.cli.slots.edits import Owner, Reason, send


def alias(
    ctx: typer.Context,
    word: Annotated[str, typer.Argument(help="The new word.")],
    of: Annotated[str, typer.Argument(help="The word of the dictionary that it is read as.")],
    two_way: Annotated[bool, typer.Option("--two-way", help="A query with that one finds texts with the new, too.")] = (
        False
    ),
    owner: Owner = "",
    reason: Reason = "",
    dry_run: DryRun = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Read a word as one that the dictionary knows: live, without a slot or a training."""
    from slotbeam.cli.client import admin_client

    body = {"words": [word], "alias": of, "two_way": two_way, "owner": owner, "reason": reason}
    with admin_client(settings_of(ctx), url) as client:
        say_edit(send(client, "POST", "/admin/rules", body, wait=wait, dry_run=dry_run), None, as_json)
