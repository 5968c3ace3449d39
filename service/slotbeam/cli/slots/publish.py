"""`slotbeam slots publish`: a draft is live."""

from __future__ import annotations

import typer

from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait
from slotbeam.cli.slots.changes import change
from slotbeam.cli.slots.edits import Bound
from slotbeam.cli.zones import ZoneName


def publish(
    ctx: typer.Context,
    bound: Bound,
    zone: ZoneName = None,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a draft live."""
    change(ctx, bound, {"draft": False}, zone, wait, url, as_json)
