"""What the store says, read past slotbeam: its logs, its records, and how far each replica is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import redis.asyncio
import redis.exceptions

from support.replies import fields, log_entries
from torture.history import History
from torture.ledger import BINDINGS, ITEMS, KINDS, Entry, Held

META = {BINDINGS: ("{sb}:meta", "rev"), ITEMS: ("{sb}:imeta", "seq")}
"""Kind → where the store has its number."""


async def remember(history: History, client: redis.asyncio.Redis) -> dict[str, Held]:
    """Add the logs of a store, and what it holds, to `history`; closes `client`. Returns what it holds, by kind."""
    found = {}
    async with client as raw:
        for kind, read in ((BINDINGS, _bindings), (ITEMS, _items)):
            entries, held = await read(raw, history.codebook_sha)
            history.remember(kind, entries, held)
            if held is not None:
                found[kind] = held
    return found


async def heads(client: redis.asyncio.Redis) -> dict[str, int]:
    """Kind → the store's number; -1 where it has none. Closes `client`."""
    async with client as raw:
        return {kind: int(await raw.hget(*META[kind]) or -1) for kind in KINDS}


async def is_level(client: redis.asyncio.Redis, replicas: Iterable[str]) -> bool:
    """Whether every replica's heartbeat is live at the store's own numbers. Closes `client`."""
    try:
        async with client as raw:
            numbers = [int(await raw.hget(*META[kind]) or -1) for kind in KINDS]
            beats = [json.loads(await raw.get(f"{{sb}}:replica:{name}") or "{}") for name in replicas]
    except redis.exceptions.RedisError:
        return False
    return all(
        beat.get("state") == beat.get("items", {}).get("state") == "live"
        and [beat["revision"], beat["items"]["seq"]] == numbers
        for beat in beats
    )


async def _bindings(raw: redis.asyncio.Redis, codebook_sha: str) -> tuple[list[Entry], Held | None]:
    meta = fields(str, await raw.hgetall("{sb}:meta"))
    log = log_entries(str, await raw.xrange("{sb}:log"))
    entries = [
        Entry(int(key.split("-")[0]), e["op"], e["epoch"], e["state"], e["key"], tuple(json.loads(e["changes"])))
        for key, e in log
    ]
    if not meta:
        return entries, None
    records, words = fields(str, await raw.hgetall("{sb}:binding")), fields(str, await raw.hgetall("{sb}:word"))
    slots = fields(str, await raw.hgetall(f"{{sb}}:slots:{codebook_sha}"))
    return entries, Held(meta["epoch"], int(meta["rev"]), meta["state"], records, slots, words)


async def _items(raw: redis.asyncio.Redis, _: str) -> tuple[list[Entry], Held | None]:
    async with raw.pipeline(transaction=True) as pipe:  # records are let go while no writer writes, too
        for name in ("imeta", "iidem", "item"):
            pipe.hgetall(f"{{sb}}:{name}")
        pipe.xrange("{sb}:feed")
        *hashes, stream = await pipe.execute()
    meta, remembered, records = (fields(str, each) for each in hashes)
    feed, keys = log_entries(str, stream), _keys(remembered)
    entries = [_edit(int(key.split("-")[0]), entry, keys) for key, entry in feed]
    if not meta:
        return entries, None
    assert int(meta["count"]) == len(records), f"{meta['count']} items are counted, {len(records)} are there"
    return entries, Held(meta["epoch"], int(meta["seq"]), meta["digest"], records)


def _edit(seq: int, entry: Mapping[str, str], keys: Mapping[tuple[str, int], str]) -> Entry:
    """An entry of the feed. It names no request: the store remembers of each request what it wrote."""
    if entry.get("op") in ("restore", "trim"):
        return Entry(seq, entry["op"], entry["epoch"], entry["digest"], "", ())
    change: dict[str, Any] = {"id": entry["id"], "after": entry["record"], "slot": None}
    return Entry(seq, "item", entry["epoch"], entry["digest"], keys.get((entry["epoch"], seq), ""), (change,))


def _keys(remembered: Mapping[str, str]) -> dict[tuple[str, int], str]:
    """Epoch and seq → the key of the request that wrote it."""
    found: dict[tuple[str, int], str] = {}
    for name, text in remembered.items():
        if name.startswith("key:"):
            told = json.loads(text)
            found |= {(told["epoch"], seq): name[4:] for seq in range(told["first"], told["last"] + 1)}
    return found
