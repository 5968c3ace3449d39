"""One script, sent to the store once: refused without a trace, done and on disk, or nobody knows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

from slotbeam.bindings.store.connection import heeding_cancellation
from slotbeam.bindings.store.store import Store
from slotbeam.errors import OutcomeUnknown, StoreError, StoreUnavailable

WAITAOF_MS = 1500
_BEGINS = ("MISCONF", "NOREPLICAS", "CLUSTERDOWN", "MOVED", "MASTERDOWN")
"""How a server's answer begins that refuses a write."""
_REFUSALS = (OutOfMemoryError, ReadOnlyError, BusyLoadingError, NoPermissionError, AuthenticationError)


class Unanswered(Exception):
    """The script may have run or not; `__cause__` says what came instead of its answer."""


@dataclass(frozen=True)
class Script:
    """A Lua script. Make it with `load`, or from its text."""

    text: str

    @classmethod
    def load(cls, name: str) -> Script:
        """Read `common.lua` and `name`, both beside this module, as one."""
        here = Path(__file__).parent
        return cls("".join((here / part).read_text(encoding="utf-8") for part in ("common.lua", name)))

    @property
    def sha(self) -> str:
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


@contextmanager
def nothing_written() -> Iterator[None]:
    """Around a whole write: add to the store's errors that nothing was written, unless one says that nobody knows."""
    try:
        yield
    except OutcomeUnknown:
        raise
    except StoreError as error:
        raise type(error)(f"{error}; nothing was written", **error.details) from error


async def run(store: Store, script: Script, names: Sequence[str], *arguments: Any, how: str) -> tuple[Any, bool]:
    """Run `script` on the keys of these `names`, then wait for the disk where `how` is `waitaof`.

    Both go out together on one connection: WAITAOF answers for what its own connection wrote, and one that was made
    after the store died would confirm at once what is lost.

    Returns:
        The script's answer (a list as strings), and whether the disk confirmed it (only asked with `waitaof`).

    Raises:
        StoreUnavailable: it was refused.
        Unanswered: it may have run.
    """
    keys = [store.key(name) for name in names]
    try:
        with heeding_cancellation():
            answer, confirmed = await _send(store, "EVALSHA", script.sha, keys, arguments, how)
            if isinstance(answer, NoScriptError):
                answer, confirmed = await _send(store, "EVAL", script.text, keys, arguments, how)
            if isinstance(answer, Exception):
                raise answer
    except (RedisError, OSError) as error:
        refused = isinstance(error, ResponseError) and str(error).startswith(_BEGINS)
        if refused or isinstance(error, _REFUSALS):
            raise StoreUnavailable(f"the store at {store.name} refuses writes ({error})") from error
        raise Unanswered from error
    return answer, confirmed


def durability(store: Store, how: str, confirmed: bool, revision: int) -> str:
    """How a write that was made is known to be on disk: `how`, or `unknown`.

    Raises:
        OutcomeUnknown: a strict store did not confirm it.
    """
    if how != "waitaof" or confirmed:
        return how
    if store.strict:
        raise OutcomeUnknown(
            f"revision {revision} was written but the store did not confirm that it is on disk",
            outcome="unknown",
            revision=revision,
        )
    return "unknown"


async def _send(
    store: Store, command: str, script: str, keys: Sequence[str], arguments: Sequence[Any], how: str
) -> tuple[Any, bool]:
    async with store.writing.pipeline(transaction=False) as pipe:
        pipe.execute_command(command, script, len(keys), *keys, *arguments)
        if how == "waitaof":
            pipe.execute_command("WAITAOF", 1, 0, WAITAOF_MS)
        answer, *synced = await pipe.execute(raise_on_error=False)
    if isinstance(answer, list):
        answer = [part.decode(errors="replace") if isinstance(part, bytes) else str(part) for part in answer]
    return answer, bool(synced) and isinstance(synced[0], list) and int(synced[0][0]) >= 1
