"""What the edits share: their flags, the body that they send, what they say of its answer."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import settings_of
from slotbeam.errors import SetupError

ItemId = Annotated[str, typer.Argument(help="Of the item, as the catalog has it.")]
Source = Annotated[str, typer.Argument(help="JSON, a file that holds it, or - for standard input.")]
IfMatch = Annotated[str | None, typer.Option(help="Only if the item has this ETag; * for one that is there.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")]


def path_of(item_id: str) -> str:
    """Return where an item is. Raises `SetupError` for an id that a URL cannot say."""
    if item_id in ("", ".", ".."):
        raise SetupError(f"a URL cannot say the id {item_id!r}; put it in a file for `slotbeam items import`")
    return f"/admin/items/{quote(item_id, safe='')}"


def say_spread(answer: dict[str, Any]) -> None:
    """Say which replicas serve an edit."""
    said = answer.get("propagation") or {}
    if said.get("expected") is None:
        say(str(said.get("error") or f"seq {answer['seq']}"))
        return
    say(f"seq {answer['seq']}, live in {said['applied']} of {said['expected']} replicas")
    for replica in said["replicas"]:
        error, took = replica["error"], replica["applied_ms"]
        shown = str(error) if error else "waiting" if not replica["applied"] else "" if took is None else f"{took} ms"
        say(f"  {replica['id']:<24} {shown}".rstrip())


def body_of(source: str) -> bytes:
    """Return the JSON that is given, or that a file or standard input holds. Raises `SetupError`."""
    if source == "-":
        return sys.stdin.buffer.read()
    if source.lstrip()[:1] == "{":
        return source.encode("utf-8", "surrogatepass")
    try:
        return Path(source).read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise SetupError(f"{source} is no JSON object, and no file that can be read ({error.strerror})") from None


def write(
    ctx: typer.Context,
    method: str,
    item_id: str,
    body: bytes | None,
    if_match: str | None,
    dry_run: bool,
    wait: bool,
    url: str | None,
    as_json: bool,
) -> None:
    """Edit one item, and say what that did."""
    from slotbeam.cli.client import admin_client

    headers = {"Idempotency-Key": uuid.uuid4().hex}
    if if_match is not None:
        headers["If-Match"] = if_match
    if body is not None:
        headers["Content-Type"] = "application/json"
    params = {"wait": "all" if wait else "none", "dry_run": dry_run}
    with admin_client(settings_of(ctx), url) as client:
        done = client.call(method, path_of(item_id), content=body, params=params, headers=headers).json()
    if as_json:
        show_json(done)
        return
    changed = f": {', '.join(done['changed'])}" if done["did"] == "updated" else ""
    encoded = "; it is encoded anew" if done["did"] == "updated" and done["encodes"] else ""
    if dry_run:
        say(f"{item_id} would be {done['did']}{changed}{encoded}; nothing was changed")
        return
    say(f"{item_id} is {done['did']}{changed}{encoded}")
    say_spread(done)
