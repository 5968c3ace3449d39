"""`slotbeam slots edit`: parts of a binding, live."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait
from slotbeam.cli.slots.changes import change
from slotbeam.cli.slots.edits import (
    Bound,
    Ends,
    ItemsFile,
    MatchItems,
    MatchLive,
    Starts,
    item_ids,
    match_rule,
)
from slotbeam.cli.zones import ZoneName, placed
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
    change(ctx, bound, body, zone, wait, url, as_json, dry_run=dry_run)
