"""What `edit`, `publish`, `draft` and `schedule` do."""

from __future__ import annotations

from typing import Any

import typer

from slotbeam.cli.console import counted, say, show_json
from slotbeam.cli.options import settings_of
from slotbeam.cli.slots.edits import say_propagation, say_warnings, send, slot_of
from slotbeam.cli.slots.preview import say_preview
from slotbeam.cli.zones import say_window


def change(
    ctx: typer.Context,
    bound: str,
    body: dict[str, Any],
    zone: str | None,
    wait: bool,
    url: str | None,
    as_json: bool,
    dry_run: bool = False,
) -> None:
    """Patch a binding with `body`, and say what it is now, or, with `dry_run`, what it would be."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        path = f"/admin/slots/{slot_of(client, bound)}"
        etag = client.call("GET", path).headers["etag"]
        answer = send(client, "PATCH", path, body, wait=wait, dry_run=dry_run, etag=etag)
    if as_json:
        show_json(answer)
    elif dry_run:
        say_preview(answer, zone)
    else:
        place = f"slot {answer['slot']}" if answer["slot"] else f"binding {answer['id']}"
        say(f"{', '.join(answer['words'])} ({place}, {counted(answer['item_count'], 'item')}): {answer['state']}")
        say_window(answer, zone)
        say_warnings(answer)
        say_propagation(answer)
