"""`slotbeam items patch`: parts of an item change."""

from __future__ import annotations

import typer

from slotbeam.cli.items.edit import DryRun, IfMatch, ItemId, Source, body_of, write
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait


def patch(
    ctx: typer.Context,
    item_id: ItemId,
    changes: Source,
    if_match: IfMatch = None,
    dry_run: DryRun = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change parts of an item: a JSON merge patch, e.g. '{"fields": {"price": 9.5}}'."""
    write(ctx, "PATCH", item_id, body_of(changes), if_match, dry_run, wait, url, as_json)
