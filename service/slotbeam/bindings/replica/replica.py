"""A replica of the store, of either plane: its connection, its watcher, what runs beside them, whether it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol

import structlog

from slotbeam.background import Background
from slotbeam.bindings.replica.compiling import NO_SLOT
from slotbeam.bindings.replica.pace import Pace
from slotbeam.bindings.replica.watch import Watcher
from slotbeam.bindings.store.store import Store
from slotbeam.errors import StoreError
from slotbeam.search.snapshot import Holder, ServingState

log = structlog.get_logger("slotbeam.bindings")


class FollowedPart(Protocol):
    """What else a replica follows in its store. Its `background` is its own."""

    @property
    def background(self) -> Background: ...

    async def boot(self) -> None:
        """Serve what was good last, before the store is asked."""
        ...

    async def run(self) -> None:
        """Follow the store until cancelled."""
        ...

    async def ready(self, timeout_s: float) -> bool:
        """Wait until it may be served. False after `timeout_s`."""
        ...


class Replica:
    """Follows `store` while entered, and closes it at the end.

    Args:
        store: to follow.
        holder: of the snapshot that requests read; the watcher swaps it.
        data_dir: where the last-known-good file lives.
        name: its name in heartbeats; None makes one of host name and process id.
        clock: unix seconds.
        role: `data`, or `admin`: that one gives a new, empty store its epoch before it is ready.
        process: which of the processes of this role in the data directory it is.
        pace: how often it does what.

    Attributes:
        is_ready: a list or a last-known-good file was seen, or `pace.ready_s` went by without either.
    """

    def __init__(
        self,
        store: Store,
        holder: Holder,
        data_dir: Path,
        name: str | None = None,
        clock: Callable[[], float] = time.time,
        *,
        role: str = "data",
        process: int = 1,
        pace: Pace = Pace(),
    ) -> None:
        self.store, self.pace = store, pace
        name = name or f"{socket.gethostname()}-{os.getpid()}" + ("-admin" if role == "admin" else "")
        artifact = holder.current.artifact
        self.watcher = Watcher(store, holder, artifact, data_dir, name, clock, role=role, process=process, pace=pace)
        self.is_ready = False
        self._told = -1
        self._background = Background()
        self._parts: dict[str, FollowedPart] = {}

    async def __aenter__(self) -> Replica:
        followed: dict[str, FollowedPart] = {"bindings": self.watcher, **self._parts}
        for name, part in followed.items():
            try:  # before the first request: a process that was started again must not answer without them
                await part.boot()
            except Exception as error:
                log.error("booting. This is a bug; answers begin without", part=name, error=repr(error))
            self.keep(name, part.run)
        if self.watcher.role == "admin":
            self.keep("begin", self._begin, once=True)
        else:
            self.keep("bindings-ready", self._wait, once=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._background.stop()
        await self.store.close()

    def follow(self, name: str, part: FollowedPart) -> None:
        """Follow `part`, too; call it before the replica is entered."""
        self._parts[name] = part

    def keep(self, name: str, work: Callable[[], Awaitable[object]], *, once: bool = False) -> None:
        """Keep `work` running, too, until the replica is left; see `Background.keep`."""
        self._background.start(name, work, once=once)

    def restarts(self) -> Mapping[str, int]:
        """Return how often each background task had to begin again."""
        parts = [part.background.restarts for part in (self.watcher, *self._parts.values())]
        return {name: count for own in (self._background.restarts, *parts) for name, count in own.items()}

    def is_whole(self) -> bool:
        """Return whether it serves what the store holds, and no binding lacks a slot of this codebook; else log why."""
        facts = self.watcher.facts
        # A store that was never written to is confirmed, too; what is served of it is no bindings.
        if not self.is_ready or facts.staleness_s is None or facts.state not in (ServingState.LIVE, ServingState.NONE):
            return False
        lacking = sum(why.startswith(NO_SLOT) for why in facts.failed.values())
        if lacking and facts.revision != self._told:
            self._told = facts.revision
            log.error("bindings have no slot of this codebook; slotbeam slots carry gives them one", bindings=lacking)
        return not lacking

    async def _wait(self) -> None:
        await asyncio.gather(*(part.ready(self.pace.ready_s) for part in (self.watcher, *self._parts.values())))
        self.is_ready = True

    async def _begin(self) -> None:
        """Give a new, empty store its epoch; never one that this replica knew bindings of."""
        delay_s = 0.05
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.pace.ready_s):
                while True:
                    if await self.watcher.ready(delay_s) and (
                        self.watcher.listing is not None or await self._initialised()
                    ):
                        break
                    await asyncio.sleep(delay_s)
                    delay_s = min(2 * delay_s, 1.0)
        await asyncio.gather(*(part.ready(self.pace.ready_s) for part in self._parts.values()))
        self.is_ready = True
        with contextlib.suppress(StoreError):
            durable = await self.store.durability()
            if not durable.ok:
                effect = "edits are refused" if self.store.strict else "edits may be lost"
                log.warning("the store is not durable", effect=effect, why=durable.why)

    async def _initialised(self) -> bool:
        try:
            await self.store.initialise()
            await self.watcher.sync(whole=False)
        except StoreError:
            return False
        return self.watcher.listing is not None
