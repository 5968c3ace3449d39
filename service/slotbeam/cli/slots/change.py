"""`slotbeam slots edit`, `publish`, `draft` and `schedule`: parts of a binding, live."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import typer

from slotbeam.cli.console import counted, say, show_json
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.slots.edit import (
    Ends,
    ItemsFile,
    MatchItems,
    MatchLive,
    Starts,
    item_ids,
    match_rule,
    say_propagation,
    say_warnings,
)
from slotbeam.cli.slots.preview import say_preview
from slotbeam.cli.slots.unbind import Bound, slot_of
from slotbeam.cli.zones import ZoneName, placed, say_window
from slotbeam.errors import SetupError

_NOTHING = {"starts_at": None, "ends_at": None, "owner": "", "reason": ""}
"""What a field says that says nothing."""


def edit(
    ctx: typer.Context,
    bound: Bound,
    word: Annotated[list[str] | None, typer.Option("--word", help="A word, instead of all that it has.")] = None,
    category: Annotated[str | None, typer.Option("--category", "-c", help="What the word is.")] = None,
    item: Annotated[list[str] | None, typer.Option("--item", help="An item id, instead of all that it has.")] = None,
    items_file: ItemsFile = None,
    add: Annotated[list[str] | None, typer.Option("--add-item", help="An item id beside those that it has.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove-item", help="One of the item ids that it has.")] = None,
    match: MatchItems = False,
    match_live: MatchLive = False,
    placement: Annotated[str | None, typer.Option(help="top, blend or only.")] = None,
    starts: Starts = None,
    ends: Ends = None,
    zone: ZoneName = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for it.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it exists.")] = None,
    near_miss: Annotated[bool | None, typer.Option(help="Words one edit away trigger it, too.")] = None,
    exact: Annotated[bool | None, typer.Option(help="No other spelling of the words triggers it.")] = None,
    clear: Annotated[list[str] | None, typer.Option("--clear", help="A field that is to say nothing more.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and change nothing.")] = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change what is named of a binding; what is not named stays."""
    ids, rule = item_ids(item, items_file), match_rule(match, match_live)
    if (ids or rule) and (add or remove):
        raise SetupError("--add-item and --remove-item change the list that is there; give them or a new list")
    items = {"ids": ids, "match": rule} if ids or rule else {"add": add or [], "remove": remove or []}
    body: dict[str, Any] = {
        "words": word,
        "category": category,
        "items": {name: value for name, value in items.items() if value} or None,
        "placement": placement,
        "starts_at": placed(starts, zone),
        "ends_at": placed(ends, zone),
        "owner": owner,
        "reason": reason,
        "near_miss": near_miss,
        "exact": exact,
    }
    body = {name: value for name, value in body.items() if value is not None}
    for field in clear or ():
        if field not in _NOTHING:
            raise SetupError(f"--clear is {field}; allowed: {', '.join(_NOTHING)}")
        body[field] = _NOTHING[field]
    if not body:
        raise SetupError("what is to change? give one of the flags that a binding has, or --clear FIELD")
    _change(ctx, bound, body, zone, wait, url, as_json, dry_run=dry_run)


def publish(
    ctx: typer.Context,
    bound: Bound,
    zone: ZoneName = None,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a draft live."""
    _change(ctx, bound, {"draft": False}, zone, wait, url, as_json)


def draft(
    ctx: typer.Context,
    bound: Bound,
    zone: ZoneName = None,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a binding a draft: it is kept, and nobody is served it."""
    _change(ctx, bound, {"draft": True}, zone, wait, url, as_json)


def schedule(
    ctx: typer.Context,
    bound: Bound,
    starts: Starts = None,
    ends: Ends = None,
    zone: ZoneName = None,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say from when until when a binding counts; a draft stays one."""
    times = {"starts_at": placed(starts, zone), "ends_at": placed(ends, zone)}
    body = {name: text for name, text in times.items() if text is not None}
    if not body:
        raise SetupError(
            'from when until when? give --starts or --ends; "slotbeam slots edit --clear ends_at" ends one'
        )
    _change(ctx, bound, body, zone, wait, url, as_json)


def _change(
    ctx: typer.Context,
    bound: str,
    body: dict[str, Any],
    zone: str | None,
    wait: bool,
    url: str | None,
    as_json: bool,
    dry_run: bool = False,
) -> None:
    from slotbeam.cli.client import admin_client

    params = {"dry_run": "true"} if dry_run else {"wait": "all" if wait else "none"}
    with admin_client(settings_of(ctx), url) as client:
        path = f"/admin/slots/{slot_of(client, bound)}"
        headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": client.call("GET", path).headers["etag"]}
        answer = client.call("PATCH", path, json=body, params=params, headers=headers).json()
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
