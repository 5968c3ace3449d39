"""`slotbeam slots revert`: one revision undone."""

from __future__ import annotations

from typing import Annotated

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.slots.edits import say_propagation


def revert(
    ctx: typer.Context,
    revision: Annotated[int, typer.Argument(min=1, help="As slotbeam slots history shows it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say whether it can be undone.")] = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Undo what one revision changed, by a new one; what was changed since is refused."""
    from slotbeam.cli.client import admin_client

    params = {"dry_run": "true" if dry_run else "false", "wait": "all" if wait else "none"}
    with admin_client(settings_of(ctx), url) as client:
        done = client.call("POST", f"/admin/revisions/{revision}:revert", params=params).json()
    if as_json:
        show_json(done)
    elif dry_run:
        say(f"revision {revision} can be undone; nothing was written")
        for one in done.get("changes", ()):
            say(
                f"{one['did']}: {', '.join(one['words']) or 'every query'}"
                + (f" on {one['slot']}" if one["slot"] else "")
            )
    else:
        say(f"revision {revision} is undone")
        say_propagation(done)
