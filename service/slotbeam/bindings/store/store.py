"""The bindings store: one Redis (or Valkey), its keys, atomic reads and heartbeats. Commits are in `commit.py`.

Keys (one hash tag): `{sb}:meta`, `{sb}:binding`, `{sb}:slots:<codebook_sha>`, `{sb}:items:<sha>`, `{sb}:word`,
`{sb}:log`, `{sb}:idem`, `{sb}:replica:<id>`, `{sb}:stats:<id>`, `{sb}:dismissed`; docs/bindings.md says what they hold.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from slotbeam.bindings.binding import EMPTY_STATE, SCHEMA, decode_items
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.store import replies
from slotbeam.bindings.store.connection import Connection
from slotbeam.bindings.store.reading import read_listing
from slotbeam.bindings.store.replies import Durability, Head, ask_durability
from slotbeam.errors import BindingError, OutcomeUnknown, StoreUnavailable

WATCH_BLOCK_MS = 1000
LOOKUP_S = 2.0
HEARTBEAT_TTL_MS = 15_000
STATS_TTL_S = 86_400

_INITIALISE = """#!lua
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'rev', '0', 'state', ARGV[2], 'count', '0', 'schema', ARGV[3])
return 1
"""


class Store(Connection):
    """A connection to the bindings store.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…` (see `slotbeam.storeurl`).
        strict: refuse writes unless durability is proven (see `durability`).
        prefix: the hash tag every key starts with.
        ca: PEM file of a CA that may have signed the store's certificate, beside the system's.
        lookup_s: how long a write whose reply was lost is looked for.

    Raises:
        SetupError: the URL or the file cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        strict: bool = False,
        prefix: str = "{sb}",
        ca: Path | None = None,
        lookup_s: float = LOOKUP_S,
    ) -> None:
        super().__init__(url, prefix=prefix, ca=ca)
        self.strict, self.lookup_s = strict, lookup_s
        self._read: Listing | None = None
        self.write_lock = asyncio.Lock()

    # ---------------------------------------------------------------- reads

    async def read(
        self, codebook_sha: str, known: Listing | None = None, *, to_write: bool = False, whole: bool = True
    ) -> Listing | None:
        """Read everything at one revision (MULTI/EXEC: unguarded reads can be torn); None without `{sb}:meta`.

        Args:
            codebook_sha: whose slots to read.
            known: a listing whose logged state to return along (`Listing.known_state`).
            to_write: a write follows: read on its connection, which no other read holds up.
            whole: else the records that follow from those read last and from the log are not read again.
        """
        base = None if whole else self._read
        found = await read_listing(self, codebook_sha, known, base, to_write=to_write)
        if found is not None and found.verify():
            self._read = found
        return found

    async def head(self) -> Head | None:
        """Read `{sb}:meta`; None when the store was never initialised, or lost it."""
        with self.errors():
            return replies.head(await self.redis.hgetall(self.key("meta")))

    async def changed(self, revision: int) -> None:
        """Wait up to a second for a log entry after `revision`. Only a hint: read the head afterwards."""
        with self.errors():
            await self.watching.xread({self.key("log"): f"{revision}-0"}, count=1, block=WATCH_BLOCK_MS)

    async def items(self, shas: Iterable[str]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        """Read item lists. Returns `(sha → ids, sha → why it could not be read)`."""
        wanted = list(dict.fromkeys(shas))
        lists: dict[str, tuple[str, ...]] = {}
        failed: dict[str, str] = {}
        if wanted:
            with self.errors():
                values: list[Any] = await self.redis.mget([self.key(f"items:{sha}") for sha in wanted])
            for sha, value in zip(wanted, values, strict=True):
                try:
                    if value is None:
                        raise BindingError(f"item list {sha[:12]}… is not in the store")
                    lists[sha] = decode_items(sha, bytes(value))
                except BindingError as error:
                    failed[sha] = str(error)
        return lists, failed

    async def log(self, count: int = 100, before: int | None = None) -> list[dict[str, Any]]:
        """Read the newest `count` log entries below revision `before`, newest first."""
        top = "+" if before is None else f"({before}-0"
        with self.errors():
            entries: Any = await self.redis.xrevrange(self.key("log"), top, "-", count=count)
        return [replies.log_entry(entry_id, values) for entry_id, values in entries]

    async def commits(self, revisions: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Read the log entries of `revisions`, by revision; those that it no longer holds are left out."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for revision in revisions:
                pipe.xrange(self.key("log"), f"{revision}-0", f"{revision}-0")
            with self.errors():
                answers: list[Any] = await pipe.execute()
        found = [replies.log_entry(*answer[0]) for answer in answers if answer]
        return {entry["revision"]: entry for entry in found}

    # ---------------------------------------------------------------- heartbeats

    async def beat(self, replica: str, facts: Mapping[str, Any]) -> None:
        """Say what `replica` has applied; forgotten after `HEARTBEAT_TTL_MS`."""
        with self.errors():
            await self.redis.set(self.key(f"replica:{replica}"), _document(facts), px=HEARTBEAT_TTL_MS)

    async def forget(self, replica: str) -> None:
        """Say that `replica` ends in good order."""
        with self.errors():
            await self.redis.delete(self.key(f"replica:{replica}"))

    async def replicas(self) -> list[dict[str, Any]]:
        """Read every live replica's last heartbeat, by id."""
        start = self.key("replica:")
        with self.errors():
            keys = sorted({key async for key in self.redis.scan_iter(match=start + "*", count=1000)})
            values = await self.redis.mget(keys) if keys else []
        beats = []
        for key, value in zip(keys, values, strict=True):
            if value is not None:
                beats.append({**replies.heartbeat(value), "id": key.decode(errors="replace")[len(start) :]})
        return beats

    # ---------------------------------------------------------------- suggestions

    async def publish_stats(self, replica: str, document: Mapping[str, Any]) -> None:
        """Leave what `replica` counted; it outlives a restart, and is forgotten after `STATS_TTL_S`."""
        with self.errors():
            await self.redis.set(self.key(f"stats:{replica}"), _document(document), ex=STATS_TTL_S)

    async def stats(self) -> list[Any]:
        """Read what every replica published, as JSON values; None for one that cannot be read."""
        with self.errors():
            keys = sorted({key async for key in self.redis.scan_iter(match=self.key("stats:*"), count=1000)})
            values = await self.redis.mget(keys) if keys else []
        return [replies.json_value(value) for value in values if value is not None]

    async def dismiss(self, word: str, facts: Mapping[str, Any]) -> bool:
        """Never suggest `word` again. Returns whether that is new. Raises `OutcomeUnknown`: do it again."""
        try:
            with self.errors():
                return bool(await self.redis.hsetnx(self.key("dismissed"), word, _document(facts)))
        except StoreUnavailable as error:
            raise OutcomeUnknown(
                f'the store at {self.name} did not answer; "{word}" may or may not be dismissed: send it again'
            ) from error

    async def dismissed(self) -> set[str]:
        """Read every word that was dismissed."""
        with self.errors():
            words: Any = await self.redis.hkeys(self.key("dismissed"))
        return {word.decode(errors="replace") for word in words}

    # ---------------------------------------------------------------- writes outside the revision

    async def initialise(self) -> bool:
        """Start epoch 1 of an empty store at revision 0. Returns False when it holds one already."""
        with self.errors():
            done = await self.writing.eval(
                _INITIALISE, 1, self.key("meta"), secrets.token_hex(8), EMPTY_STATE, str(SCHEMA)
            )
        return bool(done)

    async def put_items(self, items: Mapping[str, bytes], linger_s: int) -> None:
        """Write item lists by their hash; each goes after `linger_s` unless a commit that names it keeps it."""
        if not items:
            return
        with self.errors():
            async with self.writing.pipeline(transaction=False) as pipe:
                for sha, data in items.items():
                    # Content-addressed: what is there is the same, and may be in use. It is never shortened.
                    pipe.set(self.key(f"items:{sha}"), data, nx=True, ex=linger_s)
                    pipe.expire(self.key(f"items:{sha}"), linger_s, gt=True)
                await pipe.execute()

    async def used_for(self, idempotency_key: str, *, to_write: bool = True) -> bytes | str | None:
        """Read what a request with this key did (see `replies.idempotency_record`); None when it is new.

        Args:
            to_write: a write follows. Without, the connection for writes is not needed: it may be the one that broke.
        """
        client = self.writing if to_write else self.redis
        with self.errors():
            return await client.hget(self.key("idem"), idempotency_key)

    async def holds_records(self) -> bool:
        """Return whether there is any binding, also without an epoch."""
        with self.errors():
            return bool(await self.redis.exists(self.key("binding")))

    async def durability(self) -> Durability:
        """Ask the server whether an acknowledged write is on disk; asked for every commit, as anyone may change it."""
        return await ask_durability(self)

    async def durable(self) -> Durability:
        """Ask the same before a write. Raises `StoreUnavailable`: a strict store could lose it."""
        found = await self.durability()
        if self.strict and not found.ok:
            raise StoreUnavailable(f"writes are refused: {found.why}", durability=found.how)
        return found


def _document(facts: Mapping[str, Any]) -> bytes:
    """Write JSON that `replies` reads: the path in an error may be no UTF-8."""
    return json.dumps(dict(facts), ensure_ascii=False).encode(errors="replace")
