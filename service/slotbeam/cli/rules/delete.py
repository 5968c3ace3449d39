"""`slotbeam rules delete`: a rule is gone."""

from __future__ import annotations

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.rules.edit import RuleId
from slotbeam.cli.slots.edits import say_propagation


def delete(
    ctx: typer.Context,
    rule: RuleId,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove a rule: what it did happens no more."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        etag = client.call("GET", f"/admin/rules/{rule}").headers["etag"]
        gone = client.call(
            "DELETE", f"/admin/rules/{rule}", params={"wait": "all" if wait else "none"}, headers={"If-Match": etag}
        ).json()
    if as_json:
        show_json(gone)
        return
    say(f"rule {rule} is removed")
    say_propagation(gone)
