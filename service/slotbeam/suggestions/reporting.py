"""The data plane's report on unknown words, on queries without items or clicks, and on bindings.

Requests leave them in bounded inboxes, a background task publishes.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import structlog

from slotbeam.bindings.store.store import Store
from slotbeam.errors import StoreError
from slotbeam.search.unknown import is_countable
from slotbeam.suggestions.trends import BUCKET_S, RECENT, TrendCounter
from slotbeam.suggestions.unanswered import Askers, UnansweredCounter
from slotbeam.suggestions.unclicked import UnclickedCounter

REPORT_S = 10.0
INBOX = 20_000

log = structlog.get_logger("slotbeam.api")


class TrendReporter:
    """Counts what requests note and publishes it every `every_s` seconds; nothing here waits on a request's path.

    Args:
        clock: unix seconds; names the bucket that a drained query counts in.
        every_s: between two reports.
        activity: returns what became of queries that triggered bindings (`activity.py`).
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        every_s: float = REPORT_S,
        activity: Callable[[], Mapping[str, Sequence[int]]] = dict,
    ) -> None:
        self.counter = TrendCounter()
        self.every_s = every_s
        self.clock = clock
        self._activity = activity
        self._unpublished = False
        self._inbox: deque[tuple[str, tuple[str, ...], int | None]] = deque(maxlen=INBOX)
        self.unanswered = UnansweredCounter()
        self._askers = Askers(lambda: self.clock())
        self._left: deque[tuple[str, int]] = deque(maxlen=INBOX)
        self.unclicked = UnclickedCounter()
        self._answered: deque[tuple[bytes, str, int]] = deque(maxlen=INBOX)
        self._clicks: deque[bytes] = deque(maxlen=INBOX)

    def note(self, query: str, unknown: Sequence[str], caller: str = "") -> None:
        """Leave a query's unknown words: one append to a bounded deque. When it is full the oldest query is lost.

        `caller` names who asked it, which is not kept; "" where nobody said, then each query counts. An address is no
        name: behind a shop's own backend all queries come from one.
        """
        asker = self._askers.asker(caller) if caller and unknown else None
        self._inbox.append((query, tuple(word for word in unknown if is_countable(word)), asker))

    def note_unanswered(self, query: str, caller: str) -> None:
        """Leave a canonical query that got no items, likewise; who asked it, an address or a name, is not kept."""
        self._left.append((query, self._askers.asker(caller)))

    def note_answered(self, mark: bytes, query: str, caller: str) -> None:
        """Leave a canonical query that got items, and the mark that its clicks bring, likewise."""
        self._answered.append((mark, query, self._askers.asker(caller)))

    def note_click(self, mark: bytes) -> None:
        """Leave that somebody took an item of an answer to the query of `mark`."""
        self._clicks.append(mark)

    def drain(self) -> int:
        """Count what was noted; returns how many queries and clicks that were."""
        bucket, drained = int(self.clock()) // BUCKET_S, 0
        if bucket < self.counter.bucket - RECENT:  # the clock had been far ahead: what was counted then has no place
            self.counter = TrendCounter()
        self.counter.advance(bucket)
        while self._inbox and drained < INBOX:
            query, words, asker = self._inbox.popleft()
            self.counter.add(query, words, bucket, asker)
            drained += 1
        now_s = int(self.clock())
        self.unanswered.advance(now_s)
        for _ in range(len(self._left)):
            self.unanswered.add(*self._left.popleft(), now_s)
        self.unclicked.advance(now_s)
        for _ in range(len(self._answered)):
            self.unclicked.add(*self._answered.popleft(), now_s)
        clicks = len(self._clicks)
        for _ in range(clicks):
            self.unclicked.click(self._clicks.popleft())
        return drained + clicks

    async def report(self, store: Store, replica: str) -> bool:
        """Drain, then publish if there is news. Raises `StoreError`; what was counted stays for the next report."""
        if not await asyncio.to_thread(self.drain) and not self._unpublished:
            return False
        self._unpublished = True
        await store.publish_stats(replica, await asyncio.to_thread(self._document))
        self._unpublished = False
        return True

    def _document(self) -> dict[str, object]:
        queries = {"unanswered": self.unanswered.document(), "unclicked": self.unclicked.document()}
        return {**self.counter.document(), **queries, "bindings": self._activity()}

    async def run(self, store: Store, replica: str) -> None:
        """Report for ever; a store that does not answer costs suggestions, nothing else."""
        while True:
            await asyncio.sleep(self.every_s)
            try:
                await self.report(store, replica)
            except StoreError as error:
                log.debug("trends not published", error=str(error))
            except Exception as error:
                log.error("trends. This is a bug; suggestions may be missing", error=repr(error))
