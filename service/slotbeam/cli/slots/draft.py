"""`slotbeam slots draft`: a binding is a draft."""

from __future__ import annotations

import typer

from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait
from slotbeam.cli.slots.changes import change
from slotbeam.cli.slots.edits import Bound
from slotbeam.cli.zones import ZoneName


def draft(
    ctx: typer.Context,
    bound: Bound,
    zone: ZoneName = None,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a binding a draft: it is kept, and nobody is served it."""
    change(ctx, bound, {"draft": True}, zone, wait, url, as_json)
