"""What the control plane's requests share: a full read replica, the store to write to, tokens, two background jobs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from typing import TypeVar

import structlog
from starlette.requests import Request

from slotbeam.access.audit import Trail
from slotbeam.access.auth import Principal, Tokens
from slotbeam.api.admin.authors import Authors
from slotbeam.api.http.integrity import Integrity
from slotbeam.api.http.query import refuse_undeclared
from slotbeam.bindings.edits.wanted import MakeChange, expire
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.pace import Pace
from slotbeam.bindings.replica.watch import Watcher
from slotbeam.bindings.store.commit import Committed, commit, earlier
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.address import is_strict, store_url
from slotbeam.errors import NotFound, StoreError, StoreUnavailable
from slotbeam.items.replica.follower import Follower
from slotbeam.items.replica.indexes import Indexes
from slotbeam.items.replica.replica import LiveReplica
from slotbeam.items.replica.trimming import feed_needed, trim_held
from slotbeam.items.store.commit import FEED_KEPT
from slotbeam.items.switch import IndexMark
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, ServingState
from slotbeam.settings import Settings
from slotbeam.suggestions.bursts import Counts, merge, read_counts
from slotbeam.suggestions.guess import Guesser
from slotbeam.suggestions.trends import BUCKET_S

T = TypeVar("T")
log = structlog.get_logger("slotbeam.admin")


class AdminPlane:
    """`app.state.plane` of the control plane.

    Args:
        settings: where the store, the data directory and the admin token are.
        holder: the snapshot that previews read; the plane's own watcher swaps it.
        clock: unix seconds.
        pace: how often its replica does what.
    """

    def __init__(
        self, settings: Settings, holder: Holder, clock: Callable[[], float] = time.time, pace: Pace = Pace()
    ) -> None:
        self.settings, self.holder, self.pace = settings, holder, pace
        self.integrity = Integrity(holder)
        self.tokens = Tokens(settings, clock)
        self.trail = Trail(settings.data_dir)
        self.authors = Authors(lambda: self.store)
        self.clock = clock
        self.feed_kept = FEED_KEPT
        self._guesser = lru_cache(1)(lambda index: Guesser(index.kae, index.catalog, texts=index.texts))
        self.pool = ThreadPoolExecutor(2, thread_name_prefix="admin")

    @property
    def artifact(self) -> Artifact:
        """What is served here: with the items that were edited."""
        return self.holder.current.artifact

    @property
    def base(self) -> Artifact:
        """The index that is served here, without edits."""
        return self.replica.indexes.index

    @property
    def served(self) -> IndexMark:
        """The index that is served here, as the store would name it."""
        return IndexMark.of(self.base)

    def guesser(self) -> Guesser:
        """Return what guesses items for a word; it learns at the first call of an index."""
        return self._guesser(self.base)

    @cached_property
    def replica(self) -> LiveReplica:
        """The plane's own replica, of the store that edits are written to; without a store its document is still made.

        Raises:
            SetupError: there is no store, or its URL or its CA cannot be used.
        """
        settings = self.settings
        url = store_url(settings.redis_url, settings.data_dir)
        store = Store(url, strict=is_strict(settings.strict, url, settings.data_dir), ca=settings.redis_ca)
        name, role, indexes = settings.replica_id, "admin", Indexes.of(settings)
        return LiveReplica(
            store, self.holder, settings.data_dir, name, self.clock, role=role, pace=self.pace, indexes=indexes
        )

    @property
    def follower(self) -> Follower:
        """What follows the items."""
        return self.replica.items

    @property
    def store(self) -> Store:
        return self.replica.store

    @property
    def watcher(self) -> Watcher:
        return self.replica.watcher

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    def caller(self, *scopes: str) -> Callable[[Request], Awaitable[Principal]]:
        """Make a dependency of every route under `/admin`: who sends the request, if they have one of `scopes`.

        Query parameters come second, whoever has no token learns nothing of them and the audit knows who misspelt one.
        """

        async def who(request: Request) -> Principal:
            found = self.tokens.principal(request, *scopes)
            refuse_undeclared(request)
            return found

        return who

    async def off_loop(self, work: Callable[[], T]) -> T:
        """Run `work` in the plane's own threads."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow and expire; leave nothing behind."""
        try:
            async with self.replica as replica, self.integrity.checking():
                replica.keep("expiry", self._expire)
                replica.keep("items-feed", self._keep_feed)
                yield
        finally:
            self.pool.shutdown(wait=True, cancel_futures=True)

    def restarts(self) -> Mapping[str, int]:
        """Return how often each background task had to begin again."""
        return self.replica.restarts()

    async def listing(self) -> Listing:
        """Read the newest listing: the store's. Raises `StoreUnavailable`."""
        found = await self.store.read(self.artifact.codebook_sha, whole=False)
        if found is None:
            raise StoreUnavailable(f"the store at {self.store.name} holds no epoch yet; try again in a moment")
        return found

    async def counts(self) -> Counts:
        """Read what the replicas counted of live queries, merged. Raises `StoreUnavailable`."""
        return await self.merged(await self.store.stats())

    async def merged(self, documents: Sequence[object]) -> Counts:
        """Merge what the replicas counted of live queries, as they reported it."""

        def added() -> Counts:
            read = (read_counts(document) for document in documents)
            return merge([counts for counts in read if counts is not None], self.now_ms() // 1000 // BUCKET_S)

        return await self.off_loop(added)

    async def commit(
        self, change: MakeChange, items: dict[str, bytes], idempotency_key: str | None, fingerprint: str
    ) -> Committed:
        """Commit, then wait until this replica serves it, so that a read that follows sees it."""
        refuse_on_hold(self.watcher.facts.state, f"revision {self.watcher.facts.revision}")
        done = await commit(
            self.store,
            self.artifact.codebook_sha,
            change,
            items=items,
            lists=self.watcher.good.items if self.watcher.good else {},
            idempotency_key=idempotency_key,
            fingerprint=fingerprint,
        )
        await self.watcher.reached(done.revision, self.pace.own_s)
        return done

    def serves(self, done: Committed) -> bool:
        """Return whether this replica serves a commit that it waited for: it may not have been able to follow."""
        return self.watcher.facts.revision >= done.revision

    async def committed_before(self, idempotency_key: str, fingerprint: str) -> Committed | None:
        """Look up what the idempotency key did; None when it is new, and on hold: the store does not count then."""
        if self.watcher.facts.state.is_hold:
            return None
        async with self.store.write_lock:
            return await earlier(self.store, idempotency_key, fingerprint)

    async def _keep_feed(self) -> None:
        """Let the feed of items be as long as the slowest live replica needs it, and records go that none needs."""
        while True:
            with contextlib.suppress(StoreError):
                told = [beat.get("items") or {} for beat in await self.store.replicas()]
                self.feed_kept = feed_needed(self.follower, told)
                await trim_held(self.follower, told, self.now_ms(), self.feed_kept)
            await asyncio.sleep(self.pace.beat_s)

    async def _expire(self) -> None:
        """Commit `expired → free` once the grace is over."""
        while True:
            wait_s = 30.0
            listing = self.watcher.listing
            held = listing.bindings.values() if listing else ()
            ends = [binding.kept_until for binding in held if binding.kept_until is not None]
            if ends and self.watcher.facts.state is ServingState.LIVE:
                wait_s = min(wait_s, (min(ends) - self.now_ms()) / 1000)
                if wait_s <= 0:
                    wait_s = 1.0
                    try:
                        done = await self.commit(expire("expiry", self.now_ms()), {}, None, "")
                        log.info("expired bindings freed", revision=done.revision, count=len(done.edits))
                        continue
                    except (StoreError, NotFound) as error:
                        log.warning("expiry", error=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(wait_s, 0.01)):
                    await self.watcher.changes()


def refuse_on_hold(state: ServingState, serving: str) -> None:
    """Raise `StoreUnavailable` where the replica is on hold."""
    if state.is_hold:
        raise StoreUnavailable(
            f"writes are refused: this replica is on {state}, the store does not continue {serving}; "
            "nothing was written",
            state=state,
        )
