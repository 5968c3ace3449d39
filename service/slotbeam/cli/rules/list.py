"""`slotbeam rules list`: the rules and what they do."""

from __future__ import annotations

from typing import Annotated

import typer

from slotbeam.cli.console import say, show_json, table
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, settings_of
from slotbeam.cli.rules.actions import told
from slotbeam.cli.zones import ZoneName, clock


def list_rules(
    ctx: typer.Context,
    state: Annotated[str | None, typer.Option(help="draft, scheduled, active, expired or failed.")] = None,
    action: Annotated[str | None, typer.Option(help="Only those that do this: hide, alias, …")] = None,
    q: Annotated[str | None, typer.Option(help="Part of a word, an id, an item, an owner or a reason.")] = None,
    zone: ZoneName = None,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the rules, the newest change first."""
    from slotbeam.cli.client import admin_client

    asked = {"state": state, "action": action, "q": q}
    params = {name: value for name, value in asked.items() if value is not None}
    with admin_client(settings_of(ctx), url) as client:
        answer = client.listed("/admin/rules", "rules", params)
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            rule["id"],
            rule["state"],
            told(rule),
            *(clock(rule[name], zone) for name in ("starts_at", "ends_at")),
            rule["owner"],
            rule["changed_by"] or "",
            clock(rule["changed_at"], zone),
        )
        for rule in answer["rules"]
    ]
    table(("id", "state", "rule", "starts", "ends", "owner", "by", "changed"), rows)
    say(f"{len(rows)} shown, {sum(answer['counts'].values())} in all, revision {answer['revision']}")
