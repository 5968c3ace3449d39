"""`slotbeam items restore`: items come back to a store that lost them. It speaks to the store itself."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from slotbeam.cli.console import counted, say, show_json
from slotbeam.cli.options import AsJson, DataDir, RedisUrl, served_settings
from slotbeam.errors import Conflict
from slotbeam.settings import Settings

LAST_GOOD = "last-good"


def restore(
    ctx: typer.Context,
    source: Annotated[str, typer.Option("--from", help="last-good, or a last-known-good file of items.")] = LAST_GOOD,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also change or remove what the store holds, or go back behind it.")
    ] = False,
    data_dir: DataDir = None,
    redis_url: RedisUrl = None,
    as_json: AsJson = False,
) -> None:
    """Bring edited items back to a store that lost them, as a new epoch that every replica takes over."""
    answer = asyncio.run(restore_items(served_settings(ctx), source, dry_run, overwrite))
    if as_json:
        show_json(answer)
        return
    say_answer(answer)


def say_answer(answer: dict[str, Any]) -> None:
    """Say what was done, or would be."""
    say(f"{answer['source']} holds {counted(answer['records'], 'edited item')} up to seq {answer['source_seq']}")
    counts = ", ".join(f"{len(answer[name])} {name}" for name in ("added", "changed", "removed"))
    if answer["dry_run"]:
        for risk in answer["overwrites"]:
            say(f"needs --overwrite: {risk}")
        say(f"would be: {counts}, from seq {answer['seq']} on; nothing was changed")
        return
    say(f"{counts}; seq {answer['seq']} (durability: {answer['durability']}); GET /admin/replicas shows who serves it")


async def restore_items(settings: Settings, source: str, dry_run: bool, overwrite: bool) -> dict[str, Any]:
    """Restore from `source`. Returns what was done, or would be."""
    from slotbeam.bindings.store.store import Store
    from slotbeam.embedded.address import is_strict, store_url
    from slotbeam.items.recovery import items_of, last_good_items, plan_items_restore
    from slotbeam.items.recovery import restore_items as carry_out
    from slotbeam.items.store.store import ItemStore

    name, good = last_good_items(settings.data_dir) if source == LAST_GOOD else items_of(Path(source))
    url = store_url(settings.redis_url, settings.data_dir)
    store = Store(url, strict=is_strict(settings.strict, url, settings.data_dir), ca=settings.redis_ca)
    try:
        items = ItemStore(store)
        plan = await plan_items_restore(items, name, good, settings.data_dir)
        answer: dict[str, Any] = {
            "source": name,
            "source_seq": good.head.seq,
            "records": len(good.records),
            "dry_run": dry_run,
            "epoch": plan.epoch,
            "seq": plan.seq,
            **{part: list(getattr(plan, part)) for part in ("added", "changed", "removed")},
            "overwrites": list(plan.risks),
        }
        if dry_run:
            return answer
        if plan.risks and not overwrite:
            raise Conflict(
                f"{'; '.join(plan.risks)}; nothing was written: look with --dry-run, and restore with --overwrite"
            )
        actor = f"items restore (uid {os.getuid()})"
        return {**answer, "durability": await carry_out(items, plan, actor, int(time.time() * 1000))}
    finally:
        await store.close()
