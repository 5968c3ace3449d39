"""`slotbeam slots …`: edits from the shell, through the admin API."""

from __future__ import annotations

import uuid
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

import typer

from slotbeam.cli.bulk import export, import_file, say_propagation
from slotbeam.cli.console import say, show_json, table
from slotbeam.cli.history import history
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.restore import restore
from slotbeam.cli.zones import Zone, clock, placed, say_window
from slotbeam.errors import NotFound, SetupError

TIMES = "2026-11-27T09:00:00+01:00, 2026-11-27 09:00 Europe/Berlin or 2026-11-27"
Words = Annotated[list[str], typer.Argument(help="The word, and other spellings of it.")]
Category = Annotated[str, typer.Option("--category", "-c", help="What the word is: brand, entity, color, …")]
Items = Annotated[list[str] | None, typer.Option("--item", help="An item id; may be repeated.")]
ItemsFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Item ids, one a line.")]
MatchItems = Annotated[bool, typer.Option("--match", help="Every item whose text holds one of the words.")]
Placement = Annotated[str, typer.Option(help="top: first; blend: every other rank; only: nothing else.")]
SlotId = Annotated[str | None, typer.Option("--slot", help="A reserved slot; the first free one otherwise.")]
Starts = Annotated[
    str | None, typer.Option("--starts", help=f"Not before this time: {TIMES}; a date is its first moment.")
]
Ends = Annotated[str | None, typer.Option("--ends", help="Not after this time; a date is the end of that day.")]
Owner = Annotated[str, typer.Option(help="Who answers for it.")]
Reason = Annotated[str, typer.Option(help="Why it exists.")]
NearMiss = Annotated[bool, typer.Option("--near-miss", help="Words one edit away trigger it, too.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Bind words to reserved slots, live.", no_args_is_help=True)
    group.command("bind")(bind)
    group.command("preview")(preview)
    group.command("unbind")(unbind)
    group.command("list")(list_slots)
    group.command("export")(export)
    group.command("import")(import_file)
    group.command("history")(history)
    group.command("restore")(restore)
    app.add_typer(group, name="slots")


def bind(
    ctx: typer.Context,
    words: Words,
    category: Category,
    item: Items = None,
    items_file: ItemsFile = None,
    match: MatchItems = False,
    placement: Placement = "top",
    slot: SlotId = None,
    starts: Starts = None,
    ends: Ends = None,
    zone: Zone = None,
    owner: Owner = "",
    reason: Reason = "",
    near_miss: NearMiss = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Bind words to items: queries that hold a word get its items, within a second."""
    from slotbeam.cli.client import admin_client

    starts, ends = placed(starts, zone), placed(ends, zone)
    body = _body(words, category, item, items_file, match, placement, slot, starts, ends, owner, reason, near_miss)
    with admin_client(settings_of(ctx), url) as client:
        if match and not as_json:  # what it would take, before it is taken
            _say_reach(client.call("POST", "/admin/slots", json=body, params={"dry_run": "true"}).json())
        made = client.call(
            "POST",
            "/admin/slots",
            json=body,
            params={"wait": "all" if wait else "none"},
            headers={"Idempotency-Key": uuid.uuid4().hex},
        ).json()
    if as_json:
        show_json(made)
        return
    say(f"{', '.join(made['words'])} is bound to slot {made['slot']} ({made['item_count']} items, {made['placement']})")
    say_window(made, zone)
    _say_warnings(made)
    say_propagation(made)


def preview(
    ctx: typer.Context,
    words: Words,
    category: Category,
    item: Items = None,
    items_file: ItemsFile = None,
    match: MatchItems = False,
    placement: Placement = "top",
    slot: SlotId = None,
    starts: Starts = None,
    ends: Ends = None,
    zone: Zone = None,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say what `bind` would do, and change nothing."""
    from slotbeam.cli.client import admin_client

    starts, ends = placed(starts, zone), placed(ends, zone)
    body = _body(words, category, item, items_file, match, placement, slot, starts, ends)
    with admin_client(settings_of(ctx), url) as client:
        found = client.call("POST", "/admin/slots", json=body, params={"dry_run": "true"}).json()
    if as_json:
        show_json(found)
    else:
        _say_preview(found, zone)


def unbind(
    ctx: typer.Context,
    slot_or_word: Annotated[str, typer.Argument(help="A slot id such as 1-2049, or a bound word.")],
    reason: Reason = "",
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Free a slot: its word means again what it meant before."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        slot = _slot_of(client, slot_or_word)
        etag = client.call("GET", f"/admin/slots/{slot}").headers["etag"]
        freed = client.call(
            "DELETE", f"/admin/slots/{slot}", params={"wait": "all" if wait else "none"}, headers={"If-Match": etag}
        ).json()
    if as_json:
        show_json(freed)
        return
    say(f"binding {slot} is removed" if slot.startswith("b_") else f"slot {slot} is free")
    say_propagation(freed)


def list_slots(
    ctx: typer.Context,
    state: Annotated[str | None, typer.Option(help="free, draft, scheduled, active, expired or failed.")] = None,
    position: Annotated[int | None, typer.Option(help="One position only.")] = None,
    q: Annotated[str | None, typer.Option(help="Words that hold this text.")] = None,
    zone: Zone = None,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the reserved slots and what they are bound to; without a filter, only those that are not free."""
    from slotbeam.cli.client import admin_client

    asked = {"state": state, "position": position, "q": q}
    params = {name: value for name, value in asked.items() if value is not None}
    with admin_client(settings_of(ctx), url) as client:
        found = client.call("GET", "/admin/slots", params=params).json()
    if as_json:
        show_json(found)
        return
    rows = [slot for slot in found["slots"] if params or slot["state"] != "free"]
    table(
        tuple(_COLUMNS),
        [[_cell(name, slot.get(name), zone) for name in _COLUMNS.values()] for slot in rows],
        right=("items",),
    )
    say(f"{len(rows)} shown, {len(found['slots'])} in all, revision {found['revision']}")


_COLUMNS = {
    **{name: name for name in ("slot", "state", "words", "category")},
    "items": "item_count",
    "placement": "placement",
    "starts": "starts_at",
    "ends": "ends_at",
    "owner": "owner",
    "by": "changed_by",
    "changed": "changed_at",
}
"""Column → member of a slot."""


def _cell(name: str, value: Any, zone: str | None) -> str:
    if name.endswith("_at"):
        return clock(value, zone)
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _body(
    words: list[str],
    category: str,
    item: list[str] | None,
    items_file: Path | None,
    match: bool,
    placement: str,
    slot: str | None,
    starts: str | None = None,
    ends: str | None = None,
    owner: str = "",
    reason: str = "",
    near_miss: bool = False,
) -> dict[str, Any]:
    ids = item_ids(item, items_file)
    if not ids and not match:
        raise SetupError("which items? give --item ID (more than once), --items-file FILE, or --match")
    items: dict[str, Any] = {**({"ids": ids} if ids else {}), **({"match": True} if match else {})}
    body: dict[str, Any] = {"words": words, "category": category, "items": items, "placement": placement}
    optional = {"slot": slot, "starts_at": starts, "ends_at": ends, "owner": owner, "reason": reason}
    body.update({name: value for name, value in optional.items() if value})
    if near_miss:
        body["near_miss"] = True
    return body


def item_ids(item: list[str] | None, items_file: Path | None) -> list[str]:
    """The ids given one by one and in a file."""
    ids = list(item or [])
    if items_file is not None:
        try:
            lines = items_file.read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise SetupError(f"{items_file} is not UTF-8 (byte {error.start}); save it as text in UTF-8") from None
        ids += [line.strip() for line in lines if line.strip()]
    return ids


def _slot_of(client: Any, slot_or_word: str) -> str:
    """Return the slot: as given, or where exactly this word is bound (slot, else binding id). Raises `NotFound`."""
    from slotbeam.errors import InputError
    from slotbeam.kae.normalize import normalize
    from slotbeam.types import Slot

    try:
        return str(Slot.parse(slot_or_word))
    except InputError:
        word = normalize(slot_or_word)
    found = client.call("GET", "/admin/slots", params={"q": word}).json()
    for slot in found["slots"]:
        if word in (slot.get("words") or ()):
            return str(slot["slot"] or slot["id"])  # a draft, or placed in another codebook, has no slot
    raise NotFound(f'"{word}" is not bound; "slotbeam slots list" shows what is')


def _say_preview(found: dict[str, Any], zone: str | None) -> None:
    items = found["items"]
    say(f"would take slot {found['slot']} with {items['count']} items; nothing was changed")
    say_window(found, zone)
    if items["missing_count"]:
        say(f"not in the catalog: {', '.join(items['missing'])} ({items['missing_count']} in all)")
    for word in found["words"]:
        for over in word["overrides"]:
            say(f"{word['word']} overrides the base word {over['word']} (slot {over['slot']})")
    _say_reach(found)
    _say_warnings(found)
    for sample in found["samples"]:
        say(f'query "{sample["query"]}"' + ("" if sample["matches"] else " does not hold the word"))
        pairs = zip_longest(sample.get("before") or (), sample.get("after") or (), fillvalue=None)
        rows = [(rank, *map(_title, pair)) for rank, pair in enumerate(pairs, 1)]
        table(("#", "before", "after"), rows, right=("#",))


def _say_reach(found: dict[str, Any]) -> None:
    """How many items a match of words takes, and what share of recent queries the binding would."""
    matched, traffic = found["items"]["matched"], found["traffic"]
    if matched is not None:
        say(f"the text of {matched} items holds one of the words")
    if not traffic["sampled"]:
        say("no query of the last day is known: which share of them it would take is not known either")
        return
    shown = ", ".join(f'"{query}"' for query in traffic["examples"])
    share = f"{traffic['taken']} of {traffic['sampled']} queries sampled from the last day ({traffic['share']:.1%})"
    say(f"it would take {share}" + (f", for example {shown}" if shown else ""))


def _say_warnings(answer: dict[str, Any]) -> None:
    for warning in answer.get("warnings", ()):
        say(f"warning: {warning}")


def _title(item: dict[str, Any] | None) -> str:
    if item is None:
        return ""
    return f"{'● ' if item['source'] == 'binding' else ''}{item['title']} ({item['id']})"
