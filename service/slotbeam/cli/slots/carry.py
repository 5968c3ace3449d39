"""`slotbeam slots carry`: bindings of another codebook get slots of the one that is served."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from slotbeam.cli.console import counted, say, say_error, show_json
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, settings_of

if TYPE_CHECKING:
    from slotbeam.cli.client import PlaneClient

RATE_LIMITED, RETRY_S = 429, 1.0


def carry(ctx: typer.Context, url: AdminUrl = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Give every binding that has none a slot of the codebook that the control plane serves, for a new model."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        carried, left = carry_all(client)
    if as_json:
        show_json({"carried": carried, "left": left})
    else:
        say(f"{counted(len(carried), 'binding')} got a slot, {len(left)} did not")
        for binding, why in left.items():
            say_error(f"{binding}: {why}")
    if left:
        raise typer.Exit(1)


def carry_all(client: PlaneClient) -> tuple[dict[str, str], dict[str, str]]:
    """Give every binding that the control plane behind `client` has no slot for one of its codebook.

    Returns:
        `(binding id → its new slot, binding id → why it has none)`.
    """
    from slotbeam.bindings.replica.compiling import NO_SLOT
    from slotbeam.errors import SlotbeamError

    carried, left = {}, {}
    for view in client.listed("/admin/slots", "slots", {"state": "failed"})["slots"]:
        binding, etag = view["id"], view.get("etag")
        while etag and str(view.get("error")).startswith(NO_SLOT):
            try:
                edit = client.call("PATCH", f"/admin/slots/{binding}", json={}, headers={"If-Match": etag})
            except SlotbeamError as error:
                if error.details.get("status") == RATE_LIMITED:
                    time.sleep(RETRY_S)
                    continue
                left[binding] = str(error)
            else:
                carried[binding] = str(edit.json()["slot"])
            break
    return carried, left
