"""The bindings store: one Redis (or Valkey), its keys, atomic reads and heartbeats. Commits are in `commit.py`.

Keys (one hash tag): `{sb}:meta`, `{sb}:binding`, `{sb}:slots:<codebook_sha>`, `{sb}:items:<sha>`, `{sb}:word`,
`{sb}:log`, `{sb}:idem`, `{sb}:replica:<id>`, `{sb}:stats:<id>`, `{sb}:dismissed`; docs/bindings.md says what they hold.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from slotbeam.bindings.binding import EMPTY_STATE, SCHEMA, decode_items
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.store import replies
from slotbeam.bindings.store.replies import Head
from slotbeam.errors import BindingError, OutcomeUnknown, StoreUnavailable
from slotbeam.storeurl import StoreUrl

READ_TIMEOUT_S = 2.0
CONNECT_TIMEOUT_S = 1.0
WATCH_BLOCK_MS = 1000
WATCH_TIMEOUT_S = 2.5
HEARTBEAT_TTL_MS = 15_000
STATS_TTL_S = 86_400

_INITIALISE = """#!lua
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'rev', '0', 'state', ARGV[2], 'count', '0', 'schema', ARGV[3])
return 1
"""


@dataclass(frozen=True)
class Durability:
    """Whether an acknowledged write survives a power cut: `ok`, how it is made sure of, and why not."""

    ok: bool
    how: str
    why: str = ""


class Store:
    """A connection to the bindings store.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…` (see `slotbeam.storeurl`).
        strict: refuse writes unless durability is proven (see `durability`).
        prefix: the hash tag every key starts with.
        ca: PEM file of a CA that may have signed the store's certificate, beside the system's.

    Raises:
        SetupError: the URL or the file cannot be used.
    """

    def __init__(self, url: str, *, strict: bool = False, prefix: str = "{sb}", ca: Path | None = None) -> None:
        self.url, self.strict, self.prefix = url, strict, prefix
        self.where = StoreUrl.parse(url).trusting(ca)
        self.redis = self.client(READ_TIMEOUT_S)
        self.watching = self.client(WATCH_TIMEOUT_S)
        self.writing = self.client(READ_TIMEOUT_S, max_connections=1)
        self.write_lock = asyncio.Lock()

    def client(self, timeout_s: float, max_connections: int = 16) -> redis.Redis:
        """A client that never sends a command twice by itself."""
        where = self.where
        how: dict[str, Any] = {"host": where.host, "port": where.port}
        kind: type[redis.connection.AbstractConnection] = redis.Connection
        if where.scheme == "unix":
            kind, how = redis.UnixDomainSocketConnection, {"path": where.path}
        elif where.scheme == "rediss":
            kind, how = redis.SSLConnection, {**how, **where.tls}
        pool = redis.BlockingConnectionPool(
            connection_class=kind,
            **how,
            username=where.username,
            password=where.password,
            db=where.db,
            max_connections=max_connections,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,  # CLIENT SETINFO is no command that slotbeam's users of the store may send
        )
        return redis.Redis.from_pool(pool)

    async def close(self) -> None:
        """Close every connection."""
        for client in (self.redis, self.watching, self.writing):
            await client.aclose()

    @property
    def name(self) -> str:
        """Where the store is, without its password."""
        return self.where.name

    def key(self, name: str) -> str:
        return f"{self.prefix}:{name}"

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the client's errors into `StoreUnavailable`: of a read, or of anything that was not sent.

        Its text says nothing of writes: it may be told beside one that was acknowledged. See `nothing_written`.
        """
        try:
            with heeding_cancellation():
                yield
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(
                f"the store at {self.name} did not answer ({_why(error)}); searches continue"
            ) from error

    # ---------------------------------------------------------------- reads

    async def read(
        self, codebook_sha: str, known: int | None = None, client: redis.Redis | None = None
    ) -> Listing | None:
        """Read everything at one revision (MULTI/EXEC: unguarded reads can be torn); None without `{sb}:meta`.

        Args:
            codebook_sha: whose slots to read.
            known: a revision whose logged state to return along (`Listing.known_state`).
        """
        with self.errors():
            async with (client or self.redis).pipeline(transaction=True) as pipe:
                pipe.hgetall(self.key("meta"))
                pipe.hgetall(self.key("binding"))
                pipe.hgetall(self.key(f"slots:{codebook_sha}"))
                pipe.xrevrange(self.key("log"), count=1)
                if known:
                    pipe.xrange(self.key("log"), f"{known}-0", f"{known}-0")
                meta, records, slots, last, *entry = await pipe.execute()
        head = replies.head(meta)
        if head is None:
            return None
        return Listing(
            epoch=head.epoch,
            revision=head.revision,
            state=head.state,
            records={replies.text(key): bytes(value) for key, value in records.items()},
            slots={replies.text(key): replies.text(value) for key, value in slots.items()},
            committed_at=replies.moment(last[0][1].get(b"at")) if last else None,
            began=replies.number(meta.get(b"began")) or 0,
            known_state=replies.text(entry[0][0][1].get(b"state")) if entry and entry[0] else None,
            newest=replies.newest(last),
        )

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
        found: dict[str, tuple[str, ...]] = {}
        failed: dict[str, str] = {}
        if wanted:
            with self.errors():
                values: list[Any] = await self.redis.mget([self.key(f"items:{sha}") for sha in wanted])
            for sha, value in zip(wanted, values, strict=True):
                try:
                    if value is None:
                        raise BindingError(f"item list {sha[:12]}… is not in the store")
                    found[sha] = decode_items(sha, bytes(value))
                except BindingError as error:
                    failed[sha] = str(error)
        return found, failed

    async def log(self, count: int = 100, before: int | None = None) -> list[dict[str, Any]]:
        """The newest `count` log entries below revision `before`, newest first."""
        top = "+" if before is None else f"({before}-0"
        with self.errors():
            entries: Any = await self.redis.xrevrange(self.key("log"), top, "-", count=count)
        return [replies.log_entry(entry_id, values) for entry_id, values in entries]

    async def commits(self, revisions: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The log entries of `revisions`, by revision; those that it no longer holds are left out."""
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
        """A replica that ends in good order says so."""
        with self.errors():
            await self.redis.delete(self.key(f"replica:{replica}"))

    async def replicas(self) -> list[dict[str, Any]]:
        """Every live replica's last heartbeat, by id."""
        start = self.key("replica:")
        with self.errors():
            keys = sorted({key async for key in self.redis.scan_iter(match=start + "*", count=1000)})
            values = await self.redis.mget(keys) if keys else []
        found = []
        for key, value in zip(keys, values, strict=True):
            if value is not None:
                found.append({**replies.heartbeat(value), "id": key.decode(errors="replace")[len(start) :]})
        return found

    # ---------------------------------------------------------------- suggestions

    async def publish_stats(self, replica: str, document: Mapping[str, Any]) -> None:
        """Leave what `replica` counted; it outlives a restart, and is forgotten after `STATS_TTL_S`."""
        with self.errors():
            await self.redis.set(self.key(f"stats:{replica}"), _document(document), ex=STATS_TTL_S)

    async def stats(self) -> list[Any]:
        """What every replica published, as JSON values; None for one that cannot be read."""
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
        """Every word that was dismissed."""
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

    async def durability(self) -> Durability:
        """Ask the server whether an acknowledged write is on disk; asked for every commit, as anyone may change it."""
        with self.errors():
            try:
                raw = await self.redis.config_get("appendonly", "appendfsync", "maxmemory-policy")
            except ResponseError as error:
                return Durability(False, "unknown", f"the store does not tell its settings ({_why(error)})")
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
        if await self._knows_waitaof():
            return Durability(True, "waitaof")
        how = found.get("appendfsync")
        return Durability(
            False, "unknown", f'the store syncs "{how}" and cannot say what is on disk; set "appendfsync always"'
        )

    async def _knows_waitaof(self) -> bool:
        """Redis before 7.2 does not, and a user may not be allowed it."""
        with self.errors():
            try:
                known: Any = await self.redis.execute_command("COMMAND INFO", "WAITAOF")  # type: ignore[no-untyped-call]
            except ResponseError:
                return False
        return bool(known) and known[0] is not None


@contextmanager
def heeding_cancellation() -> Iterator[None]:
    """Raise `CancelledError` when the task was cancelled inside, even if the client swallowed that.

    Before Python 3.12 `asyncio.wait_for`, which the client uses, drops a cancellation that meets an arriving reply.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        yield
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


def _document(facts: Mapping[str, Any]) -> bytes:
    """JSON that `replies` reads: the path in an error may be no UTF-8."""
    return json.dumps(dict(facts), ensure_ascii=False).encode(errors="replace")


def _why(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"TLS failed, its certificate is not trusted: {cause.verify_message}; set SLOTBEAM_REDIS_CA to the PEM "
            "file of the CA that signed it, and SLOTBEAM_REDIS_URL to a host that it is for"
        )
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed, {cause.reason or cause}; without TLS SLOTBEAM_REDIS_URL begins with redis://"
    return f"{type(error).__name__}: {error}"[:200]
