"""`slotbeam slots export`: all bindings as one file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from slotbeam.cli.console import RECORDS, counted, say
from slotbeam.cli.options import AdminUrl, DataDir, settings_of
from slotbeam.cli.slots.edits import FILE_TIMEOUT_S
from slotbeam.cli.zones import ZoneName
from slotbeam.errors import SetupError
from slotbeam.files import write_whole


def export(
    ctx: typer.Context,
    out: Annotated[
        Path | None, typer.Option(help="The file to write, - for standard output; else bindings.json or bindings.csv.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet, and for `slots import`.")] = False,
    zone: ZoneName = None,
    url: AdminUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Write every binding with its items, and every rule: what `slots import`, `slots restore` and `train` read."""
    import orjson

    from slotbeam.cli.client import admin_client

    kind = "csv" if as_csv else "json"
    target = out or Path(f"bindings.{kind}")
    with admin_client(settings_of(ctx), url) as client:
        asked = {"zone": zone} if zone and as_csv else {}
        answer = client.call("GET", f"/admin/slots.{kind}", params=asked, timeout=FILE_TIMEOUT_S)
        if str(out) == "-":
            sys.stdout.buffer.write(answer.content)
            return
        if as_csv:
            _write(target, answer.content)
            say(f"{target} holds every binding of revision {answer.headers['x-bindings-revision']}")
            return
        failed = client.listed("/admin/slots", "slots", {"state": "failed"})["slots"]
    _write(target, answer.content)
    for view in failed:
        if "words" not in view:
            say(f"left out {view['id']}: {view['error']}")
    exported = orjson.loads(answer.content)
    items = sum(len(binding["items"]) for binding in exported)
    say(f"{target} holds {counted(len(exported), *RECORDS)}, {counted(items, 'item')} in all")


def _write(target: Path, content: bytes) -> None:
    """Write a file whole: one of before stays until then. Raises `SetupError`: it cannot be written."""
    try:
        if target.exists() and not target.is_file():  # a pipe, or /dev/stdout
            target.write_bytes(content)
        else:
            write_whole(target, content)
    except OSError as error:
        raise SetupError(f"{target} cannot be written: {error.strerror or error}; give another --out") from error
