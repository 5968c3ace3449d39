"""`slotbeam slots list`: the reserved slots and what they are bound to."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from slotbeam.cli.console import say, show_json, table
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, settings_of
from slotbeam.cli.slots.edits import LIVE
from slotbeam.cli.zones import ZoneName, clock


def list_slots(
    ctx: typer.Context,
    state: Annotated[str | None, typer.Option(help="free, draft, scheduled, active, expired or failed.")] = None,
    position: Annotated[int | None, typer.Option(help="One position only.")] = None,
    q: Annotated[str | None, typer.Option(help="Part of a word, an id, a slot, an owner or a reason.")] = None,
    zone: ZoneName = None,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the reserved slots and what they are bound to; without a filter, only those that are not free."""
    from slotbeam.cli.client import admin_client

    asked = {"state": state, "position": position, "q": q}
    params = {name: value for name, value in asked.items() if value is not None}
    with admin_client(settings_of(ctx), url) as client:
        answer = client.listed("/admin/slots", "slots", params)
    if as_json:
        show_json(answer)
        return
    shown = [slot for slot in answer["slots"] if params or slot["state"] != "free"]
    table(
        tuple(_COLUMNS),
        [[_cell(name, _told(slot, name), zone) for name in _COLUMNS.values()] for slot in shown],
        right=("items",),
    )
    say(f"{len(shown)} shown, {len(answer['slots'])} in all, revision {answer['revision']}")


_COLUMNS = {
    **{name: name for name in ("slot", "state", "words", "category")},
    "items": "item_count",
    "placement": "placement",
    "starts": "starts_at",
    "ends": "ends_at",
    "owner": "owner",
    "by": "changed_by",
    "changed": "changed_at",
}
"""Column → member of a slot."""


def _told(slot: dict[str, Any], name: str) -> Any:
    """Return a member of a slot; of the items of a live match only how many are listed can be told.

    One whose record cannot be read has no words, and says why instead.
    """
    if name == "words" and "words" not in slot:
        return slot.get("error")
    value = slot.get(name)
    return f"{value} + {LIVE}" if name == "item_count" and slot.get("match") == LIVE else value


def _cell(name: str, value: Any, zone: str | None) -> str:
    if name.endswith("_at"):
        return clock(value, zone)
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
