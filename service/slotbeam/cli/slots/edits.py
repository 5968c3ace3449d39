"""What the edits share: their flags, the body that they send, what they say of its answer."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slotbeam.cli.console import counted, say
from slotbeam.errors import NotFound, SetupError

if TYPE_CHECKING:
    from slotbeam.cli.client import PlaneClient

FILE_TIMEOUT_S = 120.0
"""For a request that carries every binding."""
LIVE = "live"
TIMES = "2026-11-27T09:00:00+01:00, 2026-11-27 09:00 Europe/Berlin or 2026-11-27"
Bound = Annotated[str, typer.Argument(help="A slot such as 1-2049, the id of a binding (b_…), or a bound word.")]
Words = Annotated[list[str], typer.Argument(help="The word, and other spellings of it.")]
CategoryName = Annotated[str, typer.Option("--category", "-c", help="What the word is: brand, entity, color, …")]
ItemIds = Annotated[list[str] | None, typer.Option("--item", help="An item id; may be repeated.")]
ItemsFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Item ids, one a line.")]
MatchItems = Annotated[bool, typer.Option("--match", help="Every item whose text holds one of the words.")]
MatchLive = Annotated[bool, typer.Option("--match-live", help="The same, and each item that comes to hold one.")]
PlacementName = Annotated[str, typer.Option(help="top: first; blend: every other rank; only: nothing else.")]
ReservedSlot = Annotated[str | None, typer.Option("--slot", help="A reserved slot; the first free one otherwise.")]
Starts = Annotated[
    str | None, typer.Option("--starts", help=f"Not before this time: {TIMES}; a date is its first moment.")
]
Ends = Annotated[str | None, typer.Option("--ends", help="Not after this time; a date is the end of that day.")]
Owner = Annotated[str, typer.Option(help="Who answers for it.")]
Reason = Annotated[str, typer.Option(help="Why it exists.")]
Exact = Annotated[bool, typer.Option("--exact", help="No other spelling of the words triggers it.")]
NearMiss = Annotated[bool, typer.Option("--near-miss", help="Words one edit away trigger it, too.")]


def body_of(
    words: list[str], category: str, ids: list[str], match: bool | str, placement: str, **optional: Any
) -> dict[str, Any]:
    """Return the body of a new binding; of the `optional` members, those that are set.

    Raises:
        SetupError: no items are named.
    """
    if not ids and not match:
        raise SetupError("which items? give --item ID (more than once), --items-file FILE, --match or --match-live")
    items: dict[str, Any] = {**({"ids": ids} if ids else {}), **({"match": match} if match else {})}
    body: dict[str, Any] = {"words": words, "category": category, "items": items, "placement": placement}
    return body | {name: value for name, value in optional.items() if value}


def match_rule(match: bool, match_live: bool) -> bool | str:
    """Return what a body says of the two flags."""
    return LIVE if match_live else match


def item_ids(item: list[str] | None, items_file: Path | None) -> list[str]:
    """Return the ids given one by one and in a file. Raises `SetupError` for a file that is no text."""
    ids = list(item or [])
    if items_file is not None:
        try:
            lines = items_file.read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise SetupError(f"{items_file} is not UTF-8 (byte {error.start}); save it as text in UTF-8") from None
        ids += [line.strip() for line in lines if line.strip()]
    return ids


def say_reach(dry_run: dict[str, Any]) -> None:
    """Say how many items a match of words takes, and what share of recent queries the binding would."""
    items, traffic = dry_run["items"], dry_run["traffic"]
    if items and (matched := items["matched"]) is not None:
        say(f"the text of {counted(matched, 'item')} holds one of the words")
    if not traffic["sampled"]:
        say("no query of the last day is known: which share of them it would take is not known either")
        return
    shown = ", ".join(f'"{query}"' for query in traffic["examples"])
    share = f"{traffic['taken']} of {traffic['sampled']} queries sampled from the last day ({traffic['share']:.1%})"
    say(f"it would take {share}" + (f", for example {shown}" if shown else ""))


def say_spellings(word: dict[str, Any]) -> None:
    """Say which other spellings of a word match, whether it is needed, and what its characters stand in."""
    if word.get("spelling_of"):
        say(f"{word['word']} is not needed: it is a spelling of {word['spelling_of']}")
    elif word.get("spellings"):
        said = {"queries": " (asked)", "catalog": " (in items)", "dictionary": " (in the dictionary)", None: ""}
        shown = ", ".join(one["text"] + said[one["seen"]] for one in word["spellings"])
        say(f"{word['word']} is found as {shown}, too")
    for kind, texts in (word.get("characters") or {}).items():
        for hit, what in ((True, "hits"), (False, "leaves alone")):
            some = [one["text"] for one in texts if one["found"] is hit]
            if some:
                say(f"{word['word']} {what} the {kind} {', '.join(some)}")


def say_warnings(answer: dict[str, Any]) -> None:
    """Say what an answer warns of."""
    for warning in answer.get("warnings", ()):
        say(f"warning: {warning}")


def say_propagation(answer: dict[str, Any]) -> None:
    """Say which replicas have an edit."""
    said = answer.get("propagation") or {}
    replicas = said.get("replicas") or []
    applied, expected = said.get("applied"), said.get("expected")
    if expected is None:
        say(str(said.get("error") or f"revision {answer['revision']}"))
        return
    say(f"revision {answer['revision']}, live in {applied} of {expected} replicas")
    for replica in replicas:
        error = replica.get("error")
        took = replica.get("applied_ms")
        say(f"  {replica['id']:<24} " + (str(error) if error else "waiting" if took is None else f"{took} ms"))


def send(
    client: PlaneClient,
    method: str,
    path: str,
    body: dict[str, Any],
    *,
    wait: bool,
    dry_run: bool,
    etag: str | None = None,
) -> dict[str, Any]:
    """Send an edit of a binding or a rule, with a key of its own. Returns its answer."""
    params = {"dry_run": "true"} if dry_run else {"wait": "all" if wait else "none"}
    headers = {"Idempotency-Key": uuid.uuid4().hex, **({"If-Match": etag} if etag else {})}
    answer: dict[str, Any] = client.call(method, path, json=body, params=params, headers=headers).json()
    return answer


def slot_of(client: PlaneClient, slot_or_word: str) -> str:
    """Return a slot or an id as given, or where exactly this word is bound (slot, else id). Raises `NotFound`."""
    from slotbeam.bindings.binding import is_id
    from slotbeam.errors import InputError
    from slotbeam.language.normalize import normalize
    from slotbeam.types import Slot

    if is_id(slot_or_word):
        return slot_or_word
    try:
        return str(Slot.parse(slot_or_word))
    except InputError:
        word = normalize(slot_or_word)
    # What an older version stored may be spelt otherwise: then only the whole list tells.
    for params in ({"q": word}, {}):
        for slot in client.listed("/admin/slots", "slots", params)["slots"]:
            if word in map(normalize, slot.get("words") or ()):
                return str(slot["slot"] or slot["id"])  # a draft, or placed in another codebook, has no slot
    raise NotFound(f'"{word}" is not bound; "slotbeam slots list" shows what is')
