"""`slotbeam items put`: a new item, or another, live in every replica when the command ends."""

from __future__ import annotations

import typer

from slotbeam.cli.items.edit import DryRun, IfMatch, ItemId, Source, body_of, write
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait


def put(
    ctx: typer.Context,
    item_id: ItemId,
    item: Source,
    if_match: IfMatch = None,
    dry_run: DryRun = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make an item what the JSON says (docs/catalog.md): a new one, or another."""
    write(ctx, "PUT", item_id, body_of(item), if_match, dry_run, wait, url, as_json)
