"""`slotbeam backup restore`: what a backup holds comes back to a store that lost it. It speaks to the store itself."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slotbeam.cli.backup.verify import Source, backup_at
from slotbeam.cli.console import say, show_json
from slotbeam.cli.items.restore import restore_items
from slotbeam.cli.items.restore import say_answer as say_items
from slotbeam.cli.options import ArtifactDir, AsJson, DataDir, RedisUrl, served_settings
from slotbeam.cli.slots.restore import RestoreOptions, restore_bindings
from slotbeam.cli.slots.restore import say_answer as say_bindings
from slotbeam.errors import Conflict
from slotbeam.settings import Settings

if TYPE_CHECKING:
    from slotbeam.items.switch import Base, Switch


def restore(
    ctx: typer.Context,
    source: Source,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also change or remove what the store holds, or go back behind it.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Leave out bindings that the backup holds only in part.")
    ] = False,
    data_dir: DataDir = None,
    artifact: ArtifactDir = None,
    redis_url: RedisUrl = None,
    as_json: AsJson = False,
) -> None:
    """Bring bindings, edited items and the active index back, as new epochs that every replica takes over."""
    path = backup_at(source)
    asked = RestoreOptions(str(path), dry_run, overwrite, partial)
    answer, plan = asyncio.run(_restore(served_settings(ctx), path, asked))
    if as_json:
        show_json(answer)
        return
    say_bindings(answer["bindings"], plan)
    if answer["items"] is not None:
        say_items(answer["items"])
    index = answer["index"]
    if index["active"] is not None:
        done = "would be" if dry_run and index["switched"] else "is"
        say(f"the index {index['active']} {done} active")


async def _restore(settings: Settings, path: Path, asked: RestoreOptions) -> tuple[dict[str, Any], Any]:
    """Restore all three, or say why not before anything is written."""
    from slotbeam.backup.archive import opened
    from slotbeam.backup.copying import bindings_path, items_path
    from slotbeam.items.switch import Switch
    from slotbeam.search.artifact import read_manifest

    codebook = str(read_manifest(settings.artifact)["model"]["codebook_sha"])
    with opened(path) as (data_dir, facts):
        bindings = replace(asked, source=str(bindings_path(data_dir, codebook)))
        items = str(items_path(data_dir)) if facts["items"] is not None else None
        switch = Switch.read(facts["index"]) if facts["index"] else None

        async def all_three(dry_run: bool) -> tuple[dict[str, Any], Any]:
            told_bindings, plan = await restore_bindings(settings, replace(bindings, dry_run=dry_run))
            told_items = await restore_items(settings, items, dry_run, asked.overwrite) if items else None
            told_index = await _activate(settings, switch, dry_run)
            for part in (told_bindings, told_items):
                if part:
                    part["source"] = str(path)
            return {"bindings": told_bindings, "items": told_items, "index": told_index}, plan

        answer, plan = await all_three(dry_run=True)
        if asked.dry_run:
            return answer, plan
        risks = [risk for part in answer.values() if part for risk in part["overwrites"]]
        if risks and not asked.overwrite:
            raise Conflict(
                f"{'; '.join(risks)}; nothing was written: look with --dry-run, and restore with --overwrite"
            )
        return (await all_three(dry_run=False))[0], plan


async def _activate(settings: Settings, wanted: Switch | None, dry_run: bool) -> dict[str, Any]:
    """Make the index of a backup the active one, unless it is."""
    from slotbeam.bindings.store.store import Store
    from slotbeam.embedded.address import is_strict, store_url
    from slotbeam.items.store.store import ItemStore
    from slotbeam.items.store.switching import commit_switch, read_switch

    if wanted is None:
        return {"active": None, "switched": False, "overwrites": []}
    url = store_url(settings.redis_url, settings.data_dir)
    store = Store(url, strict=is_strict(settings.strict, url, settings.data_dir), ca=settings.redis_ca)
    try:
        items = ItemStore(store)
        now = await read_switch(items)
        differs = now is None or now.active.sha != wanted.active.sha

        def make(before: Switch | None, base: Base) -> Switch:
            number = wanted.number if before is None else before.number + 1
            by, at = f"backup restore (uid {os.getuid()})", int(time.time() * 1000)
            return replace(wanted, number=number, by=by, at=at)

        if differs and not dry_run:
            await commit_switch(items, make)
        risks = [f"the index {now.active.name} is active, not {wanted.active.name}"] if now and differs else []
        return {"active": wanted.active.name, "switched": differs, "overwrites": risks}
    finally:
        await store.close()
