"""Stores that nobody should believe, made from good ones: each `Forgery` changes a `World` in one way.

A `World` is what a store holds, as plain bytes. `sealed` gives a changed one the digest and the log entry that it would
need: what is wrong with a forgery is what it does, not that it was left half done.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from redis.asyncio import Redis

from slotbeam.bindings.binding import state_digest
from support.live import make_binding
from support.replies import fields, log_entries

Fields = Mapping[bytes, bytes]
OTHER_TYPES = ("string", "list", "set", "zset")
NO_REVISION = (
    b"",
    b"-1",
    b"1.5",
    b"1e3",
    b"0x10",
    b" 7",
    b"+7",
    b"7\n",
    b"\xd9\xa7",
    b"NaN",
    b"\0",
    b"007",
    b"9" * 5000,
)


@dataclass(frozen=True)
class World:
    """`{sb}:meta`, `:binding`, `:slots:<codebook>`, `:log` (oldest first); `types`: key → a type it must not have."""

    codebook: str
    meta: Fields
    records: Fields
    slots: Fields
    log: tuple[tuple[bytes, Fields], ...]
    types: Mapping[str, str] = field(default_factory=dict)

    @property
    def revision(self) -> int:
        return int(self.meta[b"rev"])

    @staticmethod
    async def of(raw: Redis, codebook: str) -> World:
        """Read what the store holds."""
        log = log_entries(bytes, await raw.xrange("{sb}:log"))
        meta, records, slots = [
            fields(bytes, await raw.hgetall(f"{{sb}}:{name}")) for name in ("meta", "binding", f"slots:{codebook}")
        ]
        return World(codebook, meta, records, slots, tuple(log))

    async def put(self, raw: Redis) -> None:
        """Make the store hold this, at one moment."""
        keys = {"meta": self.meta, "binding": self.records, f"slots:{self.codebook}": self.slots}
        async with raw.pipeline(transaction=True) as pipe:
            pipe.delete(*(f"{{sb}}:{name}" for name in (*keys, "log")))
            for name, held in keys.items():
                if held:
                    pipe.hset(f"{{sb}}:{name}", mapping=dict(held.items()))
            for entry_id, entry in self.log:
                pipe.xadd("{sb}:log", dict(entry.items()), id=entry_id)
            for name, kind in self.types.items():
                key = f"{{sb}}:{name}"
                pipe.delete(key)
                command = {"string": ("SET", key, "x"), "list": ("RPUSH", key, "x"), "set": ("SADD", key, "x")}
                pipe.execute_command(*command.get(kind, ("ZADD", key, "1", "x")))
            await pipe.execute()

    def with_meta(self, **fields: bytes | str | int | None) -> World:
        """With other fields of `{sb}:meta`; None removes one."""
        meta = dict(self.meta)
        for name, value in fields.items():
            meta.pop(name.encode(), None)
            if value is not None:
                meta[name.encode()] = value if isinstance(value, bytes) else str(value).encode()
        return replace(self, meta=meta)

    def logged(self, **fields: bytes | str) -> World:
        """With one more log entry that tells of what `meta` says, but for `fields`."""
        entry = {b"op": b"bind", b"at": b"0", b"actor": b"nobody", b"key": b"k", b"changes": b"[]"}
        entry |= {name: self.meta[name] for name in (b"epoch", b"state")}
        entry_id = f"{self.revision}-0".encode()
        entry |= {
            name.encode(): value if isinstance(value, bytes) else value.encode() for name, value in fields.items()
        }
        return replace(self, log=(*self.log, (entry_id, entry)))

    def digested(self) -> World:
        """With the state digest of its records."""
        return self.with_meta(state=state_digest({key.decode(): value for key, value in self.records.items()}))

    def sealed(self, **meta: bytes | str | int | None) -> World:
        """With other meta fields, the digest of its records, and the log entry for that instead of any later one."""
        made = self.with_meta(**meta).digested()
        earlier = tuple(entry for entry in made.log if int(entry[0].split(b"-")[0]) < made.revision)
        return replace(made, log=earlier).logged()


@dataclass(frozen=True)
class Forgery:
    """One kind of bad store.

    Attributes:
        make: `(the true worlds of every revision, oldest first; a generator) → a bad one`.
        alone: a reader that never saw the true store refuses it, too.
        refused: the store's answer is an error, not something to judge.
    """

    name: str
    make: Callable[[list[World], random.Random], World]
    alone: bool = True
    refused: bool = False


FORGERIES: list[Forgery] = []


def forgery(*, alone: bool = True, refused: bool = False) -> Callable[[Callable[..., World]], Callable[..., World]]:
    """Register a kind of forgery under its function's name."""

    def register(make: Callable[..., World]) -> Callable[..., World]:
        FORGERIES.append(Forgery(make.__name__, make, alone, refused))
        return make

    return register


def flipped(data: bytes, rng: random.Random) -> bytes:
    """`data` with one to three bytes changed."""
    out = bytearray(data)
    for at in rng.sample(range(len(out)), min(len(out), rng.randint(1, 3))):
        out[at] ^= rng.randint(1, 255)
    return bytes(out)


def other_records(world: World, rng: random.Random) -> Fields:
    """The records of `world` with one added, removed or replaced by another whole one."""
    records = dict(world.records)
    what = rng.choice(["add", "remove", "replace"]) if records else "add"
    key = rng.choice(sorted(records)) if records else b""
    if what == "remove":
        del records[key]
    elif what == "add":
        forged = make_binding(f"forged{rng.randrange(10**6)}")
        records[forged.id.encode()] = forged.record()
    else:
        records[key] = make_binding(f"forged{rng.randrange(10**6)}", id=key.decode(), revision=world.revision).record()
    return records


def random_digest(rng: random.Random) -> str:
    return rng.randbytes(32).hex()
