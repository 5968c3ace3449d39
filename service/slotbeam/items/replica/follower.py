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
from slotbeam.errors import SetupError
from slotbeam.items.replica.judging import judge_items, step_from
from slotbeam.items.replica.lastgood import file_of
from slotbeam.items.replica.livesink import LiveSink
from slotbeam.items.replica.serving import ItemServing, beyond
from slotbeam.items.replica.sink import ItemSink
from slotbeam.items.replica.status import ItemFacts, ItemStatus
from slotbeam.items.store.store import FEED_READ, FeedEntry, ItemsHead, ItemStore, Seen
from slotbeam.search.snapshot import Holder, ServingState
from slotbeam.search.watermark import Watermark

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
        self._syncing = asyncio.Lock()

    # ---------------------------------------------------------------- what others ask

    @property
    def facts(self) -> ItemFacts:
        return self.status.facts

    @property
    def records(self) -> Mapping[str, bytes]:
        """Id → record, as served here."""
        return self.serving.records

    async def ready(self, timeout_s: float = 30.0) -> bool:
        return await self.status.ready(timeout_s)

    async def reached(self, seq: int, timeout_s: float = 5.0) -> bool:
        """Wait until the edit `seq` (or a later one) is served here. False after `timeout_s`."""
        return await self.status.until(lambda facts: facts.seq >= seq, timeout_s)

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
        if self.serving.known is not None:
            self.status.begun.set()
        self.tell()

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
                self.tell()
                await asyncio.sleep(self.pace.draw(0, delay_s))
                delay_s = min(delay_s * 2, longest_s)

    async def _watch(self) -> None:
        """Wait for the feed once, and apply what it says."""
        began = time.monotonic()
        entries = await self.store.feed(self._seen.seq if self._seen else 0)
        async with self._syncing:
            follows = not self._held and self.serving.known is not None and self.serving.known == self._seen
            if entries and follows and await self._advance(entries) is Verdict.APPLY:
                self._seen = self.serving.known
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
            known = self.serving.known.seq if self.serving.known else None
            seen = await self.store.look(known)
            verdict = self._judge(seen)
            if verdict is Verdict.WAIT and self._begins and await self.store.initialise():
                seen = await self.store.look()
                verdict = self._judge(seen)
            if verdict is Verdict.APPLY and seen is not None:
                caught_up = await self._catch_up(seen)
                if caught_up is None:
                    seen, records = await self.store.listing(self.serving.known.seq if self.serving.known else None)
                    verdict = self._judge(seen)
                    if verdict is Verdict.APPLY and seen is not None:
                        caught_up = await self._listed(seen, records)
                verdict = caught_up or verdict
            if verdict.hold:
                self.status.hold(verdict.hold)
            self._seen = self.serving.known if verdict is Verdict.APPLY else seen.head if seen else None
            self._held = verdict.hold is not None
            self.status.begun.set()
            self._touch()

    async def _catch_up(self, seen: Seen) -> Verdict | None:
        """Follow the feed to the head that was seen. Returns None where it does not lead there."""
        while self.serving.known is not None and self.serving.known.seq < seen.head.seq:
            if seen.head.epoch != self.serving.known.epoch:
                return None
            verdict = await self._advance(await self.store.feed(self.serving.known.seq))
            if verdict is not Verdict.APPLY:
                return verdict
        return None if self.serving.known is None else Verdict.APPLY

    async def _advance(self, entries: list[FeedEntry]) -> Verdict | None:
        """Apply entries of the feed. Returns None, with nothing done, where one of them does not follow."""
        step = step_from(self.serving.known, self.serving.records, entries) if self.serving.known else None
        if step is None or not step.lines:
            return None
        verdict = await self.serving.apply(step.changed, step.head, ServingState.LIVE, whole=False, step=step)
        self.tell()
        return verdict

    async def _listed(self, seen: Seen, records: dict[str, bytes]) -> Verdict:
        """Serve a list; where it only adds to what is known, or lets go what the index holds, no more is handed on."""
        if not await asyncio.to_thread(seen.adds_up, records):
            return Verdict.DIVERGED
        log.info("items listed", seq=seen.head.seq, records=len(records))
        known, head, watermark = self.serving.records, self.serving.known, self.status.watermark
        gone = {item_id: data for item_id, data in known.items() if item_id not in records}
        whole = head is None or bool(beyond(watermark, head, gone))
        changed = {item_id: data for item_id, data in records.items() if known.get(item_id) != data}
        handed, state = records if whole else changed, ServingState.LIVE
        return await self.serving.apply(handed, seen.head, state, whole=whole, gone=gone, trimmed=seen.trimmed)

    async def switch(self, sink: LiveSink, switch: int, remember: Callable[[], None]) -> None:
        """Serve another index, with every edit that is served now, in one assignment.

        What takes long is done beside: edits go on being served, and the last of them are caught up with at the end.

        Args:
            sink: of the index, not served yet.
            switch: number of the switch.
            remember: writes to disk that this index is served, before it is.

        Raises:
            OSError: it cannot be remembered.
            StoreError: the index is behind what is served here, and the store does not answer.
            SetupError: the items of the store and the index do not go together.
        """
        ready = self.serving.beside(sink)
        head = self.serving.known
        if head is not None and not self._held and head.seq >= sink.artifact.watermark.seq:
            await ready.hand(head, dict(self.records), self.serving.trimmed)
        async with self._syncing:
            head, records, trimmed = self.serving.known, dict(self.records), self.serving.trimmed
            if head is None or self._held or head.seq < sink.artifact.watermark.seq:
                head, records, trimmed = await self._listed_for(sink.artifact.watermark)
            await ready.hand(head, records, trimmed)
            await self.serving.switch(ready, switch, remember)
            self._held, self._seen = False, head
            self._touch()

    async def _listed_for(self, watermark: Watermark) -> tuple[ItemsHead, dict[str, bytes], int]:
        """Read what the store holds, for an index of that watermark. Raises `StoreError`, `SetupError`."""
        seen, records = await self.store.listing(self.serving.known.seq if self.serving.known else None)
        verdict = judge_items(self.serving.known, seen, watermark)
        follows = seen is not None and verdict in (Verdict.APPLY, Verdict.SAME)
        if seen is None or not follows or not await asyncio.to_thread(seen.adds_up, records):
            raise SetupError(f"the items of the store at {self.store.store.name} do not follow: {verdict}")
        return seen.head, records, seen.trimmed

    def _judge(self, seen: Seen | None) -> Verdict:
        return judge_items(self.serving.known, seen, self.status.watermark)

    def _touch(self) -> None:
        """Note that the store answered, and that it holds what is served if it does."""
        self.status.answered()
        if not self._held and (self.serving.known is None or self._seen == self.serving.known):
            self.status.confirm()
        self.tell()

    def tell(self) -> None:
        """Say in the heartbeat what is known."""
        self._tell(self.status.beat())
