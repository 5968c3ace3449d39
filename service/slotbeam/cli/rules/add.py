"""`slotbeam rules add`: a rule, live."""

from __future__ import annotations

from typing import Annotated

import typer

from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.rules.actions import (
    Alias,
    Boost,
    Bury,
    DryRun,
    FilterBy,
    Hide,
    IsDraft,
    Metadata,
    Position,
    Replace,
    TwoWay,
    Unless,
    When,
    Whole,
    actions_of,
    say_edit,
)
from slotbeam.cli.slots.edits import Ends, Owner, Reason, Starts, send
from slotbeam.cli.zones import ZoneName, placed


def add(
    ctx: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(help="Words that trigger it; none: every query does.")] = None,
    hide: Hide = None,
    position: Position = None,
    boost: Boost = None,
    bury: Bury = None,
    filter_by: FilterBy = None,
    replace: Replace = None,
    alias: Alias = None,
    two_way: TwoWay = None,
    metadata: Metadata = None,
    whole: Whole = None,
    unless: Unless = None,
    when: When = None,
    starts: Starts = None,
    ends: Ends = None,
    zone: ZoneName = None,
    owner: Owner = "",
    reason: Reason = "",
    draft: IsDraft = None,
    dry_run: DryRun = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a rule: what is to happen to queries that hold a word, within a second."""
    from slotbeam.cli.client import admin_client

    body = actions_of(
        whole,
        draft,
        words=words or [],
        hide=hide,
        positions=position,
        boost=boost,
        bury=bury,
        filter=filter_by,
        replace=replace,
        alias=alias,
        two_way=two_way,
        metadata=metadata,
        unless=unless,
        when=when,
        starts_at=placed(starts, zone),
        ends_at=placed(ends, zone),
        owner=owner or None,
        reason=reason or None,
    )
    with admin_client(settings_of(ctx), url) as client:
        say_edit(send(client, "POST", "/admin/rules", body, wait=wait, dry_run=dry_run), zone, as_json)
