"""The replica side: follow the store, compile off the event loop, swap one reference, say what was applied.

The stream is a hint, the revision is the truth. Nothing here is on the request path, and nothing the store does can
take the snapshot away: whatever goes wrong, `holder.current` keeps the last good one.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import structlog

from slotbeam.background import Background
from slotbeam.bindings.binding import next_boundary
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.compiled import CRASHED, Build, Compiled, compile_listing, judge
from slotbeam.bindings.replica.crashguard import Guard
from slotbeam.bindings.replica.lastgood import LastGood, file_name, folder, load, save
from slotbeam.bindings.replica.overlay import build_overlay
from slotbeam.bindings.replica.status import Facts, Status
from slotbeam.bindings.store.replies import Head
from slotbeam.bindings.store.store import Store
from slotbeam.errors import StoreError
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, Overlay, Snapshot

CHECK_S = 30.0
BACKOFF_S = (0.1, 2.0)  # at most: the longest is how long a store that is back may go unnoticed
BEAT_S = 5.0
CLOCK_CHECK_S = 1.0
HINT_S = 0.05

T = TypeVar("T")
log = structlog.get_logger("slotbeam.bindings")


class Watcher:
    """Keeps `holder.current` at the store's newest revision.

    Args:
        store: to follow.
        holder: whose `current` is swapped.
        artifact: the base that bindings are compiled against.
        data_dir: where the last-known-good file lives.
        replica_id: this replica's name in heartbeats.
        clock: unix seconds; `starts_at` and `ends_at` are judged by it.
        role: `data` or `admin`; replicas of one role in one data directory share a last-known-good file.
    """

    def __init__(
        self,
        store: Store,
        holder: Holder,
        artifact: Artifact,
        data_dir: Path,
        replica_id: str,
        clock: Callable[[], float] = time.time,
        *,
        role: str = "data",
        build: Build = build_overlay,
    ) -> None:
        self.store, self.holder, self.artifact = store, holder, artifact
        self.replica_id, self.role = replica_id, role
        self.path = folder(data_dir) / file_name(role, artifact.codebook_sha)
        self.guard = Guard(self.path.with_name(self.path.name + ".applying"))
        self.status = Status(holder)
        self.background = Background()
        self.good: LastGood | None = None
        self.compiled: Compiled | None = None
        self._clock, self._build = clock, build
        self._seen: Head | None = None
        self._held = self._booted = False
        self._ready = asyncio.Event()
        self._syncing, self._swap = asyncio.Lock(), asyncio.Lock()
        self._pool = _pool()

    # ---------------------------------------------------------------- what others ask

    @property
    def facts(self) -> Facts:
        return self.status.facts

    @property
    def listing(self) -> Listing | None:
        """The listing that is served; None before any."""
        return self.good.listing if self.good else None

    def now_ms(self) -> int:
        return int(self._clock() * 1000)

    async def ready(self, timeout_s: float = 30.0) -> bool:
        """Wait for a list or a file (a store that was never written to counts). False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            return False
        return True

    async def reached(self, revision: int, timeout_s: float = 5.0) -> bool:
        """Wait until `revision` (or a later one) is served here. False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.facts.revision < revision:
                    await self.status.changed.wait()
        except TimeoutError:
            return False
        return True

    async def changes(self) -> None:
        """Wait for the next change of any fact that a heartbeat carries."""
        await self.status.changed.wait()

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Follow the store until cancelled. No error of the store, of a record or of the disk ends it."""
        try:
            if not self._booted:
                await self.boot()
            async with asyncio.TaskGroup() as group:
                group.create_task(self.background.keep("bindings-follow", self._follow))
                group.create_task(self.background.keep("bindings-clock", self._cross_boundaries))
                group.create_task(self.background.keep("bindings-heartbeat", self._beat))
        finally:
            pool, self._pool = self._pool, _pool()
            pool.shutdown(wait=False, cancel_futures=True)
            with contextlib.suppress(StoreError, TimeoutError):
                async with asyncio.timeout(0.5):
                    await self.store.forget(self.replica_id)

    async def boot(self) -> None:
        """Serve the last known good bindings before the store is asked; `run` does so unless it was done."""
        self._booted = True
        good, problems = await self._off_loop(lambda: load(self.path, self.artifact.codebook_sha))
        for problem in problems:
            self.status.note(last_error=problem)
            log.warning("last-known-good file", problem=problem)
        if good is not None and await self._apply(good.listing, good.items, {}, "degraded") != CRASHED:
            self._ready.set()

    async def _follow(self) -> None:
        delay = BACKOFF_S[0]
        while True:
            try:
                await self.sync()
                delay = BACKOFF_S[0]
                due = time.monotonic() + CHECK_S * random.uniform(0.8, 1.2)
                while time.monotonic() < due:
                    hinted = time.monotonic()
                    await self.store.changed(self._seen.revision if self._seen else 0)
                    if await self.store.head() != self._seen:
                        await self.sync()
                        continue
                    self._touch()
                    if time.monotonic() - hinted < HINT_S:  # a hint without a revision: do not spin on it
                        await asyncio.sleep(HINT_S)
            except Exception as error:
                self.status.degrade(error)
                await asyncio.sleep(random.uniform(0, delay))
                delay = min(delay * 2, BACKOFF_S[1])

    async def sync(self) -> None:
        """List, judge, apply; one at a time. Raises `StoreError` when the store does not answer."""
        async with self._syncing:
            while not await self._sync():
                pass

    async def _sync(self) -> bool:
        """Returns False when what was read went stale under the reader."""
        known = self.good.listing if self.good else None
        seen = await self.store.read(self.artifact.codebook_sha, known=known.revision if known else None)
        verdict = judge(known, seen)
        if verdict.startswith("hold:"):
            self.status.hold(verdict)
        elif verdict == "apply" and seen is not None:
            items, lost = await self._items(seen)
            if lost and await self.store.head() != Head(seen.epoch, seen.revision, seen.state):
                return False  # collected under our feet: a newer revision is there
            verdict = await self._apply(seen, items, lost, "live")
        elif verdict == "same" and seen is not None and self.good is not None:
            items, lost = await self._items(seen)
            if set(items) - set(self.good.items):
                verdict = await self._apply(seen, items, lost, "live")  # a lost item list is back
        self._seen = Head(seen.epoch, seen.revision, seen.state) if seen else None
        self._held = verdict.startswith("hold:")
        self._ready.set()
        self._touch()
        return True

    async def _items(self, listing: Listing) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        """The item lists of a listing: those already here, and the rest from the store."""
        wanted = {binding.items for binding in listing.bindings.values()}
        have = {sha: ids for sha, ids in (self.good.items if self.good else {}).items() if sha in wanted}
        found, lost = await self.store.items(wanted - set(have))
        return {**have, **found}, lost

    async def _apply(self, listing: Listing, items: Any, lost: dict[str, str], state: str) -> str:
        """Compile off the event loop, keep it on disk, then assign one reference and report the revision.

        In this order a revision that was reported is served, also by the next process, whenever this one is killed.
        Returns "apply", or `CRASHED` with nothing changed but the state: it killed this process again and again.
        """
        async with self._swap:
            began = time.perf_counter()
            previous = self.compiled.every if self.compiled else None
            now = self.now_ms()
            compiled = await self._off_loop(lambda: self._guarded(listing, items, now, previous, lost))
            if compiled is None:
                self.status.hold(CRASHED)
                return CRASHED
            build_ms = (time.perf_counter() - began) * 1000
            good = LastGood(listing, items)
            unkept = await self._save(good) if state == "live" else None
            self.good, self.compiled = good, compiled
            self.holder.current = Snapshot(
                self.artifact, compiled.overlay, listing.epoch, listing.revision, state, compiled.digest
            )
        applied_at = self.now_ms()
        self.status.note(
            state=state,
            epoch=listing.epoch,
            revision=listing.revision,
            active=compiled.digest,
            applied_at=applied_at,
            applied_ms=None if listing.committed_at is None else max(0, applied_at - listing.committed_at),
            build_ms=build_ms,
            failed=dict(compiled.failed),
            last_error=next(iter(compiled.failed.values()), unkept),
            reloads=self.facts.reloads + 1,
        )
        log.info(
            "bindings applied", revision=listing.revision, active=len(compiled.active), failed=len(compiled.failed)
        )
        return "apply"

    def _guarded(
        self, listing: Listing, items: Any, now: int, previous: Overlay | None, lost: dict[str, str]
    ) -> Compiled | None:
        with self.guard.applying(listing.state, listing.records, self._build) as care:
            if care.refused:
                return None
            return compile_listing(self.artifact, listing, items, now, previous, lost, care.build, care.blamed)

    async def _save(self, good: LastGood) -> str | None:
        """Write the last-known-good file. Returns why that failed."""
        try:
            await self._off_loop(lambda: save(self.path, self.artifact.codebook_sha, good))
        except (OSError, ValueError) as error:  # ValueError: a record that is no UTF-8
            return f"the last-known-good file was not written: {error}"
        return None

    async def _cross_boundaries(self) -> None:
        """`starts_at` and `ends_at`: another active set of the same revision, by this replica's own clock."""
        while True:
            boundary = self.compiled.boundary if self.compiled else None
            wait_s = CLOCK_CHECK_S if boundary is None else (boundary - self.now_ms()) / 1000
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(CLOCK_CHECK_S, max(0.001, wait_s))):
                    await self.status.changed.wait()
            try:
                await self._cross()
            except Exception as error:
                self.status.fail("clock", error)
                await asyncio.sleep(CLOCK_CHECK_S)

    async def _cross(self) -> None:
        async with self._swap:
            good, compiled = self.good, self.compiled
            if good is None or compiled is None:
                return
            now = self.now_ms()
            active = {
                key
                for key, binding in good.listing.bindings.items()
                if binding.lifecycle(now) == "active" and key in good.listing.placed and key not in compiled.failed
            }
            if active == set(compiled.active):
                self.compiled = replace(compiled, boundary=next_boundary(good.listing.bindings.values(), now))
                return
            listing, items = good.listing, good.items
            fresh = await self._off_loop(lambda: self._guarded(listing, items, now, compiled.every, {}))
            if fresh is None:
                return
            self.compiled = fresh
            self.holder.current = replace(self.holder.current, overlay=fresh.overlay, active=fresh.digest)
        self.status.note(active=fresh.digest, failed=dict(fresh.failed))

    async def _beat(self) -> None:
        while True:
            changed = self.status.changed
            with contextlib.suppress(StoreError):
                await self.store.beat(self.replica_id, self.heartbeat())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await changed.wait()

    def heartbeat(self) -> dict[str, Any]:
        """What this replica says about itself in the store."""
        who = {"role": self.role, "model": self.artifact.name, "codebook": self.artifact.codebook_sha}
        return {**who, **self.facts.beat(), "at": self.now_ms()}

    def _touch(self) -> None:
        """The store answered; when it holds what is served here, that is confirmed. A head alone ends no hold."""
        self.status.answered()
        listing = self.listing
        confirmed = listing is None or self._seen == Head(listing.epoch, listing.revision, listing.state)
        if confirmed and not self._held:
            self.status.confirm()

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _pool() -> ThreadPoolExecutor:
    """The thread that compiles; a pool has none before its first work."""
    return ThreadPoolExecutor(1, thread_name_prefix="bindings")
