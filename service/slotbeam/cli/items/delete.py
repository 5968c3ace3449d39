"""`slotbeam items delete`: an item is gone."""

from __future__ import annotations

import typer

from slotbeam.cli.items.edit import DryRun, IfMatch, ItemId, write
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait


def delete(
    ctx: typer.Context,
    item_id: ItemId,
    if_match: IfMatch = None,
    dry_run: DryRun = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take an item away."""
    write(ctx, "DELETE", item_id, None, if_match, dry_run, wait, url, as_json)
