"""A listing that follows from the one read before, against one that is read whole."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis

from slotbeam.bindings.edits.plan import Change, Edit
from slotbeam.bindings.edits.wanted import MakeChange
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.types import Slot
from support.live import NOW, binds, make_binding, unbinds, write
from support.replies import log_entries

CODEBOOK, OTHER = "c0de" * 16, "beef" * 16


def same(one: Listing, other: Listing) -> bool:
    return one.__dict__.items() >= {name: getattr(other, name) for name in Listing.__dataclass_fields__}.items()


async def both(reader: Store) -> tuple[Listing, Listing]:
    """What follows from what `reader` read before, and what is there."""
    read, whole = await reader.read(CODEBOOK, whole=False), await reader.read(CODEBOOK)
    assert read is not None
    assert whole is not None
    return read, whole


def edits(key: str, **fields: Any) -> MakeChange:
    return lambda listing: Change(
        "patch",
        (Edit(listing.bindings[key], replace(listing.bindings[key], **fields), listing.placed.get(key)),),
        "test",
        NOW,
    )


async def some_edit(store: Store, rng: random.Random, number: int) -> None:
    """One of what edits do: bind (to this codebook, to another, a draft), patch, unbind."""
    listing = await store.read(CODEBOOK)
    assert listing is not None
    kind = rng.choice(("bind", "bind", "draft", "patch", "unbind", "elsewhere"))
    if kind in ("patch", "unbind") and listing.bindings:
        key = rng.choice(sorted(listing.bindings))
        await write(store, CODEBOOK, unbinds(key) if kind == "unbind" else edits(key, reason=f"拉布布 {number}"))
        return
    binding = make_binding(f"word{number}", draft=kind == "draft")
    slot = None if binding.draft else Slot(1, 4 + number)
    await write(store, OTHER if kind == "elsewhere" else CODEBOOK, binds(binding, slot))


async def test_what_follows_from_the_log_is_what_is_read_whole(store: Store, server: EmbeddedStore) -> None:
    rng, reader = random.Random(7), Store(server.url)
    for number in range(60):
        for turn in range(rng.randrange(3)):
            await some_edit(store, rng, 10 * number + turn)
        read, whole = await both(reader)
        assert same(read, whole)
        assert read.verify()
    await reader.close()


def calls(raw: redis.Redis) -> int:
    return int(raw.info("commandstats")["cmdstat_hgetall"]["calls"])


async def test_only_what_was_edited_is_read_again(store: Store, server: EmbeddedStore, raw: redis.Redis) -> None:
    reader = Store(server.url)
    await write(store, CODEBOOK, binds(make_binding("one"), Slot(1, 4)))
    await reader.read(CODEBOOK, whole=False)
    await write(store, CODEBOOK, binds(make_binding("two"), Slot(1, 5)))
    before = calls(raw)
    read = await reader.read(CODEBOOK, whole=False)
    assert read is not None
    assert set(read.words) == {"one", "two"}
    assert calls(raw) - before == 2, "the head and the slots"
    await reader.close()


def trimmed(raw: redis.Redis) -> None:
    raw.xtrim("{sb}:log", maxlen=0)


def silent(raw: redis.Redis) -> None:
    [(entry, values)] = log_entries(str, raw.xrevrange("{sb}:log", count=1))
    raw.delete("{sb}:log")
    empty: dict[Any, Any] = {**values, "changes": "[]"}
    raw.xadd("{sb}:log", empty, id=entry)


def restored(raw: redis.Redis) -> None:
    raw.hset("{sb}:meta", "epoch", "another")


@pytest.mark.parametrize("happened", [trimmed, silent, restored])
async def test_what_does_not_follow_is_read_whole(
    store: Store, server: EmbeddedStore, raw: redis.Redis, happened: Callable[[redis.Redis], None]
) -> None:
    reader = Store(server.url)
    await write(store, CODEBOOK, binds(make_binding("one"), Slot(1, 4)))
    await reader.read(CODEBOOK, whole=False)
    await write(store, CODEBOOK, binds(make_binding("two"), Slot(1, 5)))
    happened(raw)
    read, whole = await both(reader)
    assert same(read, whole)
    assert set(read.words) == {"one", "two"}
    await reader.close()


async def test_a_record_that_was_changed_past_the_log_is_not_taken_over_and_is_found_by_the_whole_read(
    store: Store, server: EmbeddedStore, raw: redis.Redis
) -> None:
    reader = Store(server.url)
    await write(store, CODEBOOK, binds(one := make_binding("one"), Slot(1, 4)))
    await write(store, CODEBOOK, binds(two := make_binding("two"), Slot(1, 5)))
    await reader.read(CODEBOOK, whole=False)
    raw.hset("{sb}:binding", one.id, make_binding("evil", id=one.id).record())
    await write(store, CODEBOOK, edits(two.id, reason="true"))
    read, whole = await both(reader)
    assert set(read.words) == {"one", "two"}
    assert read.verify()
    assert not whole.verify()
    await reader.close()
    raw.hset("{sb}:binding", one.id, read.records[one.id])
