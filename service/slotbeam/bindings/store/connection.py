"""The connections to one Redis (or Valkey): three pools, the names of its keys, what its errors mean, and scripts.

A script is sent once (`run`): it is refused without a trace, or done and on disk, or nobody knows.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from slotbeam.errors import OutcomeUnknown, StoreError, StoreUnavailable
from slotbeam.storeurl import StoreUrl

T = TypeVar("T")
READ_TIMEOUT_S = 2.0
CONNECT_TIMEOUT_S = 1.0
WATCH_TIMEOUT_S = 2.5
WAITAOF_MS = 1500
_BEGINS = ("MISCONF", "NOREPLICAS", "CLUSTERDOWN", "MOVED", "MASTERDOWN")
"""How a server's answer begins that refuses a write."""
_REFUSALS = (OutOfMemoryError, ReadOnlyError, BusyLoadingError, NoPermissionError, AuthenticationError)


class Connection:
    """Connects to the store when it is first asked something. Only rooms named `store` use its clients.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…` (see `slotbeam.storeurl`).
        prefix: the hash tag every key starts with.
        ca: PEM file of a CA that may have signed the store's certificate, beside the system's.

    Raises:
        SetupError: the URL or the file cannot be used.
    """

    def __init__(self, url: str, *, prefix: str = "{sb}", ca: Path | None = None) -> None:
        self.url, self.prefix = url, prefix
        self.where = StoreUrl.parse(url).trusting(ca)
        self.redis = self.client(READ_TIMEOUT_S)
        # What blocks on the log has a pool of its own, and so have writes: one connection, for WAITAOF answers for
        # what its own connection wrote.
        self.watching = self.client(WATCH_TIMEOUT_S)
        self.writing = self.client(READ_TIMEOUT_S, max_connections=1)

    def client(self, timeout_s: float, max_connections: int = 16) -> redis.Redis:
        """Make a client that never sends a command twice by itself."""
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
                f"the store at {self.name} did not answer ({why(error)}); searches continue"
            ) from error


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


def why(error: BaseException) -> str:
    """Say what went wrong; of TLS, what to set."""
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


class Unanswered(Exception):
    """The script may have run or not; `__cause__` says what came instead of its answer."""


@dataclass(frozen=True)
class Script:
    """A Lua script. Make it with `load`, or from its text."""

    text: str

    @classmethod
    def load(cls, name: str, module: str = __file__) -> Script:
        """Read `common.lua`, beside this module, and `name`, beside `module`, as one."""
        paths = Path(__file__).with_name("common.lua"), Path(module).with_name(name)
        return cls("".join(path.read_text(encoding="utf-8") for path in paths))

    @property
    def sha(self) -> str:
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


_WRITE_AGAIN = Script("""
return redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] and redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
""")
"""Changes nothing: WAITAOF answers for what its own connection wrote last."""


@contextmanager
def nothing_written() -> Iterator[None]:
    """Add to the errors of a whole write that nothing was written, unless one says that nobody knows."""
    try:
        yield
    except OutcomeUnknown:
        raise
    except StoreError as error:
        raise type(error)(f"{error}; nothing was written", **error.details) from error


async def run(
    connection: Connection, script: Script, names: Sequence[str], *arguments: Any, how: str
) -> tuple[Any, bool]:
    """Run `script` on the keys of these `names`, then wait for the disk where `how` is `waitaof`.

    Both go out together on one connection: WAITAOF answers for what its own connection wrote, and one that was made
    after the store died would confirm at once what is lost.

    Returns:
        The script's answer (a list as strings), and whether the disk confirmed it (only asked with `waitaof`).

    Raises:
        StoreUnavailable: it was refused.
        Unanswered: it may have run.
    """
    keys = [connection.key(name) for name in names]
    try:
        with heeding_cancellation():
            answer, confirmed = await _send(connection, "EVALSHA", script.sha, keys, arguments, how)
            if isinstance(answer, NoScriptError):
                answer, confirmed = await _send(connection, "EVAL", script.text, keys, arguments, how)
            if isinstance(answer, Exception):
                raise answer
    except (RedisError, OSError) as error:
        refused = isinstance(error, ResponseError) and str(error).startswith(_BEGINS)
        if refused or isinstance(error, _REFUSALS):
            raise StoreUnavailable(f"the store at {connection.name} refuses writes ({error})") from error
        raise Unanswered from error
    return answer, confirmed


def known_on_disk(strict: bool, how: str, confirmed: bool, unsure: OutcomeUnknown) -> str:
    """Tell how a write that was made is known to be on disk: `how`, or `unknown`.

    Raises:
        OutcomeUnknown: `unsure`, where a strict store did not confirm it.
    """
    if how != "waitaof" or confirmed:
        return how
    if strict:
        raise unsure
    return "unknown"


async def on_disk(
    connection: Connection, name: str, field: str, value: bytes | str, *, how: str, strict: bool, unsure: OutcomeUnknown
) -> str | None:
    """Make sure that what was read is on disk, where nothing is to be written: as `known_on_disk`, of a value.

    Whoever wrote it may have been told that the disk did not confirm it: asking again is no way around that.

    Args:
        name, field: of the hash that held `value`.

    Returns:
        How it is known to be on disk; None where the field holds something else by now.

    Raises:
        StoreUnavailable: it was refused.
        OutcomeUnknown: `unsure`, where a strict store did not confirm it.
    """
    if how != "waitaof":
        return how
    try:
        written, confirmed = await run(connection, _WRITE_AGAIN, [name], field, value, how=how)
    except Unanswered:
        written, confirmed = 0, False
    return None if written is None else known_on_disk(strict, how, confirmed, unsure)


def unconfirmed(revision: int) -> OutcomeUnknown:
    why = f"revision {revision} was written but the store did not confirm that it is on disk"
    return OutcomeUnknown(why, outcome="unknown", revision=revision)


async def look_up(lookup_s: float, ask: Callable[[], Awaitable[T | None]]) -> T | None:
    """Ask what became of a script whose answer was lost, for up to `lookup_s`; None when the store does not tell."""
    deadline = asyncio.get_running_loop().time() + lookup_s
    while asyncio.get_running_loop().time() < deadline:
        with suppress(StoreUnavailable):
            if (told := await ask()) is not None:
                return told
        await asyncio.sleep(0.1)
    return None


async def _send(
    connection: Connection, command: str, script: str, keys: Sequence[str], arguments: Sequence[Any], how: str
) -> tuple[Any, bool]:
    async with connection.writing.pipeline(transaction=False) as pipe:
        pipe.execute_command(command, script, len(keys), *keys, *arguments)
        if how == "waitaof":
            pipe.execute_command("WAITAOF", 1, 0, WAITAOF_MS)
        answer, *synced = await pipe.execute(raise_on_error=False)
    if isinstance(answer, list):
        answer = [part.decode(errors="replace") if isinstance(part, bytes) else str(part) for part in answer]
    return answer, bool(synced) and isinstance(synced[0], list) and int(synced[0][0]) >= 1
