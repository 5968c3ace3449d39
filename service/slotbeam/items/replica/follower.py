"""The replica side of live items: follow the feed, hand on what changed, say what was applied.

What a replica serves follows from what it served before, edit by edit: the digest that each entry of the feed carries
is checked against its own. Nothing here is on the request path.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from slotbeam.background import Background
from slotbeam.bindings.replica.lastgood import folder
from slotbeam.bindings.replica.pace import Pace
from slotbeam.bindings.replica.serving import Verdict
from slotbeam.bindings.store.store import Store
from slotbeam.items.record import Digest
from slotbeam.items.replica.judging import judge_items, step_from
from slotbeam.items.replica.lastgood import file_of
from slotbeam.items.replica.serving import ItemServing
from slotbeam.items.replica.sink import ItemSink
from slotbeam.items.replica.status import ItemFacts, ItemStatus
from slotbeam.items.store.store import FEED_READ, FeedEntry, ItemsHead, ItemStore, Seen
from slotbeam.search.snapshot import Holder, ServingState

log = structlog.get_logger("slotbeam.items")


class Follower:
    """Keeps a sink at the store's newest items.

    Args:
        store: to follow.
        holder: whose snapshot says which items it holds.
        data_dir: where the last-known-good file lives.
        role: `data` or `admin`: that one gives a new, empty store its epoch.
        process: which of the processes of this role in the data directory it is; each has a file of its own.
        sink: that items are handed to; None keeps the records only.
        tell: called with the part of a heartbeat that the facts are, whenever they changed.
        now_ms: unix ms.
        pace: how often it does what.
    """

    def __init__(
        self,
        store: Store,
        holder: Holder,
        data_dir: Path,
        role: str,
        sink: ItemSink | None = None,
        tell: Callable[[dict[str, Any]], object] = lambda facts: None,
        process: int = 1,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
        pace: Pace = Pace(),
    ) -> None:
        self.store, self.pace = ItemStore(store), pace
        self.status = ItemStatus(holder)
        self.background = Background()
        path = folder(data_dir) / file_of(role, process)
        self.serving = ItemServing(path, self.status, sink, now_ms, pace.check_s)
        self._begins, self._tell = role == "admin", tell
        self._seen: ItemsHead | None = None
        self._held = self._booted = False
        self._ready = asyncio.Event()
        self._syncing = asyncio.Lock()

    # ---------------------------------------------------------------- what others ask

    @property
    def facts(self) -> ItemFacts:
        return self.status.facts

    @property
    def records(self) -> Mapping[str, bytes]:
        """Id → record of every item that was edited, as served here."""
        return self.serving.records

    async def ready(self, timeout_s: float = 30.0) -> bool:
        """Wait for a list or a file. False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            return False
        return True

    async def reached(self, seq: int, timeout_s: float = 5.0) -> bool:
        """Wait until the edit `seq` (or a later one) is served here. False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.facts.seq < seq:
                    await self.status.changed.wait()
        except TimeoutError:
            return False
        return True

    @property
    def _known(self) -> ItemsHead | None:
        return self.serving.known

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Follow the store until cancelled. No error of the store, of a record or of the disk ends it."""
        try:
            if not self._booted:
                await self.boot()
            await self.background.keep("items-follow", self._follow)
        finally:
            self.serving.close()

    async def boot(self) -> None:
        """Serve the last known good items before the store is asked; `run` does so unless it was done."""
        self._booted = True
        for problem in await self.serving.boot():
            self.status.note(last_error=problem)
            log.warning("last-known-good items", problem=problem)
        if self._known is not None:
            self._ready.set()
        self._say()

    async def _follow(self) -> None:
        first_s, longest_s = self.pace.backoff_s
        delay_s = first_s
        while True:
            try:
                await self.sync()
                delay_s = first_s
                due = time.monotonic() + self.pace.check_s * self.pace.draw(0.8, 1.2)
                while time.monotonic() < due:
                    await self._watch()
            except Exception as error:  # a bug as well: what is served stays, and the store is tried again
                self.status.degrade(error)
                self._say()
                await asyncio.sleep(self.pace.draw(0, delay_s))
                delay_s = min(delay_s * 2, longest_s)

    async def _watch(self) -> None:
        """Wait for the feed once, and apply what it says."""
        began = time.monotonic()
        entries = await self.store.feed(self._seen.seq if self._seen else 0)
        follows = not self._held and self._known is not None and self._known == self._seen
        if entries and follows and await self._advance(entries) is Verdict.APPLY:
            self._seen = self._known
            if len(entries) < FEED_READ:  # else there are more, and it is behind
                self._touch()
            return
        if entries or await self.store.head() != self._seen:
            await self.sync()
        else:
            self._touch()
        if time.monotonic() - began < self.pace.hint_s:  # a feed ahead of the head hints again and again
            await asyncio.sleep(self.pace.hint_s)

    async def sync(self) -> None:
        """Look, judge, catch up or list; one at a time. Raises `StoreError` when the store does not answer."""
        async with self._syncing:
            known = self._known.seq if self._known else None
            seen = await self.store.look(known)
            verdict = judge_items(self._known, seen)
            if verdict is Verdict.WAIT and self._begins and await self.store.initialise():
                seen = await self.store.look()
                verdict = judge_items(self._known, seen)
            if verdict is Verdict.APPLY and seen is not None:
                caught_up = await self._catch_up(seen)
                if caught_up is None:
                    seen, records = await self.store.listing(self._known.seq if self._known else None)
                    verdict = judge_items(self._known, seen)
                    if verdict is Verdict.APPLY and seen is not None:
                        caught_up = await self._listed(seen, records)
                verdict = caught_up or verdict
            if verdict.hold:
                self.status.hold(verdict.hold)
            self._seen = self._known if verdict is Verdict.APPLY else seen.head if seen else None
            self._held = verdict.hold is not None
            self._ready.set()
            self._touch()

    async def _catch_up(self, seen: Seen) -> Verdict | None:
        """Follow the feed to the head that was seen. Returns None where it does not lead there."""
        while self._known is not None and self._known.seq < seen.head.seq:
            if seen.head.epoch != self._known.epoch:
                return None
            verdict = await self._advance(await self.store.feed(self._known.seq))
            if verdict is not Verdict.APPLY:
                return verdict
        return None if self._known is None else Verdict.APPLY

    async def _advance(self, entries: list[FeedEntry]) -> Verdict | None:
        """Apply entries of the feed. Returns None, with nothing done, where one of them does not follow."""
        step = step_from(self._known, self.serving.records, entries) if self._known else None
        if step is None or not step.lines:
            return None
        verdict = await self.serving.apply(step.changed, step.head, ServingState.LIVE, whole=False, step=step)
        self._say()
        return verdict

    async def _listed(self, seen: Seen, records: dict[str, bytes]) -> Verdict:
        """Serve a list; where it only adds to what is known, no more than that is handed on."""
        digest = await asyncio.to_thread(lambda: str(Digest.of(records.values())))
        if digest != seen.head.digest:
            return Verdict.DIVERGED
        log.info("items listed", seq=seen.head.seq, records=len(records))
        whole = self._known is None or not records.keys() >= self.serving.records.keys()
        changed = {item_id: data for item_id, data in records.items() if self.serving.records.get(item_id) != data}
        handed = records if whole else changed
        return await self.serving.apply(handed, seen.head, ServingState.LIVE, whole=whole)

    def _touch(self) -> None:
        """Note that the store answered, and that it holds what is served if it does."""
        self.status.answered()
        if not self._held and (self._known is None or self._seen == self._known):
            self.status.confirm()
        self._say()

    def _say(self) -> None:
        self._tell(self.facts.beat())
