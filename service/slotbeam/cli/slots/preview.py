"""`slotbeam slots preview`: what `bind` would do."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import typer

from slotbeam.cli.console import counted, say, show_json, table
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, settings_of
from slotbeam.cli.slots.edits import (
    CategoryName,
    Ends,
    Exact,
    ItemIds,
    ItemsFile,
    MatchItems,
    MatchLive,
    PlacementName,
    ReservedSlot,
    Starts,
    Words,
    body_of,
    item_ids,
    match_rule,
    say_reach,
    say_spellings,
    say_warnings,
)
from slotbeam.cli.zones import ZoneName, placed, say_window


def preview(
    ctx: typer.Context,
    words: Words,
    category: CategoryName,
    item: ItemIds = None,
    items_file: ItemsFile = None,
    match: MatchItems = False,
    match_live: MatchLive = False,
    placement: PlacementName = "top",
    slot: ReservedSlot = None,
    exact: Exact = False,
    starts: Starts = None,
    ends: Ends = None,
    zone: ZoneName = None,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say what `bind` would do, and change nothing."""
    from slotbeam.cli.client import admin_client

    starts, ends = placed(starts, zone), placed(ends, zone)
    ids = item_ids(item, items_file)
    said = {"slot": slot, "starts_at": starts, "ends_at": ends, "exact": exact}
    body = body_of(words, category, ids, match_rule(match, match_live), placement, **said)
    with admin_client(settings_of(ctx), url) as client:
        dry_run = client.call("POST", "/admin/slots", json=body, params={"dry_run": "true"}).json()
    if as_json:
        show_json(dry_run)
    else:
        say_preview(dry_run, zone)


def say_preview(dry_run: dict[str, Any], zone: str | None) -> None:
    """Say what an edit of a binding would do."""
    items = dry_run["items"]  # none where an edit leaves them as they are
    place = f"would take slot {dry_run['slot']}" if dry_run["slot"] else "would have no slot"
    brings = f" with {counted(items['count'], 'item')}" if items else ""
    say(f"{place}{brings}; nothing was changed")
    say_window(dry_run, zone)
    if items and items["missing_count"]:
        say(f"not in the catalog: {', '.join(items['missing'])} ({items['missing_count']} in all)")
    for word in dry_run["words"]:
        for over in word["overrides"]:
            say(f"{word['word']} overrides the base word {over['word']} (slot {over['slot']})")
        say_spellings(word)
    say_reach(dry_run)
    say_warnings(dry_run)
    for sample in dry_run["samples"]:
        say(f'query "{sample["query"]}"' + ("" if sample["matches"] else " does not hold the word"))
        pairs = zip_longest(sample.get("before") or (), sample.get("after") or (), fillvalue=None)
        rows = [(rank, *map(_title, pair)) for rank, pair in enumerate(pairs, 1)]
        table(("#", "before", "after"), rows, right=("#",))


def _title(item: dict[str, Any] | None) -> str:
    if item is None:
        return ""
    return f"{'● ' if item['source'] == 'binding' else ''}{item['title']} ({item['id']})"
