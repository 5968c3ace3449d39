"""`slotbeam slots export` and `slotbeam slots import`: all bindings as one file."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from slotbeam.cli.console import say, show_json, table
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.zones import Zone
from slotbeam.errors import SetupError, SlotbeamError

TIMEOUT_S = 120.0


def export(
    ctx: typer.Context,
    out: Annotated[
        Path | None, typer.Option(help="The file to write; bindings.json or bindings.csv otherwise.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet, and for `slots import`.")] = False,
    zone: Zone = None,
    url: AdminUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Write every binding with its items to a file: what `slots import`, `slots restore` and `train --absorb` read."""
    import orjson

    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        if as_csv:
            answer = client.call("GET", "/admin/slots.csv", params={"zone": zone} if zone else {})
            target = out or Path("bindings.csv")
            target.write_bytes(answer.content)
            say(f"{target} holds every binding of revision {answer.headers['x-bindings-revision']}")
            return
        held = [slot for slot in client.call("GET", "/admin/slots").json()["slots"] if slot["state"] != "free"]
        rows = [_exported(client, view["id"]) for view in held if "words" in view]
    target = out or Path("bindings.json")
    target.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")
    for view in held:
        if "words" not in view:
            say(f"left out {view['id']}: {view['error']}")
    say(f"{target} holds {len(rows)} bindings, {sum(len(row['items']) for row in rows)} items in all")


def import_file(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV or JSON, as `slots export` writes it.")
    ],
    mode: Annotated[str, typer.Option(help="update: rows replace the bindings that hold their words.")] = "create",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, and change nothing.")] = False,
    zone: Zone = None,
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
                timeout=TIMEOUT_S,
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
    said = f"{done['created']} bindings made, {done['updated']} replaced"
    if dry_run:
        say(f"would be: {said}; nothing was changed")
        return
    say(said)
    say_propagation(done)


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


_EXPORTED = (
    *("id", "words", "category", "items", "placement", "slot", "state"),
    *("near_miss", "match", "starts_at", "ends_at", "owner", "reason", "created_at", "revision"),
)


def _exported(client: Any, key: str) -> dict[str, Any]:
    """One binding with its item ids. Raises `SetupError` when the control plane does not hold all of them."""
    view = client.call("GET", f"/admin/slots/{key}").json()
    view["items"] = view["item_ids"]
    if len(view["items"]) != view["item_count"]:
        raise SetupError(
            f'"{view["words"][0]}" ({key}) has {view["item_count"]} items, the control plane could read '
            f"{len(view['items'])} of them; nothing was written: try again, or unbind it"
        )
    return {name: view[name] for name in _EXPORTED}
