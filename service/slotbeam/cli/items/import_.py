"""`slotbeam items import`: a file of items, in batches."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from slotbeam.cli.console import counted, fail, say, say_error, show_json
from slotbeam.cli.items.edit import say_spread
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Format, Mapping, Wait, settings_of
from slotbeam.cli.progress import progress_bar
from slotbeam.errors import SlotbeamError

if TYPE_CHECKING:
    from slotbeam.catalog.loaders import CatalogReader, SourcedItem
    from slotbeam.cli.client import PlaneClient

BATCH = 500
BATCH_BYTES = 2**22
"""Of one request: so many items, or where they are long so many bytes of them and one more."""
TIMEOUT_S = 120.0
PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Between the tries of a batch that a plane or a store which is started again could not take."""
SHOWN = 20


def import_items(
    ctx: typer.Context,
    catalog: Annotated[list[Path], typer.Argument(exists=True, help="Items: files or directories (docs/catalog.md).")],
    format: Format = None,
    mapping: Mapping = None,
    locale: Annotated[str | None, typer.Option(help="How numbers are written in mapped rows: de, en-US.")] = None,
    skip_bad: Annotated[int, typer.Option(min=0, help="So many rows with faults may be left out.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, and change nothing.")] = False,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Put every item of a file; those that are already as the file says stay as they are.

    The file is read to its end first, and nothing is sent when more rows are bad than may be. A command that was cut
    off is given again: an item that is as the file says costs no edit.
    """
    from slotbeam.catalog.loaders import CatalogReader
    from slotbeam.cli.client import admin_client

    def reader() -> CatalogReader:
        return CatalogReader(*catalog, format=format, mapping=mapping, locale=locale, skip_bad=skip_bad)

    checked = reader()
    with progress_bar() as progress:
        total = 0
        for block in checked.blocks():
            total += len(block)
            progress("check", checked.bytes_read, checked.total_bytes)
    for line in (*checked.faults.warnings, *checked.faults.lines()):
        say_error(line)
    counts: Counter[str] = Counter()
    refused: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    with admin_client(settings_of(ctx), url) as client, progress_bar() as progress:
        for batch in _batches(reader()):
            key = uuid.uuid4().hex
            last = _send(client, batch, key, dry_run)
            for sourced, result in zip(batch, last["results"], strict=True):
                counts[result["did"]] += 1
                if result["did"] == "refused":
                    refused.append({"line": str(sourced.place), "id": sourced.item.id, "problem": result["problem"]})
            progress("send", counts.total(), total)
        if wait and not dry_run and last:  # sent again it changes nothing, and is answered when every replica has it
            last = _send(client, batch, key, dry_run, wait=True)
    told = {name: counts[name] for name in ("created", "updated", "unchanged", "refused")}
    if as_json:
        show_json({**told, "dry_run": dry_run, "seq": last.get("seq"), "lines": refused})
    else:
        for one in refused[:SHOWN]:
            say_error(f"{one['line']}: {one['id']}: {one['problem']['detail']}")
        if len(refused) > SHOWN:
            say_error(f"and {len(refused) - SHOWN} more; --json lists them all")
        said = f"{counted(told['created'], 'item')} created, {told['updated']} updated, {told['unchanged']} unchanged"
        say(f"would be: {said}; nothing was changed" if dry_run else said)
        if last and not dry_run:
            say_spread(last)
    if refused:
        fail(f"{counted(len(refused), 'item')} refused; the others are {'good' if dry_run else 'done'}")


def _batches(reader: CatalogReader) -> Iterator[list[SourcedItem]]:
    """Yield the good items in lists that one request takes."""
    batch: list[SourcedItem] = []
    held = 0
    for sourced in reader:
        batch.append(sourced)
        held += len(sourced.source)
        if len(batch) == BATCH or held > BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _send(client: PlaneClient, batch: list[SourcedItem], key: str, dry_run: bool, wait: bool = False) -> dict[str, Any]:
    """Put one batch. Where nobody knows whether it was done, or the store is away, it is sent again with its key."""
    operations = [{"op": "put", "id": one.item.id, "item": _row(one)} for one in batch]
    body = orjson.dumps({"operations": operations})
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    params = {"dry_run": dry_run, "wait": "all" if wait else "none", "timeout": "30s"}
    for pause_s in (*PAUSES_S, None):
        try:
            path, how = "/admin/items:batch", {"content": body, "params": params, "headers": headers}
            told: dict[str, Any] = client.call("POST", path, timeout=TIMEOUT_S, **how).json()
            return told
        except SlotbeamError as error:
            if pause_s is None or error.details.get("status", 503) not in (429, 503):
                raise
            time.sleep(pause_s)
    raise AssertionError("the last try raises or returns. This is a bug.")


def _row(sourced: SourcedItem) -> dict[str, Any]:
    """Return an item in the documented schema: its row as it was given, where that is in it."""
    from slotbeam.catalog.inmemory import item_source
    from slotbeam.items.rows import is_documented

    row: dict[str, Any] = orjson.loads(sourced.source)
    if not is_documented(row):
        row = orjson.loads(item_source(sourced.item))
    return {**row, "id": sourced.item.id}
