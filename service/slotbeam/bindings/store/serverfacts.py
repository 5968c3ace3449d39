"""What the store's server says of itself: whether a write is on disk, its clock, its `INFO`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

from slotbeam.bindings.store import replies
from slotbeam.bindings.store.connection import Connection, why


@dataclass(frozen=True)
class Durability:
    """Whether an acknowledged write survives a power cut: `ok`, how it is made sure of, and why not."""

    ok: bool
    how: str
    why: str = ""


async def ask_durability(connection: Connection) -> Durability:
    """Ask the server whether an acknowledged write is on disk; asked for every commit, as anyone may change it."""
    with connection.errors():
        try:
            raw = await connection.redis.config_get("appendonly", "appendfsync", "maxmemory-policy")
        except ResponseError as error:
            return Durability(False, "unknown", f"the store does not tell its settings ({why(error)})")
    found = {replies.decoded(key): replies.decoded(value) for key, value in raw.items()}
    if found.get("appendonly") != "yes":
        return Durability(False, "unknown", 'the store keeps nothing on disk; set "appendonly yes"')
    if found.get("maxmemory-policy") != "noeviction":
        policy = found.get("maxmemory-policy")
        return Durability(
            False, "unknown", f'the store may evict bindings ({policy}); set "maxmemory-policy noeviction"'
        )
    if found.get("appendfsync") == "always":
        return Durability(True, "appendfsync always")
    if await _knows_waitaof(connection):
        return Durability(True, "waitaof")
    how = found.get("appendfsync")
    return Durability(
        False, "unknown", f'the store syncs "{how}" and cannot say what is on disk; set "appendfsync always"'
    )


async def _knows_waitaof(connection: Connection) -> bool:
    """Redis before 7.2 does not, and a user may not be allowed it."""
    with connection.errors():
        try:
            known: Any = await connection.redis.execute_command("COMMAND INFO", "WAITAOF")  # type: ignore[no-untyped-call]
        except ResponseError:
            return False
    return bool(known) and known[0] is not None


async def ask_info(connection: Connection, section: str) -> dict[str, str]:
    """Ask for a section of `INFO`. Raises `RedisError` or `OSError` as the client does: they are what is asked for."""
    raw: Mapping[Any, Any] = await connection.redis.info(section)
    return {str(key): str(value) for key, value in raw.items()}


async def ask_clock(connection: Connection, replicas: Sequence[str]) -> tuple[float, list[tuple[dict[str, Any], int]]]:
    """Ask what time it is there, for the heartbeats of `replicas`, and how long each is kept. Raises as `ask_info`.

    All at one moment: with a heartbeat of one moment and the age of the next, a clock would seem off by a beat.

    Returns:
        `(unix ms, (heartbeat, ms) for each replica; the ms are negative for one that is gone)`.
    """
    async with connection.redis.pipeline(transaction=True) as pipe:
        pipe.time()
        for replica in replicas:
            key = connection.key(f"replica:{replica}")
            pipe.mget(key)
            pipe.pttl(key)
        (seconds, micros), *told = await pipe.execute()
    beats = [(replies.heartbeat(value or b""), left) for (value,), left in zip(told[::2], told[1::2], strict=True)]
    return seconds * 1000 + micros / 1000, beats
