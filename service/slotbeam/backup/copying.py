"""What the store holds as the files of a data directory, as a replica keeps them; and what such files hold."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slotbeam.bindings.replica.lastgood import LastGood, file_name, folder, generations, load_file, save
from slotbeam.bindings.store.store import Store
from slotbeam.errors import SetupError
from slotbeam.items.replica.lastgood import ItemsFile, ItemsGood, file_of
from slotbeam.items.store.store import ItemStore
from slotbeam.items.store.switching import read_switch

ROLE = "backup"
"""In the names of the files."""
NO_CODEBOOK = "0" * 64
"""Of a store in which nothing has a slot yet."""
_CODEBOOK = re.compile("[0-9a-f]{64}", re.ASCII)


async def copy_store(store: Store, data_dir: Path) -> dict[str, Any]:
    """Write what the store holds into the data directory `data_dir`, as a replica would. Returns what it is.

    Raises:
        StoreUnavailable: it does not answer.
        SetupError: it holds no revision, or its records do not add up; or the files cannot be written.
    """
    for codebook in await _codebooks(store):
        listing = await store.read(codebook)
        if listing is None:
            raise SetupError(f"the store at {store.name} holds no revision: there is nothing to back up")
        if not (listing.verify() and listing.logged()):
            raise SetupError(
                f"the records of the store at {store.name} do not add up to its state: run slotbeam doctor"
            )
        lists, _ = await store.items({binding.items for binding in listing.bindings.values()})
        path = folder(data_dir) / file_name(ROLE, codebook)
        with writing_under(data_dir):
            await asyncio.to_thread(save, path, codebook, LastGood(listing, lists), durable=False)
    items = ItemStore(store)
    # Before the items: the index that comes back must not hold edits that do not.
    switch = await read_switch(items)
    seen, records = await items.listing()
    if seen is not None:
        if not (seen.adds_up(records) and seen.logged()):
            raise SetupError(f"the items of the store at {store.name} do not add up to its digest: run slotbeam doctor")
        file = ItemsFile(items_path(data_dir))
        with writing_under(data_dir):
            await asyncio.to_thread(file.save, ItemsGood(seen.head, records, seen.trimmed))
        file.close()
    return {**await asyncio.to_thread(held_in, data_dir), "index": switch.fields() if switch else None}


@contextmanager
def writing_under(data_dir: Path) -> Iterator[None]:
    """Raise `SetupError` where the disk of a temporary data directory is full, or may not be written."""
    try:
        yield
    except OSError as error:
        raise SetupError(
            f"{data_dir} cannot be written: {error.strerror or error}; let TMPDIR name a directory with room"
        ) from error


def held_in(data_dir: Path) -> dict[str, Any]:
    """Read all of a data directory. Returns what it holds. Raises OSError, ValueError: a file cannot be read."""
    bindings: dict[str, Any] = {}
    for path in generations(data_dir):
        try:
            codebook, good, lost = load_file(path)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from None
        listing = good.listing
        bindings[codebook] = {
            "epoch": listing.epoch,
            "revision": listing.revision,
            "state": listing.state,
            "count": len(listing.records),
            "unread": sorted(listing.malformed),
            "lost": sorted(lost),
        }
    if not bindings:
        raise ValueError("it holds no bindings")
    good_items, problems = ItemsFile(items_path(data_dir)).load()
    if problems:
        raise ValueError("; ".join(problems))
    items = None
    if good_items is not None:
        head = good_items.head
        items = {"epoch": head.epoch, "seq": head.seq, "digest": head.digest}
        items |= {"count": len(good_items.records), "trimmed": good_items.trimmed}
    return {"bindings": bindings, "items": items}


def items_path(data_dir: Path) -> Path:
    """Return the file of edited items in the data directory of a backup."""
    return folder(data_dir) / file_of(ROLE)


def bindings_path(data_dir: Path, codebook: str) -> Path:
    """Return the file of bindings for `codebook` in the data directory of a backup; the newest of another otherwise."""
    path = folder(data_dir) / file_name(ROLE, codebook)
    return path if path.exists() else max(generations(data_dir), key=lambda one: load_file(one)[1].listing.revision)


async def _codebooks(store: Store) -> list[str]:
    """Return whose slots the store holds."""
    prefix = store.key("slots:")
    with store.errors():
        keys = {key.decode(errors="replace") async for key in store.redis.scan_iter(match=f"{prefix}*", count=1000)}
    return sorted(sha for sha in (key[len(prefix) :] for key in keys) if _CODEBOOK.fullmatch(sha)) or [NO_CODEBOOK]
