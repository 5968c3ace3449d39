"""`slotbeam slots schedule`: from when until when a binding counts."""

from __future__ import annotations

import typer

from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait
from slotbeam.cli.slots.changes import change
from slotbeam.cli.slots.edits import Bound, Ends, Starts
from slotbeam.cli.zones import ZoneName, placed
from slotbeam.errors import SetupError


def schedule(
    ctx: typer.Context,
    bound: Bound,
    starts: Starts = None,
    ends: Ends = None,
    zone: ZoneName = None,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say from when until when a binding counts; a draft stays one."""
    times = {"starts_at": placed(starts, zone), "ends_at": placed(ends, zone)}
    body = {name: text for name, text in times.items() if text is not None}
    if not body:
        raise SetupError(
            'from when until when? give --starts or --ends; "slotbeam slots edit --clear ends_at" ends one'
        )
    change(ctx, bound, body, zone, wait, url, as_json)
