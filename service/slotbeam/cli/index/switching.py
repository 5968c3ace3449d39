"""`slotbeam index list`, `activate`, `rollback`: which index is served, without a restart."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from slotbeam.cli.console import counted, say, show_json
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of

WAIT_S, CALL_S = 60, 90

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")]


def list_indexes(ctx: typer.Context, url: AdminUrl = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show the active index, the one before it, and those that can be activated."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        told = client.call("GET", "/admin/indexes").json()
    if as_json:
        show_json(told)
        return
    by = f", by {told['switched_by']} at {told['switched_at']}" if told["switched_by"] else ""
    say(f"active  {_shown(told['active'])}{by}")
    if told["before"]:
        say(f"before  {_shown(told['before'])}")
    say(f"{counted(told['delta'], 'item')} edited since, {told['limit']} are allowed")
    for index in told["indexes"]:
        refused = f"; cannot be activated: {index['refused']}" if index.get("refused") else ""
        say(f"  {index['name']:<32} {counted(index['items'], 'item')}, edits up to seq {index['seq']}{refused}")


def activate(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Of a directory under SLOTBEAM_INDEX_DIR.")],
    dry_run: DryRun = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make every replica serve another index; each checks it first, and no request is lost."""
    _switch(ctx, "activate", name, dry_run, wait, url, as_json)


def rollback(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The active index; the default.")] = None,
    dry_run: DryRun = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Go back to the index before the active one; what was edited since is kept."""
    from slotbeam.cli.client import admin_client

    if name is None:
        with admin_client(settings_of(ctx), url) as client:
            name = str(client.call("GET", "/admin/indexes").json()["active"]["name"])
    _switch(ctx, "rollback", name, dry_run, wait, url, as_json)


def _switch(
    ctx: typer.Context, verb: str, name: str, dry_run: bool, wait: bool, url: str | None, as_json: bool
) -> None:
    from slotbeam.cli.client import admin_client
    from slotbeam.indexing.names import check_index_name

    path = f"/admin/indexes/{check_index_name(name)}:{verb}"
    params = {"wait": "all" if wait else "none", "timeout": f"{WAIT_S}s", "dry_run": dry_run}
    with admin_client(settings_of(ctx), url) as client:
        done = client.call("POST", path, params=params, timeout=CALL_S).json()
    if as_json:
        show_json(done)
        return
    active = _shown(done["active"])
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


def _shown(mark: dict[str, Any]) -> str:
    return f"{mark['name']} (edits up to seq {mark['seq']}, sha {mark['sha'][:12]})"
