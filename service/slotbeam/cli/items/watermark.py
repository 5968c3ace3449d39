"""`slotbeam items watermark`: up to which edit an export that begins now holds the items. It asks the store itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import AsJson, DataDir, RedisUrl, settings_of
from slotbeam.settings import Settings

if TYPE_CHECKING:
    from slotbeam.items.switch import Base
    from slotbeam.search.watermark import Watermark


def watermark(
    ctx: typer.Context, data_dir: DataDir = None, redis_url: RedisUrl = None, as_json: AsJson = False
) -> None:
    """Say which live edits there are, for slotbeam index --watermark: ask before the catalog is exported."""
    from slotbeam.items.switch import NOW

    mark = held_by(settings_of(ctx), NOW)
    if as_json:
        show_json(mark._asdict())
    else:
        say(str(mark))


def held_by(settings: Settings, said: str) -> Watermark:
    """Return which edits a catalog holds that is said to hold them up to `said`.

    Raises:
        InputError: nothing can be meant by it.
        Conflict: not by the store's items as they are.
        StoreError: the store does not answer, or holds no epoch of items.
    """
    from slotbeam.items.switch import claimed

    return claimed(said, asyncio.run(_base(settings)))


async def _base(settings: Settings) -> Base:
    from slotbeam.bindings.store.store import Store
    from slotbeam.embedded.address import is_strict, store_url
    from slotbeam.items.store.store import ItemStore
    from slotbeam.items.store.switching import read_base

    url = store_url(settings.redis_url, settings.data_dir)
    store = Store(url, strict=is_strict(settings.strict, url, settings.data_dir), ca=settings.redis_ca)
    try:
        _, base = await read_base(ItemStore(store))
    finally:
        await store.close()
    return base
