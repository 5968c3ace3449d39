"""`slotbeam slots import`: every row of a file in one revision."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from slotbeam.cli.console import RECORDS, counted, say, show_json, table
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.slots.edits import FILE_TIMEOUT_S, say_propagation
from slotbeam.cli.zones import ZoneName
from slotbeam.errors import SlotbeamError


def import_file(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV or JSON, as `slots export` writes it.")
    ],
    mode: Annotated[
        str, typer.Option(help="create: new words only; update: rows replace the bindings that hold their words.")
    ] = "create",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, and change nothing.")] = False,
    zone: ZoneName = None,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Bind every row of a file in one revision, or none when a row is wrong."""
    from slotbeam.cli.client import admin_client

    raw = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    asked = {"mode": mode, "dry_run": dry_run, "wait": "all" if wait else "none"}
    kind = "application/json" if raw.lstrip()[:1] in (b"[", b"{") else "text/csv"
    with admin_client(settings_of(ctx), url) as client:
        try:
            done = client.call(
                "POST",
                "/admin/slots:import",
                content=raw,
                params={**asked, "zone": zone} if zone else asked,
                headers={"Content-Type": kind, "Idempotency-Key": uuid.uuid4().hex},
                timeout=FILE_TIMEOUT_S,
            ).json()
        except SlotbeamError as error:
            _say_refused(error.details.get("problem"), as_json)
            raise
    if as_json:
        show_json(done)
        return
    for line in done["lines"]:
        if line.get("missing_count"):
            named = f"{', '.join(line['missing'])} ({line['missing_count']} in all)"
            say(f"line {line['line']}: not in the catalog: {named}")
        for warning in line.get("warnings", ()):
            say(f"line {line['line']}: warning: {warning}")
    said = f"{counted(done['created'], *RECORDS)} made, {done['updated']} replaced"
    if dry_run:
        say(f"would be: {said}; nothing was changed")
        return
    say(said)
    say_propagation(done)


def _say_refused(problem: Any, as_json: bool) -> None:
    """Name every bad line, before the error itself ends the command."""
    lines = problem.get("lines") if isinstance(problem, dict) else None
    if not lines:
        return
    if as_json:
        show_json(problem)
        return
    rows = [(line["line"], line["problem"]["detail"]) for line in lines if line["status"] == "refused"]
    table(("line", "what is wrong"), rows, right=("line",))
