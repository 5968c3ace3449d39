"""`slotbeam rules edit`: parts of a rule, live."""

from __future__ import annotations

from typing import Annotated, Any

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
from slotbeam.cli.slots.edits import Ends, Starts, send
from slotbeam.cli.zones import ZoneName, placed
from slotbeam.errors import SetupError

RuleId = Annotated[str, typer.Argument(help='The id of a rule, which "slotbeam rules list" shows.')]
_NOTHING: dict[str, Any] = {
    **{name: [] for name in ("hide", "positions", "unless", "words")},
    **dict.fromkeys(("boost", "bury", "filter", "metadata", "when", "starts_at", "ends_at")),
    **dict.fromkeys(("replace", "alias", "owner", "reason"), ""),
}
"""What a field says that says nothing."""


def edit(
    ctx: typer.Context,
    rule: RuleId,
    word: Annotated[list[str] | None, typer.Option("--word", help="A word that triggers it, instead of all.")] = None,
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
    owner: Annotated[str | None, typer.Option(help="Who answers for it.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it exists.")] = None,
    draft: IsDraft = None,
    clear: Annotated[list[str] | None, typer.Option("--clear", help="A field that is to say nothing more.")] = None,
    dry_run: DryRun = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change what is named of a rule; lists are given whole."""
    from slotbeam.cli.client import admin_client

    body = actions_of(
        whole,
        draft,
        words=word,
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
        owner=owner,
        reason=reason,
    )
    for field in clear or ():
        if field not in _NOTHING:
            raise SetupError(f"--clear is {field}; allowed: {', '.join(_NOTHING)}")
        body[field] = _NOTHING[field]
    if not body:
        raise SetupError("what is to change? give one of the flags that a rule has, or --clear FIELD")
    with admin_client(settings_of(ctx), url) as client:
        etag = client.call("GET", f"/admin/rules/{rule}").headers["etag"]
        answer = send(client, "PATCH", f"/admin/rules/{rule}", body, wait=wait, dry_run=dry_run, etag=etag)
        say_edit(answer, zone, as_json)
