"""`slotbeam backup make`: the store as one more file of a directory. It speaks to the store itself."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from slotbeam.cli.backup.telling import left_out, told
from slotbeam.cli.console import counted, say, say_error, show_json
from slotbeam.cli.options import AsJson, DataDir, RedisUrl, served_settings
from slotbeam.errors import SetupError
from slotbeam.settings import Settings

SHOWN = 3


def make(
    ctx: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Of backups; made when missing.")],
    keep: Annotated[int, typer.Option(min=1, help="Backups that stay; older ones are removed.")] = 30,
    partial: Annotated[bool, typer.Option("--partial", help="Also where the store holds a binding in part.")] = False,
    data_dir: DataDir = None,
    redis_url: RedisUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write bindings, edited items and the active index to a new file, read it again, and keep the newest ones."""
    path, facts, removed = asyncio.run(_make(served_settings(ctx), directory, keep, partial))
    if lost := left_out(facts):
        say_error(f"{path} lacks what the store lacks: {', '.join(lost[:SHOWN])}")
    if as_json:
        show_json({"file": str(path), **facts, "removed": removed})
        return
    say(f"{told(path, facts)}; {counted(removed, 'older one')} removed")


async def _make(settings: Settings, directory: Path, keep: int, partial: bool) -> tuple[Path, dict[str, Any], int]:
    from slotbeam.backup.archive import write
    from slotbeam.backup.copying import copy_store
    from slotbeam.bindings.store.store import Store
    from slotbeam.embedded.address import store_url

    store = Store(store_url(settings.redis_url, settings.data_dir), ca=settings.redis_ca)
    with TemporaryDirectory(prefix="slotbeam-backup-") as name:
        try:
            facts = await copy_store(store, Path(name))
        finally:
            await store.close()
        if (lost := left_out(facts)) and not partial:
            raise SetupError(
                f"the store at {store.name} holds bindings only in part ({', '.join(lost[:SHOWN])}); no backup was "
                "made: leave them out with --partial, or look with slotbeam doctor"
            )
        path, removed = await asyncio.to_thread(write, directory, Path(name), facts, int(time.time() * 1000), keep)
    return path, facts, removed
