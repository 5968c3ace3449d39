"""What `slotbeam index activate` and `rollback` have in common."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import settings_of

WAIT_S, CALL_S = 60, 90

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")]


def switch(ctx: typer.Context, verb: str, name: str, dry_run: bool, wait: bool, url: str | None, as_json: bool) -> None:
    """Have the replicas switch by `verb`, and say who did."""
    from slotbeam.cli.client import admin_client
    from slotbeam.indexing.directory import check_index_name

    path = f"/admin/indexes/{check_index_name(name)}:{verb}"
    params = {"wait": "all" if wait else "none", "timeout": f"{WAIT_S}s", "dry_run": dry_run}
    with admin_client(settings_of(ctx), url) as client:
        done = client.call("POST", path, params=params, timeout=CALL_S).json()
    if as_json:
        show_json(done)
        return
    active = shown(done["active"])
    if dry_run:
        say(f"{active} would be active ({done['did']}); nothing was changed")
        return
    say(f"{active} is active ({done['did']}, switch {done['switch']})")
    spread = done["propagation"]
    if spread["expected"] is None:
        say(str(spread["error"]))
        return
    say(f"served by {spread['applied']} of {spread['expected']} replicas")
    for replica in spread["replicas"]:
        say(f"  {replica['id']:<24} {replica['error'] or ('' if replica['applied'] else 'not yet')}".rstrip())


def shown(mark: dict[str, Any]) -> str:
    """Return an index as a person reads it."""
    return f"{mark['name']} (edits up to seq {mark['seq']}, sha {mark['sha'][:12]})"
