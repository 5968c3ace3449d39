"""`slotbeam index activate`."""

from __future__ import annotations

from typing import Annotated

import typer

from slotbeam.cli.index.switching import DryRun, switch
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait


def activate(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Of a directory under SLOTBEAM_INDEX_DIR.")],
    dry_run: DryRun = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make every replica serve another index; each checks it first, and no request is lost."""
    switch(ctx, "activate", name, dry_run, wait, url, as_json)
