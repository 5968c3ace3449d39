"""`slotbeam slots unbind`: a slot is free again."""

from __future__ import annotations

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.slots.edits import Bound, say_propagation, slot_of


def unbind(
    ctx: typer.Context,
    bound: Bound,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Free a slot: its word means again what it meant before."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        slot = slot_of(client, bound)
        etag = client.call("GET", f"/admin/slots/{slot}").headers["etag"]
        freed = client.call(
            "DELETE", f"/admin/slots/{slot}", params={"wait": "all" if wait else "none"}, headers={"If-Match": etag}
        ).json()
    if as_json:
        show_json(freed)
        return
    say(f"binding {slot} is removed" if slot.startswith("b_") else f"slot {slot} is free")
    say_propagation(freed)
