"""`slotbeam slots restore`: bindings come back to a store that lost them. It speaks to the store itself, so it works
when no plane runs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slotbeam.cli.console import counted, say, show_json, table
from slotbeam.cli.options import ArtifactDir, AsJson, DataDir, RedisUrl, served_settings
from slotbeam.errors import Conflict, SetupError, StoreError
from slotbeam.settings import Settings

if TYPE_CHECKING:
    from slotbeam.bindings.recovery.backup import Backup
    from slotbeam.bindings.recovery.restore import Restoration
    from slotbeam.bindings.store.store import Store

WAIT_S = 10.0
FIRST_BEAT_S = 3.0
POLL_S = 0.05
SHOWN = 20

Source = Annotated[
    str,
    typer.Option("--from", help="last-good, a last-known-good file, an export, or a revision that the log holds."),
]


@dataclass(frozen=True)
class RestoreOptions:
    """What was given on the command line."""

    source: str
    dry_run: bool
    overwrite: bool
    partial: bool


def restore(
    ctx: typer.Context,
    source: Source,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also change or remove what the store holds, or go back behind it.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Leave out bindings that the source holds only in part.")
    ] = False,
    data_dir: DataDir = None,
    artifact: ArtifactDir = None,
    redis_url: RedisUrl = None,
    as_json: AsJson = False,
) -> None:
    """Bring bindings back to a store that lost them, as a new epoch that every replica takes over."""
    answer, plan = asyncio.run(
        restore_bindings(served_settings(ctx), RestoreOptions(source, dry_run, overwrite, partial))
    )
    if as_json:
        show_json(answer)
        return
    say_answer(answer, plan)


async def restore_bindings(settings: Settings, asked: RestoreOptions) -> tuple[dict[str, Any], Restoration]:
    """Restore as asked. Returns what was done, or would be, and its plan."""
    from slotbeam.bindings.recovery.restore import plan_restore
    from slotbeam.bindings.recovery.restore import restore as carry_out
    from slotbeam.bindings.store.store import Store
    from slotbeam.embedded.address import is_strict, store_url
    from slotbeam.search.artifact import read_manifest

    codebook = str(read_manifest(settings.artifact)["model"]["codebook_sha"])
    url = store_url(settings.redis_url, settings.data_dir)
    store = Store(url, strict=is_strict(settings.strict, url, settings.data_dir), ca=settings.redis_ca)
    try:
        backup = await _backup(asked.source, store, codebook, settings.data_dir)
        plan = await plan_restore(store, backup, codebook, settings.data_dir)
        answer = _answer(plan, asked.dry_run)
        if asked.dry_run:
            return answer, plan
        _refuse(plan, asked)
        durable = await carry_out(store, plan, f"slots restore (uid {os.getuid()})", int(time.time() * 1000))
        return {**answer, "durability": durable, "replicas": await _taken(store, plan.revision)}, plan
    finally:
        await store.close()


async def _backup(source: str, store: Store, codebook: str, data_dir: Path) -> Backup:
    from slotbeam.bindings.recovery.backup import from_file, from_revision, newest_last_good

    if source == "last-good":
        return newest_last_good(data_dir, codebook)
    if source.isascii() and source.isdecimal():
        return await from_revision(store, codebook, int(source[:18]), data_dir)
    return from_file(Path(source))


def _refuse(plan: Restoration, asked: RestoreOptions) -> None:
    if plan.backup.left_out and not asked.partial:
        shown = "; ".join(f"{binding_id}: {why}" for binding_id, why in sorted(plan.backup.left_out.items())[:3])
        raise SetupError(
            f"{plan.backup.source} holds {len(plan.backup.left_out)} bindings only in part ({shown}); "
            "nothing was written: try another source, or leave them out with --partial"
        )
    if plan.risks and not asked.overwrite:
        raise Conflict(
            f"{'; '.join(plan.risks)}; nothing was written: look with --dry-run, and restore with --overwrite"
        )


async def _taken(store: Store, revision: int) -> list[dict[str, Any]]:
    """Wait until every live replica serves `revision`, `WAIT_S` at most; who does.

    A store that was wiped knows no replica until the next heartbeat. One that does not answer undoes nothing.
    """
    began = time.monotonic()
    while True:
        beats: list[dict[str, Any]] = []
        with suppress(StoreError):
            beats = await store.replicas()
        waited_s = time.monotonic() - began
        if waited_s > (WAIT_S if beats else FIRST_BEAT_S) or (beats and all(b["revision"] >= revision for b in beats)):
            return [{name: beat.get(name) for name in ("id", "revision", "state", "error", "failed")} for beat in beats]
        await asyncio.sleep(POLL_S)


def _answer(plan: Restoration, dry_run: bool) -> dict[str, Any]:
    before = plan.before
    return {
        "source": plan.backup.source,
        "source_revision": plan.backup.revision,
        "dry_run": dry_run,
        "store": None if before is None else {"epoch": before.epoch, "revision": before.revision},
        "epoch": plan.epoch,
        "revision": plan.revision,
        "bindings": len(plan.bindings),
        "kept": plan.kept,
        "added": list(plan.added),
        "changed": list(plan.changed),
        "removed": list(plan.removed),
        "left_out": dict(plan.backup.left_out),
        "overwrites": list(plan.risks),
    }


def say_answer(answer: dict[str, Any], plan: Restoration) -> None:
    """Say what was done, or would be."""
    held = "holds no epoch" if plan.before is None else f"is at revision {plan.before.revision}"
    say(f"{answer['source']} holds {counted(answer['bindings'], 'binding')} of revision {answer['source_revision']}")
    say(f"the store {held}; {answer['kept']} bindings are there already")
    rows = [*_rows("add", plan.added, plan), *_rows("change", plan.changed, plan), *_rows("remove", plan.removed, plan)]
    if rows:
        table(("", "binding", "slot", "words"), rows[:SHOWN])
    if len(rows) > SHOWN:
        say(f"and {len(rows) - SHOWN} more; --json names all")
    for binding_id, why in answer["left_out"].items():
        say(f"left out {binding_id}: {why}")
    if answer["dry_run"]:
        for risk in plan.risks:
            say(f"needs --overwrite: {risk}")
        say(f"would begin revision {answer['revision']}; nothing was changed")
        return
    taken = sum(replica["revision"] >= answer["revision"] for replica in answer["replicas"])
    said = f"revision {answer['revision']} (durability: {answer['durability']})"
    say(f"{said}, live in {taken} of {len(answer['replicas'])} replicas")
    for replica in answer["replicas"]:
        say(f"  {replica['id']:<24} revision {replica['revision']}, {replica['state']}")


def _rows(verb: str, binding_ids: Sequence[str], plan: Restoration) -> list[tuple[str, str, str, str]]:
    old = plan.before.bindings if plan.before else {}
    rows = []
    for binding_id in binding_ids:
        binding = plan.bindings.get(binding_id) or old.get(binding_id)
        slot = plan.placed.get(binding_id) or (plan.before.placed.get(binding_id) if plan.before else None)
        rows.append((verb, binding_id, str(slot or ""), ", ".join(binding.words) if binding else "(cannot be read)"))
    return rows
