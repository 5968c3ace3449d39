"""What the store and its server answer, read without trust: anybody who may write to it can have left anything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import orjson
from redis.exceptions import ResponseError

from slotbeam.bindings.binding import MAX_NUMBER
from slotbeam.bindings.store.connection import Connection, why
from slotbeam.bindings.times import LAST_MS

_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_CHANGE = ("id", "slot", "slot_before", "before", "after")


@dataclass(frozen=True)
class Head:
    """`{sb}:meta` without the rest: the truth that a stream event only hints at."""

    epoch: str
    revision: int
    state: str


def head(meta: Any) -> Head | None:
    """Read what `{sb}:meta` says; None when it lacks a field or its revision is no number."""
    epoch, revision, state = (decoded(meta.get(name)) for name in (b"epoch", b"rev", b"state"))
    if not epoch or revision is None or state is None or not _NUMBER.fullmatch(revision):
        return None
    return Head(epoch, int(revision), state)


def newest(entries: Any) -> tuple[str, str, str] | None:
    """Read what the log's last entry says that it is: `(id, epoch, state)`."""
    if not entries:
        return None
    [(entry_id, values)] = entries
    return text(entry_id), text(values.get(b"epoch")), text(values.get(b"state"))


def written_by(meta: Any) -> tuple[str, str] | None:
    """Read which normaliser and which ICU the newest commit was made with; None where that is not said."""
    normalizer, icu = (decoded(meta.get(name)) for name in (b"normalizer", b"icu"))
    return (normalizer, icu) if normalizer and icu else None


_MADE_OF_MORE = ("failed", "cut", "items")


def heartbeat(value: bytes | str) -> dict[str, Any]:
    """Read a heartbeat; one that slotbeam did not write says so instead of breaking its readers."""
    facts = json_value(value)
    if (
        isinstance(facts, dict)
        and _count(facts.get("revision"))
        and isinstance(failed := facts.get("failed"), dict)
        and all(isinstance(why, str) for why in failed.values())
        and isinstance(cut := facts.get("cut", {}), dict)
        and all(map(_count, cut.values()))
        and all(isinstance(facts[name], str | int | float | None) for name in facts if name not in _MADE_OF_MORE)
        and _says_items(facts.get("items"))
    ):
        return facts
    return {"revision": 0, "state": "unreadable", "error": "its heartbeat cannot be read", "failed": {}}


def _says_items(items: Any) -> bool:
    """Return whether this may be what a heartbeat says of items; an older slotbeam says nothing."""
    if items is None:
        return True
    return (
        isinstance(items, dict)
        and _count(items.get("seq"))
        and isinstance(failed := items.get("failed"), dict)
        and all(isinstance(why, str) for why in failed.values())
        and all(isinstance(items[name], str | int | float | None) for name in items if name != "failed")
    )


def json_value(value: bytes | str) -> Any:
    """Read a JSON value that can be written again: no NaN, no lone surrogate; None for what is none."""
    try:
        return orjson.loads(value)
    except ValueError:
        return None


def idempotency_record(value: bytes | str) -> tuple[int, str] | None:
    """Read what a key was used for: the revision it made and the request's fingerprint; None when it cannot be."""
    seen = json_value(value)
    if isinstance(seen, dict) and _count(seen.get("revision")) and isinstance(seen.get("fingerprint"), str):
        return seen["revision"], seen["fingerprint"]
    return None


def log_entry(entry_id: bytes, values: dict[bytes, bytes]) -> dict[str, Any]:
    """Read an entry of the log: who changed what in which revision; no changes when they cannot be read."""
    return {
        "revision": int(entry_id.split(b"-")[0]),
        "at": moment(values.get(b"at")),
        **{name: decoded(values.get(name.encode())) for name in ("op", "actor", "epoch", "state")},
        "changes": _changes(json_value(values.get(b"changes", b""))),
    }


def decoded(value: bytes | str | None) -> str | None:
    """Read text, whatever its bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def text(value: bytes | str | None) -> str:
    """Read text; "" for what is not there."""
    return decoded(value) or ""


def number(value: bytes | None) -> int | None:
    """Read a number from 0 to `MAX_NUMBER`; None for anything else."""
    digits = text(value)
    return int(digits) if _NUMBER.fullmatch(digits) else None


def moment(value: bytes | None) -> int | None:
    """Read unix ms that ISO 8601 can say; None for anything else."""
    at_ms = number(value)
    return at_ms if at_ms is not None and at_ms <= LAST_MS else None


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
    settings = {decoded(name): decoded(value) for name, value in raw.items()}
    if settings.get("appendonly") != "yes":
        return Durability(False, "unknown", 'the store keeps nothing on disk; set "appendonly yes"')
    if settings.get("maxmemory-policy") != "noeviction":
        policy = settings.get("maxmemory-policy")
        return Durability(
            False, "unknown", f'the store may evict bindings ({policy}); set "maxmemory-policy noeviction"'
        )
    if settings.get("appendfsync") == "always":
        return Durability(True, "appendfsync always")
    if await _knows_waitaof(connection):
        return Durability(True, "waitaof")
    how = settings.get("appendfsync")
    return Durability(
        False, "unknown", f'the store syncs "{how}" and cannot say what is on disk; set "appendfsync always"'
    )


async def _knows_waitaof(connection: Connection) -> bool:
    """Ask whether there is WAITAOF: Redis before 7.2 lacks it, and a user may not be allowed it."""
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
    beats = [(heartbeat(value or b""), left) for (value,), left in zip(told[::2], told[1::2], strict=True)]
    return seconds * 1000 + micros / 1000, beats


def _count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= MAX_NUMBER


def _changes(value: Any) -> list[dict[str, Any]]:
    changes = value if isinstance(value, list) else []
    for change in changes:
        if not isinstance(change, dict) or not isinstance(change.get("id"), str):
            return []
        if not all(isinstance(change.get(name), str | None) for name in _CHANGE):
            return []
    return [
        {**{name: change.get(name) for name in _CHANGE}, "items": _items(change.get("items"))} for change in changes
    ]


def _items(value: Any) -> dict[str, Any] | None:
    """Read which items came and went; None when that was not written down, or cannot be read."""
    if not isinstance(value, dict) or not all(_count(value.get(name)) for name in ("added", "removed")):
        return None
    ids = [value.get(name) for name in ("first_added", "first_removed")]
    if not all(isinstance(some, list) and all(isinstance(one, str) for one in some) for some in ids):
        return None
    return {name: value[name] for name in ("added", "removed", "first_added", "first_removed")}
