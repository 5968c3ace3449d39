"""The replica side: follow the store, compile off the event loop, swap one reference, say what was applied.

The stream is a hint, the revision is the truth. Nothing here is on the request path, and nothing the store does can
take the snapshot away: whatever goes wrong, `holder.current` keeps the last good one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slotbeam.background import Background
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.compiling import Compiled
from slotbeam.bindings.replica.lastgood import LastGood, file_name, folder, save
from slotbeam.bindings.replica.overlay import Build, build_overlay
from slotbeam.bindings.replica.pace import Pace
from slotbeam.bindings.replica.serving import Keep, Serving, Verdict, judge
from slotbeam.bindings.replica.status import Facts, Status
from slotbeam.bindings.store.replies import Head
from slotbeam.bindings.store.store import Store
from slotbeam.errors import StoreError
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, ServingState


class Watcher:
    """Keeps `holder.current` at the store's newest revision.

    Args:
        store: to follow.
        holder: whose `current` is swapped.
        artifact: the base that bindings are compiled against.
        data_dir: where the last-known-good file lives.
        replica_id: this replica's name in heartbeats.
        clock: unix seconds; `starts_at` and `ends_at` are judged by it.
        role: `data` or `admin`.
        process: which of the processes of this role in the data directory it is; each has a last-known-good file.
        pace: how often it does what.
        build: builds overlays.
        keep: writes the last-known-good file.
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
        process: int = 1,
        pace: Pace = Pace(),
        build: Build = build_overlay,
        keep: Keep = save,
    ) -> None:
        self.store, self.holder, self.artifact = store, holder, artifact
        self.replica_id, self.role, self.pace = replica_id, role, pace
        self.status = Status(holder)
        self.background = Background()
        self._clock = clock
        path = folder(data_dir) / file_name(role, artifact.codebook_sha, process)
        self.serving = Serving(holder, artifact, path, self.status, self.now_ms, build=build, keep=keep)
        self._seen: Head | None = None
        self._held = self._booted = False
        self._syncing = asyncio.Lock()

    # ---------------------------------------------------------------- what others ask

    @property
    def facts(self) -> Facts:
        return self.status.facts

    @property
    def good(self) -> LastGood | None:
        """The listing that is served and its item lists; None before any."""
        return self.serving.good

    @property
    def compiled(self) -> Compiled | None:
        """What was made of `good`."""
        return self.serving.compiled

    @property
    def listing(self) -> Listing | None:
        """The listing that is served; None before any."""
        return self.good.listing if self.good else None

    def now_ms(self) -> int:
        return int(self._clock() * 1000)

    async def ready(self, timeout_s: float = 30.0) -> bool:
        """Wait for a list or a file (a store that was never written to counts). False after `timeout_s`."""
        return await self.status.ready(timeout_s)

    async def reached(self, revision: int, timeout_s: float = 5.0) -> bool:
        """Wait until `revision` (or a later one) is served here. False after `timeout_s`."""
        return await self.status.until(lambda facts: facts.revision >= revision, timeout_s)

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
            self.serving.rest()
            with contextlib.suppress(StoreError, TimeoutError):
                async with asyncio.timeout(0.5):  # a store that is gone must not hold up the end of the process
                    await self.store.forget(self.replica_id)

    async def boot(self) -> None:
        """Serve the last known good bindings before the store is asked; `run` does so unless it was done."""
        self._booted = True
        if await self.serving.boot():
            self.status.begun.set()

    async def _follow(self) -> None:
        first_s, longest_s = self.pace.backoff_s
        delay_s = first_s
        while True:
            try:
                await self.sync()
                delay_s = first_s
                # Everything is read again now and then: a record that was changed past the log moves no revision.
                due = time.monotonic() + self.pace.check_s * self.pace.draw(0.8, 1.2)
                while time.monotonic() < due:
                    hinted = time.monotonic()
                    await self.store.changed(self._seen.revision if self._seen else 0)
                    if await self.store.head() != self._seen:
                        await self.sync(whole=False)
                        continue
                    self._touch()
                    # A log that is ahead of the revision hints at once, again and again: do not spin on it.
                    if time.monotonic() - hinted < self.pace.hint_s:
                        await asyncio.sleep(self.pace.hint_s)
            except Exception as error:  # a bug as well: what is served stays, and the store is tried again
                self.status.degrade(error)
                await asyncio.sleep(self.pace.draw(0, delay_s))
                delay_s = min(delay_s * 2, longest_s)

    async def sync(self, *, whole: bool = True) -> None:
        """List, judge, apply; one at a time. Raises `StoreError` when the store does not answer.

        Args:
            whole: read every record again, and not only those that the log says were edited; so does a replica on hold.
        """
        async with self._syncing:
            while not await self._sync(whole):
                pass

    async def _sync(self, whole: bool) -> bool:
        """List, judge, apply once. Returns False when what was read went stale under the reader."""
        known = self.good.listing if self.good else None
        seen = await self.store.read(self.artifact.codebook_sha, known, whole=whole or self._held)
        verdict = judge(known, seen)
        if verdict.hold:
            self.status.hold(verdict.hold)
        elif verdict is Verdict.APPLY and seen is not None:
            items, lost = await self._items(seen)
            # Lists are read after the listing. One that is gone is a failure only if the listing still stands:
            # the commit that made a newer one lets the lists go that only the older one named.
            if lost and await self.store.head() != Head(seen.epoch, seen.revision, seen.state):
                return False
            verdict = await self.serving.apply(seen, items, lost, ServingState.LIVE)
        elif verdict is Verdict.SAME and seen is not None and self.good is not None:
            items, lost = await self._items(seen)
            if set(items) - set(self.good.items):
                verdict = await self.serving.apply(seen, items, lost, ServingState.LIVE)  # a lost item list is back
        # Remembered whatever the verdict: a store on hold is judged anew when its head moves, not at each hint.
        self._seen = Head(seen.epoch, seen.revision, seen.state) if seen else None
        self._held = verdict.hold is not None
        self.status.begun.set()
        self._touch()
        return True

    async def _items(self, listing: Listing) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        """Read the item lists of a listing: those already here, and the rest from the store."""
        wanted = {binding.items for binding in listing.bindings.values()}
        # A list is named by its hash, so one that is here never needs to be read again.
        have = {sha: ids for sha, ids in (self.good.items if self.good else {}).items() if sha in wanted}
        found, lost = await self.store.items(wanted - set(have))
        return {**have, **found}, lost

    async def _cross_boundaries(self) -> None:
        """Serve another active set of the revision at each `starts_at` and `ends_at`, by this replica's own clock."""
        check_s = self.pace.clock_check_s
        while True:
            boundary = self.compiled.boundary if self.compiled else None
            wait_s = check_s if boundary is None else (boundary - self.now_ms()) / 1000
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(check_s, max(0.001, wait_s))):
                    await self.status.changed.wait()  # a revision may bring a sooner boundary
            try:
                await self.serving.cross()
            except Exception as error:
                self.status.fail("clock", error)
                await asyncio.sleep(check_s)

    async def _beat(self) -> None:
        while True:
            # Taken before the facts are read: a change while the store is told them is told right after.
            changed = self.status.changed
            with contextlib.suppress(StoreError):
                await self.store.beat(self.replica_id, self.heartbeat())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.pace.beat_s):
                    await changed.wait()

    def heartbeat(self) -> dict[str, Any]:
        """Return what this replica says about itself in the store."""
        who = {"role": self.role, "model": self.artifact.name, "codebook": self.artifact.codebook_sha}
        return {**who, **self.facts.beat(), "at": self.now_ms()}

    def _touch(self) -> None:
        """Note that the store answered, and that it holds what is served if it does. A head alone ends no hold."""
        self.status.answered()
        listing = self.listing
        confirmed = listing is None or self._seen == Head(listing.epoch, listing.revision, listing.state)
        if confirmed and not self._held:
            self.status.confirm()
