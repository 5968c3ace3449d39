"""Which index is active, in the store: `{sb}:index`, a hash that `Switch.fields` describes; and what it lets go.

A switch is acknowledged and on disk, or refused without a trace, or honestly unknown, as an edit is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from slotbeam.bindings.store import replies
from slotbeam.bindings.store.connection import (
    Script,
    Unanswered,
    known_on_disk,
    look_up,
    nothing_written,
    on_disk,
    run,
)
from slotbeam.errors import OutcomeUnknown, StoreError, StoreUnavailable
from slotbeam.items.record import Digest
from slotbeam.items.store.store import ItemsHead, ItemStore
from slotbeam.items.switch import Base, Switch

TRIES = 8

_SWITCH = Script.load("switch.lua", __file__)
_TRIM = Script.load("trim.lua", __file__)

MakeSwitch = Callable[[Switch | None, Base], Switch | None]
"""Works out the switch to write from what the store holds; None: nothing is to change. Raises what refuses it."""


async def read_switch(store: ItemStore) -> Switch | None:
    """Read the newest switch; None before any. Raises `StoreUnavailable`, `InputError`: it cannot be read."""
    with store.store.errors():
        raw = await store.store.redis.hgetall(store.store.key("index"))
    return _switch(raw)


async def read_base(store: ItemStore) -> tuple[Switch | None, Base]:
    """Read the newest switch, and what the items stand on, at one moment: on the connection for writes.

    Raises:
        StoreUnavailable: it does not answer, or holds no epoch of items.
    """
    key = store.store.key
    with store.store.errors():
        async with store.store.writing.pipeline(transaction=True) as pipe:
            pipe.hgetall(key("index"))
            pipe.hmget(key("imeta"), ["epoch", "seq", "base"])
            raw, (epoch, seq, base) = await pipe.execute()
    if not epoch:
        raise StoreUnavailable(f"the store at {store.store.name} holds no epoch of items: it is new, or lost its data")
    return _switch(raw), Base(replies.text(epoch), replies.number(seq) or 0, replies.number(base) or 0)


async def commit_switch(store: ItemStore, make: MakeSwitch) -> tuple[Switch | None, str]:
    """Write the switch that `make` works out. Returns it (None: nothing was to change), and how it is on disk.

    Raises:
        StoreUnavailable: nothing was written.
        OutcomeUnknown: it may have been written; `GET /admin/indexes` tells.
    """
    async with store.store.write_lock:
        with nothing_written():
            how = (await store.store.durable()).how
            for _ in range(TRIES):
                before, base = await read_base(store)
                switch = make(before, base)
                if switch is None:
                    known = await _on_disk(store, before, how)
                    if known is None:
                        continue  # another switch came first
                    return None, known
                reply, durability = await _write(store, before, switch, base, how)
                if reply[0] == "ok":
                    return switch, durability
                if reply[0] != "stale":
                    raise StoreError(
                        f"the store at {store.store.name} holds keys that slotbeam did not write ({reply})"
                    )
            raise StoreUnavailable(f"{TRIES} other switches came first, send it again")


async def trim(
    store: ItemStore, head: ItemsHead, upto: int, gone: Sequence[bytes], ids: Sequence[str], **facts: str
) -> bool:
    """Let go of records that every index in use holds. Returns False where something else came first.

    Args:
        head: that the records were read at.
        upto: records up to this seq.
        gone, ids: these records, and their ids.
        facts: `number` of the switch that was looked at, `count` of the records left, `at`, `actor`, `keep`.

    Raises:
        StoreError: nothing was written, or nobody knows; whoever calls looks again.
    """
    digest = Digest(head.digest)
    for record in gone:
        digest.replace(record, None)
    plan = {
        "epoch": head.epoch,
        "before": str(head.seq),
        "after": str(head.seq + 1),
        "base": str(upto),
        "digest": str(digest),
        **facts,
    }
    async with store.store.write_lock:
        how = (await store.store.durable()).how
        try:
            names = ("imeta", "item", "feed", "index")
            reply, _ = await run(store.store, _TRIM, names, json.dumps(plan), *ids, how=how)
        except Unanswered as error:
            raise StoreUnavailable(f"the store at {store.store.name} did not answer") from error
    return bool(reply[0] == "ok")


async def _write(
    store: ItemStore, before: Switch | None, switch: Switch, base: Base, how: str
) -> tuple[list[str], str]:
    plan = {
        "before": str(before.number) if before else "",
        "epoch": base.epoch,
        "base": str(base.trimmed) if base.trimmed else "",
    }
    arguments = [part for pair in switch.fields().items() for part in pair]
    unsure = _unconfirmed(store, switch)
    try:
        keys = ("index", "imeta", "feed")
        reply, confirmed = await run(store.store, _SWITCH, keys, json.dumps(plan), *arguments, how=how)
    except Unanswered as error:

        async def written() -> Switch | None:
            now = await read_switch(store)
            return now if now == switch else None

        if await look_up(store.store.lookup_s, written) is None:
            raise unsure from error
        try:
            known = await _on_disk(store, switch, how)
        except StoreUnavailable:  # the switch was made all the same
            known = None
        if known is None:
            raise unsure from error
        return ["ok"], known
    return reply, known_on_disk(store.store.strict, how, confirmed, unsure) if reply[0] == "ok" else how


def _switch(raw: Any) -> Switch | None:
    fields = {replies.text(name): replies.text(value) for name, value in raw.items()}
    return Switch.read(fields) if fields else None


async def _on_disk(store: ItemStore, switch: Switch | None, how: str) -> str | None:
    """Tell how it is known to be on disk that `switch` is the newest; None where it is not. None at all is no edit."""
    if switch is None:
        return how
    unsure, strict = _unconfirmed(store, switch), store.store.strict
    return await on_disk(store.store, "index", "number", str(switch.number), how=how, strict=strict, unsure=unsure)


def _unconfirmed(store: ItemStore, switch: Switch) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"the store at {store.store.name} did not confirm that it is on disk that {switch.active.name} is active; "
        "GET /admin/indexes tells what is",
        outcome="unknown",
    )
