"""`slotbeam rules show`: one rule."""

from __future__ import annotations

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, settings_of
from slotbeam.cli.rules.actions import told
from slotbeam.cli.rules.edit import RuleId
from slotbeam.cli.zones import ZoneName, clock, say_window


def show(
    ctx: typer.Context,
    rule: RuleId,
    zone: ZoneName = None,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show one rule."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        found = client.call("GET", f"/admin/rules/{rule}").json()
    if as_json:
        show_json(found)
        return
    say(f"rule {found['id']} is {found['state']}: {told(found)}")
    if found.get("error"):
        say(found["error"])
    if found["trigger"] == "whole":
        say("only where the word is the whole query")
    if found["unless"]:
        say(f"not where the query holds {', '.join(found['unless'])}")
    say_window(found, zone)
    if found["missing"]:
        say(f"not in the catalog: {', '.join(found['missing'])}")
    by = f" by {found['changed_by']} at {clock(found['changed_at'], zone)}" if found["changed_by"] else ""
    say(f"revision {found['revision']}{by}")
    for name in ("owner", "reason"):
        if found[name]:
            say(f"{name}: {found[name]}")
