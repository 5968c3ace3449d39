"""`slotbeam index rollback`."""

from __future__ import annotations

from typing import Annotated

import typer

from slotbeam.cli.index.switching import DryRun, switch
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of


def rollback(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The active index; the default.")] = None,
    dry_run: DryRun = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Go back to the index before the active one; what was edited since is kept."""
    from slotbeam.cli.client import admin_client

    if name is None:
        with admin_client(settings_of(ctx), url) as client:
            name = str(client.call("GET", "/admin/indexes").json()["active"]["name"])
    switch(ctx, "rollback", name, dry_run, wait, url, as_json)
