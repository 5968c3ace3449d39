"""`slotbeam slots history`: who changed what, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from slotbeam.cli.console import counted, say, show_json, table
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, settings_of
from slotbeam.cli.zones import ZoneName, clock, placed

_WORDS_SHOWN = 3
_CHANGES_SHOWN = 20
_SIGNS = (("added", "+"), ("removed", "−"))


def history(
    ctx: typer.Context,
    word: Annotated[str | None, typer.Option(help="Only bindings that had or have this word.")] = None,
    slot: Annotated[str | None, typer.Option(help="Only bindings that were or are on this slot.")] = None,
    binding: Annotated[str | None, typer.Option(help="Only the binding with this id.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this token did (or expiry).")] = None,
    since: Annotated[str | None, typer.Option(help="From this time on: a time, or a date.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time; a date is the end of that day.")] = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="Revisions at most.")] = 20,
    zone: ZoneName = None,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say who changed which bindings, when and how, newest first; which items came and went is in --json."""
    from slotbeam.cli.client import admin_client

    asked = {"word": word, "slot": slot, "binding": binding, "actor": actor}
    asked |= {"since": placed(since, zone), "until": placed(until, zone)}
    wanted = {name: value for name, value in asked.items() if value is not None}
    with admin_client(settings_of(ctx), url) as client:
        entries = list(_entries(client, wanted, count))
    if as_json:
        show_json(entries)
        return
    rows = [row for entry in entries for row in _rows(entry, zone)]
    table(("revision", "when", "who", "did", "slot", "words", "items", "changed"), rows, right=("revision",))
    say(f"{counted(len(entries), 'revision')} shown")


def changed(change: Mapping[str, Any]) -> list[str]:
    """Return the fields that an update changed, of a change as `GET /admin/audit` tells it."""
    from slotbeam.bindings.spec import FIELDS

    before, after = change["before"], change["after"]
    if before is None or after is None:
        return []
    return [name for name in FIELDS if before.get(name) != after.get(name)]


def _entries(client: Any, wanted: Mapping[str, str], count: int) -> Iterator[dict[str, Any]]:
    """Yield up to `count` entries, page after page."""
    before: int | None = None
    while count:
        params = {**wanted, "count": min(count, 1000), **({"before": before} if before else {})}
        page = client.call("GET", "/admin/audit", params=params).json()
        yield from page["entries"]
        count, before = count - len(page["entries"]), page["next"]
        if before is None:
            return


def _rows(entry: Mapping[str, Any], zone: str | None) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each change of a revision, up to `_CHANGES_SHOWN`."""
    head = (entry["revision"], clock(entry["at"], zone), entry["actor"], entry["op"])
    shown = entry["changes"][:_CHANGES_SHOWN]
    for change in shown:
        yield (*head, change["slot"] or "", _words(change), _items(change["items"]), ", ".join(changed(change)))
        head = ("", "", "", "")
    left = entry["change_count"] - len(shown)
    if left or not shown:
        yield (*head, "", counted(left, "more change") if left else "", "", "")


def _words(change: Mapping[str, Any]) -> str:
    words = (change["after"] or change["before"] or {}).get("words") or [change["id"]]
    return ", ".join(map(str, words[:_WORDS_SHOWN])) + (" …" if len(words) > _WORDS_SHOWN else "")


def _items(moved: Mapping[str, Any] | None) -> str:
    return "" if moved is None else " ".join(f"{sign}{moved[name]}" for name, sign in _SIGNS if moved[name])
