"""`slotbeam slots bind`: words to items, live."""

from __future__ import annotations

from typing import Annotated

import typer

from slotbeam.cli.console import counted, say, show_json
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.slots.edits import (
    LIVE,
    CategoryName,
    Ends,
    Exact,
    ItemIds,
    ItemsFile,
    MatchItems,
    MatchLive,
    NearMiss,
    Owner,
    PlacementName,
    Reason,
    ReservedSlot,
    Starts,
    Words,
    body_of,
    item_ids,
    match_rule,
    say_propagation,
    say_reach,
    say_warnings,
    send,
)
from slotbeam.cli.zones import ZoneName, placed, say_window


def bind(
    ctx: typer.Context,
    words: Words,
    category: CategoryName,
    item: ItemIds = None,
    items_file: ItemsFile = None,
    match: MatchItems = False,
    match_live: MatchLive = False,
    placement: PlacementName = "top",
    slot: ReservedSlot = None,
    starts: Starts = None,
    ends: Ends = None,
    zone: ZoneName = None,
    owner: Owner = "",
    reason: Reason = "",
    near_miss: NearMiss = False,
    exact: Exact = False,
    draft: Annotated[bool, typer.Option("--draft", help="Keep it, and serve it to nobody yet.")] = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Bind words to items: queries that hold a word get its items, within a second."""
    from slotbeam.cli.client import admin_client

    rule = match_rule(match, match_live)
    body = body_of(
        words,
        category,
        item_ids(item, items_file),
        rule,
        placement,
        slot=slot,
        starts_at=placed(starts, zone),
        ends_at=placed(ends, zone),
        owner=owner,
        reason=reason,
        near_miss=near_miss,
        exact=exact,
        draft=draft,
    )
    with admin_client(settings_of(ctx), url) as client:
        if rule and not as_json:  # what it would take, before it is taken
            say_reach(client.call("POST", "/admin/slots", json=body, params={"dry_run": "true"}).json())
        made = send(client, "POST", "/admin/slots", body, wait=wait, dry_run=False)
    if as_json:
        show_json(made)
        return
    named, several = ", ".join(made["words"]), len(made["words"]) > 1
    items = counted(made["item_count"], "item") + (" and all that match" if rule == LIVE else "")
    if made["slot"]:
        say(f"{named} {'are' if several else 'is'} bound to slot {made['slot']} ({items}, {made['placement']})")
    else:
        say(f"{named}: {made['state']} {made['id']} ({items}, {made['placement']})")
        say(f'nobody is served it yet: "slotbeam slots publish {made["id"]}" makes it live')
    say_window(made, zone)
    say_warnings(made)
    say_propagation(made)
