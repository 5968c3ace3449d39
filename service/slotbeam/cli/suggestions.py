"""`slotbeam suggestions …`: decide from the shell on words that queries suddenly ask for, through the admin API."""

from __future__ import annotations

import uuid
from typing import Annotated, Any
from urllib.parse import quote

import typer

from slotbeam.cli.console import counted, say, show_json, table
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, settings_of
from slotbeam.cli.slots.edits import ItemIds, ItemsFile, Owner, item_ids

group = typer.Typer(help="Words that queries suddenly ask for: list, accept, dismiss.", no_args_is_help=True)

ListedWord = Annotated[str, typer.Argument(help="The word, as it is listed.")]
OtherCategory = Annotated[str | None, typer.Option("--category", "-c", help="What the word is; as guessed otherwise.")]
MatchOrIds = Annotated[
    bool | None,
    typer.Option("--match/--no-match", help="Every item whose text holds the word; so it is unless items are named."),
]


@group.command("list")
def list_suggestions(
    ctx: typer.Context,
    count: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 20,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List unknown words that stand out against their own past, with guessed categories and example queries."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        answer = client.call("GET", "/admin/suggestions", params={"count": count}).json()
    if as_json:
        show_json(answer)
        return
    rows = [_row(suggestion) for suggestion in answer["suggestions"]]
    table(("word", "queries", "in", "items", "probably", "asked as"), rows, right=("queries", "items"))
    say(f"{len(rows)} shown, {answer['queries']} queries counted of late")


@group.command()
def accept(
    ctx: typer.Context,
    word: ListedWord,
    category: OtherCategory = None,
    item: ItemIds = None,
    items_file: ItemsFile = None,
    match: MatchOrIds = None,
    owner: Owner = "",
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Open a draft binding for a word: not served until it is published. Doing it again changes nothing."""
    from slotbeam.cli.client import admin_client

    ids = item_ids(item, items_file)
    body: dict[str, Any] = {**({"category": category} if category else {}), **({"owner": owner} if owner else {})}
    if ids or match is not None:
        body["items"] = {"ids": ids, "match": not ids if match is None else match}
    with admin_client(settings_of(ctx), url) as client:
        made = client.call(
            "POST", _path(word, "accept"), **({"json": body} if body else {}), headers={"Idempotency-Key": _key()}
        ).json()
    if as_json:
        show_json(made)
        return
    words, again = ", ".join(made["words"]), " already" if made["replayed"] else ""
    where = f"on slot {made['slot']}" if made["slot"] else f"a {made['state']}"
    say(f"{words} is{again} {where}: {made['category']}, {counted(made['item_count'], 'item')}, {made['id']}")
    if made["state"] == "draft":
        say(f"publish it: slotbeam slots publish {made['id']}")


@group.command()
def dismiss(
    ctx: typer.Context,
    word: ListedWord,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Never suggest a word again. Doing it again changes nothing."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        done = client.call("POST", _path(word, "dismiss")).json()
    if as_json:
        show_json(done)
        return
    say(f"{done['word']} is never suggested again" + ("" if done["new"] else " (it was dismissed before)"))


def _path(word: str, verb: str) -> str:
    return f"/admin/suggestions/{quote(word, safe='')}:{verb}"


def _key() -> str:
    return uuid.uuid4().hex


def _row(suggestion: dict[str, Any]) -> tuple[Any, ...]:
    word, queries, hours, items = (suggestion[name] for name in ("word", "queries", "hours", "items"))
    probably = ", ".join(f"{guess['category']} {guess['share']:.0%}" for guess in suggestion["categories"])
    return word, queries, f"{hours} h", items, probably, " · ".join(suggestion["examples"])
