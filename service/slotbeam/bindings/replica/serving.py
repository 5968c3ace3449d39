"""What a replica serves: the verdict on a listing, then its compiled form, on disk first: one reference is assigned."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import structlog

from slotbeam.bindings.binding import ItemLists, Lifecycle, next_boundary
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.compiling import WHATEVER_INDEX, Compiled, compile_listing
from slotbeam.bindings.replica.crashguard import CrashGuard
from slotbeam.bindings.replica.lastgood import LastGood, load_newest
from slotbeam.bindings.replica.overlay import Build
from slotbeam.bindings.replica.status import Status
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, Overlay, ServingState

Keep = Callable[[Path, str, LastGood], None]
"""Writes a last-known-good file, as `lastgood.save` does."""

T = TypeVar("T")
log = structlog.get_logger("slotbeam.bindings")


class Verdict(StrEnum):
    """What a replica does with a listing.

    `apply`        serve it
    `same`         nothing: it is served already
    `wait`         nothing: none is known, and none is there
    `hold:<why>`   keep what is served
    """

    APPLY = "apply"
    SAME = "same"
    WAIT = "wait"
    NO_EPOCH = ServingState.NO_EPOCH.value
    REGRESSED = ServingState.REGRESSED.value
    DIVERGED = ServingState.DIVERGED.value
    CRASHED = ServingState.CRASHED.value
    INDEX = ServingState.INDEX.value

    @property
    def hold(self) -> ServingState | None:
        """The state that it puts the replica in; None when it is no hold."""
        return ServingState(self.value) if self.startswith("hold:") else None


def judge(known: Listing | None, seen: Listing | None) -> Verdict:
    """Decide what to do about `seen` after `known`.

    A hold keeps what is served. Recovery from one is a new epoch at a higher revision, or the store coming back.
    """
    if seen is None:
        return Verdict.WAIT if known is None else Verdict.NO_EPOCH
    if not seen.verify() or not seen.logged():
        return Verdict.DIVERGED
    if known is None:
        return Verdict.APPLY
    if seen.revision < known.revision:
        return Verdict.REGRESSED
    if seen.revision == known.revision:
        same = (seen.epoch, seen.state, seen.slots) == (known.epoch, known.state, known.slots)
        # No digest is over the slots, but each change of them is a revision.
        return Verdict.SAME if same else Verdict.DIVERGED
    if seen.epoch == known.epoch and seen.known_state not in (None, known.state):
        return Verdict.DIVERGED  # the log remembers another state at the revision we know
    if seen.epoch != known.epoch and not known.revision < seen.began <= seen.revision:
        return Verdict.DIVERGED  # no restore: a store that began anew and was edited until it went past us
    return Verdict.APPLY


class Serving:
    """Swaps `holder.current`, and remembers what it was made of.

    Args:
        holder: whose `current` is swapped.
        artifact: the base that bindings are compiled against.
        path: of the last-known-good file.
        status: that is told what is served from now on.
        now_ms: the clock that decides which bindings are active.
        build: builds overlays.
        keep: writes the last-known-good file.

    Attributes:
        good: the listing that is served and its item lists; None before any.
        compiled: what was made of it.
    """

    def __init__(
        self,
        holder: Holder,
        artifact: Artifact,
        path: Path,
        status: Status,
        now_ms: Callable[[], int],
        *,
        build: Build,
        keep: Keep,
    ) -> None:
        self.path = path
        self.guard = CrashGuard(path.with_name(path.name + ".applying"))
        self.good: LastGood | None = None
        self.compiled: Compiled | None = None
        self._holder, self._artifact, self._status = holder, artifact, status
        self._now_ms, self._build, self._keep = now_ms, build, keep
        self._swap = asyncio.Lock()
        self._pool = _pool()

    async def boot(self) -> bool:
        """Serve the last known good bindings. Returns whether there were any that could be."""
        good, is_own, problems = await self._off_loop(lambda: load_newest(self.path, self._artifact.codebook_sha))
        for problem in problems:
            self._status.note(last_error=problem)
            log.warning("last-known-good file", problem=problem)
        if good is None:
            return False
        if not is_own and (unkept := await self._save(good)):
            log.warning("last-known-good file", problem=unkept)
        return await self.apply(good.listing, good.items, {}, ServingState.DEGRADED) is Verdict.APPLY

    async def apply(self, listing: Listing, items: ItemLists, lost: Mapping[str, str], state: ServingState) -> Verdict:
        """Compile `listing`, keep it on disk, then assign one reference and report the revision.

        In this order a revision that was reported is served, also by the next process, whenever this one is killed.

        Args:
            items: the item lists that it names, as far as they could be read.
            lost: item list hash → why it could not be read.
            state: `live` when the store holds it now; `degraded` when it is from the file, which is then not written.

        Returns:
            `APPLY`, or `CRASHED` with nothing changed but the state: it killed this process again and again.
        """
        # The clock swaps, too (`cross`): whoever comes second would assign what was compiled for an older listing.
        async with self._swap:
            began = time.perf_counter()
            previous = self.compiled.every if self.compiled else None
            now = self._now_ms()
            compiled = await self._off_loop(lambda: self._guarded(listing, items, now, previous, lost))
            if compiled is None:
                self._status.hold(ServingState.CRASHED)
                return Verdict.CRASHED
            build_ms = (time.perf_counter() - began) * 1000
            good = LastGood(listing, items)
            # A disk that is full costs the boot without a store, not the edit: it is told, and served all the same.
            unkept = await self._save(good) if state is ServingState.LIVE else None
            self.good, self.compiled = good, compiled
            self._holder.current = replace(  # what else hangs on the snapshot has writers of its own
                self._holder.current,
                overlay=compiled.overlay,
                epoch=listing.epoch,
                revision=listing.revision,
                state=state,
                active=compiled.digest,
            )
        applied_at = self._now_ms()
        self._status.note(
            state=state,
            epoch=listing.epoch,
            revision=listing.revision,
            active=compiled.digest,
            applied_at=applied_at,
            applied_ms=None if listing.committed_at is None else max(0, applied_at - listing.committed_at),
            build_ms=build_ms,
            failed=dict(compiled.failed),
            cut=compiled.cut,
            last_error=next(iter(compiled.failed.values()), unkept),
            reloads=self._status.facts.reloads + 1,
        )
        log.info(
            "bindings applied", revision=listing.revision, active=len(compiled.active), failed=len(compiled.failed)
        )
        return Verdict.APPLY

    async def cross(self) -> None:
        """Serve what is active now: another set of the same revision once a `starts_at` or `ends_at` went by."""
        async with self._swap:
            good, compiled = self.good, self.compiled
            if good is None or compiled is None:
                return
            now = self._now_ms()
            active = {
                binding_id
                for binding_id, binding in good.listing.bindings.items()
                if binding.lifecycle(now) is Lifecycle.ACTIVE
                and (binding.is_rule or binding_id in good.listing.placed)
                and binding_id not in compiled.failed
            }
            # Most wakings change nothing: the clock is read every second, as it may have been set.
            if active == set(compiled.active):
                self.compiled = replace(compiled, boundary=next_boundary(good.listing.bindings.values(), now))
                return
            listing, items = good.listing, good.items
            fresh = await self._off_loop(lambda: self._guarded(listing, items, now, compiled.every, {}))
            if fresh is None:
                return
            self.compiled = fresh
            self._holder.current = replace(self._holder.current, overlay=fresh.overlay, active=fresh.digest)
        self._status.note(active=fresh.digest, failed=dict(fresh.failed), cut=fresh.cut)

    async def swap_items(self, make: Callable[[], tuple[Artifact, AbstractSet[str] | None]], seq: int) -> None:
        """Serve another version of the catalog, and bindings with the items that it holds, in one assignment.

        Args:
            make: returns the artifact of that version, and the ids of items that changed since the one before; None:
                rows are numbered anew. Called off the event loop; what it raises is raised, with nothing changed.
            seq: of the newest edit in it.
        """
        async with self._swap:
            artifact, changed = await self._off_loop(make)
            before = self.compiled
            if before is not None:
                self.compiled = await self._off_loop(lambda: self._with_items(before, artifact, changed))
            self._artifact = artifact
            now = self._holder.current
            overlay = self.compiled.overlay if self.compiled else now.overlay
            active = self.compiled.digest if self.compiled else now.active
            self._holder.current = replace(
                now, artifact=artifact, overlay=overlay, active=active, items=replace(now.items, seq=seq)
            )
        if self.compiled is not None:
            self._status.note(cut=self.compiled.cut, active=active, failed=dict(self.compiled.failed))

    def rest(self) -> None:
        """Drop what is not compiled yet; whatever is asked afterwards begins anew."""
        pool, self._pool = self._pool, _pool()
        pool.shutdown(wait=False, cancel_futures=True)

    def _guarded(
        self, listing: Listing, items: ItemLists, now: int, previous: Overlay | None, lost: Mapping[str, str]
    ) -> Compiled | None:
        with self.guard.applying(listing.state, listing.records, self._build) as care:
            if care.refused:
                return None
            given = (self._artifact, listing, items, now, previous, lost, care.build, care.blamed, care.name)
            return compile_listing(*given)

    def _with_items(self, before: Compiled, artifact: Artifact, changed: AbstractSet[str] | None) -> Compiled:
        """Return what is served for another version of the catalog; see `swap_items`."""
        if changed is not None or self.good is None:
            return before.with_items(artifact, changed or set())
        # The fields of another index may be others, too: as a replica has it that starts with this one.
        kept_out = {key: why for key, why in before.failed.items() if why.startswith(WHATEVER_INDEX)}
        listing, items = self.good.listing, self.good.items
        return compile_listing(artifact, listing, items, self._now_ms(), build=self._build, blamed=kept_out)

    async def _save(self, good: LastGood) -> str | None:
        """Write the last-known-good file. Returns why that failed."""
        try:
            await self._off_loop(lambda: self._keep(self.path, self._artifact.codebook_sha, good))
        except (OSError, ValueError) as error:  # ValueError: a record that is no UTF-8
            return f"the last-known-good file was not written: {error}"
        return None

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _pool() -> ThreadPoolExecutor:
    """Make the thread that compiles; a pool has none before its first work."""
    return ThreadPoolExecutor(1, thread_name_prefix="bindings")
