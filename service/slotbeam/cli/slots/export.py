"""`slotbeam slots export`: all bindings as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from slotbeam.cli.console import say
from slotbeam.cli.options import AdminUrl, DataDir, settings_of
from slotbeam.cli.zones import Zone
from slotbeam.errors import SetupError


def export(
    ctx: typer.Context,
    out: Annotated[
        Path | None, typer.Option(help="The file to write; bindings.json or bindings.csv otherwise.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet, and for `slots import`.")] = False,
    zone: Zone = None,
    url: AdminUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Write every binding with its items to a file: what `slots import`, `slots restore` and `train --absorb` read."""
    import orjson

    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        if as_csv:
            answer = client.call("GET", "/admin/slots.csv", params={"zone": zone} if zone else {})
            target = out or Path("bindings.csv")
            target.write_bytes(answer.content)
            say(f"{target} holds every binding of revision {answer.headers['x-bindings-revision']}")
            return
        held = [slot for slot in client.call("GET", "/admin/slots").json()["slots"] if slot["state"] != "free"]
        rows = [_exported(client, view["id"]) for view in held if "words" in view]
    target = out or Path("bindings.json")
    target.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")
    for view in held:
        if "words" not in view:
            say(f"left out {view['id']}: {view['error']}")
    say(f"{target} holds {len(rows)} bindings, {sum(len(row['items']) for row in rows)} items in all")


_EXPORTED = (
    *("id", "words", "category", "items", "placement", "slot", "state"),
    *("near_miss", "match", "starts_at", "ends_at", "owner", "reason", "created_at", "revision"),
)


def _exported(client: Any, key: str) -> dict[str, Any]:
    """One binding with its item ids. Raises `SetupError` when the control plane does not hold all of them."""
    view = client.call("GET", f"/admin/slots/{key}").json()
    view["items"] = view["item_ids"]
    if len(view["items"]) != view["item_count"]:
        raise SetupError(
            f'"{view["words"][0]}" ({key}) has {view["item_count"]} items, the control plane could read '
            f"{len(view['items'])} of them; nothing was written: try again, or unbind it"
        )
    return {name: view[name] for name in _EXPORTED}
