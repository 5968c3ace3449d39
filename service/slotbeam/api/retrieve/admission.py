"""A bounded pool for work that blocks: what does not fit is refused at once, what nobody waits for is never begun."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from slotbeam.errors import Overloaded, QueueTimeout

NEWEST_FIRST_S = 1.0

T = TypeVar("T")

Job = Callable[[float], T]
"""Called in a worker thread with the seconds it waited in the queue."""


class ClientGone(Exception):
    """The client left while its request waited; there is nobody to tell."""


@dataclass(slots=True, eq=False)
class _Request(Generic[T]):
    """Jobs that were asked for together.

    Attributes:
        waiting: jobs that no worker has begun, with their places.
        answers: by place.
        unfinished: how many answers are still to come.
        done: resolves on the event loop to `answers`, or to the first error.
        since: when it came, by `time.perf_counter`.
    """

    waiting: deque[tuple[int, Job[T]]]
    answers: list[T]
    unfinished: int
    done: asyncio.Future[list[T]]
    since: float
    begun: bool = False


_Queued = _Request[Any]
"""Requests of every kind wait in one queue."""


class Admission:
    """At most `workers` jobs run and `queue` wait; the next is refused with the seconds after which to come back.

    Who came first is served first. While requests are dropped because their clients left or their time was over, and
    for `newest_first_s` after the last one, the newest comes first: in a queue that is longer than its clients'
    patience the oldest ones are the next to leave, and to serve them is to answer nobody.

    Args:
        workers: threads.
        queue: jobs that wait at most.
        queue_s: seconds that a request waits at most until the first of its jobs begins.
        newest_first_s: as above, in seconds.
    """

    def __init__(
        self, workers: int, queue: int, queue_s: float = math.inf, newest_first_s: float = NEWEST_FIRST_S
    ) -> None:
        self.workers, self.capacity, self.queue_s = workers, workers + queue, queue_s
        self.newest_first_s = newest_first_s
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="retrieve")
        self._lock = threading.Lock()
        self._queued: deque[_Queued] = deque()
        self._current: _Queued | None = None
        self._admitted = 0
        self._mean_s = 0.02
        self._dropped_at = -math.inf

    @property
    def depth(self) -> int:
        """Jobs admitted and not finished."""
        return self._admitted

    async def run(self, jobs: Sequence[Job[T]], left: Callable[[], Awaitable[None]] | None = None) -> list[T]:
        """Run `jobs` and return their results in order; all are admitted or none.

        An idle pool admits any number. When one job raises, those not begun are dropped and its error is raised.

        Args:
            left: returns once the client is gone. Only asked while a job waits.

        Raises:
            Overloaded: the queue cannot take them.
            QueueTimeout: they waited `queue_s` and none was begun.
            ClientGone: the client left before all of them were begun.
        """
        request: _Request[T] = _Request(
            deque(enumerate(jobs)),
            [None] * len(jobs),  # type: ignore[list-item]
            len(jobs),
            asyncio.get_running_loop().create_future(),
            time.perf_counter(),
        )
        waits = self._admit(request)
        try:
            if waits:
                await self._wait(request, left)
            return await request.done
        finally:
            self._drop(request)

    def close(self) -> None:
        """Drop what waits; what runs may end."""
        with self._lock:
            dropped = [*self._queued, *([self._current] if self._current else [])]
        for request in dropped:
            self._drop(request)
            request.done.cancel()
        self._pool.shutdown(wait=True)

    def _admit(self, request: _Request[T]) -> bool:
        """Queue `request`. Returns whether any of its jobs has to wait for another job."""
        count = len(request.waiting)
        with self._lock:
            if self._admitted and self._admitted + count > self.capacity:
                raise Overloaded(
                    f"{self._admitted} queries run or wait and {self.capacity} may; try again in {self._retry_s} s",
                    retry_after_s=self._retry_s,
                )
            self._admitted += count
            waits = self._admitted > self.workers
            self._queued.append(request)
        for _ in range(count):
            self._pool.submit(self._work)
        return waits

    @property
    def _retry_s(self) -> int:
        return max(1, math.ceil(self._admitted * self._mean_s / self.workers))

    async def _wait(self, request: _Request[T], left: Callable[[], Awaitable[None]] | None) -> None:
        """Wait for `request`; drop what of it is not begun when nobody waits for it any longer."""
        leaving = asyncio.ensure_future(left()) if left is not None else None
        awaited: set[asyncio.Future[list[T]] | asyncio.Future[None]] = (
            {request.done} if leaving is None else {request.done, leaving}
        )
        timeout = None if math.isinf(self.queue_s) else self.queue_s
        try:
            while not request.done.done():
                ended, _ = await asyncio.wait(awaited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if request.done in ended:
                    return
                if leaving in ended:
                    if self._drop(request, impatient=True):
                        raise ClientGone
                    return
                if not request.begun and self._drop(request, impatient=True):
                    raise QueueTimeout(
                        f"no worker was free for {1000 * self.queue_s:g} ms; try again in {self._retry_s} s",
                        retry_after_s=self._retry_s,
                    )
                timeout = None
        finally:
            if leaving is not None:
                leaving.cancel()

    def _drop(self, request: _Request[T], impatient: bool = False) -> int:
        """Take the jobs of `request` that no worker has begun out of the queue. Returns how many these were.

        Args:
            impatient: because its client did not wait any longer, or was not to.
        """
        with self._lock:
            count = len(request.waiting)
            if count:
                request.waiting.clear()
                self._admitted -= count
                if request is self._current:
                    self._current = None
                else:
                    self._queued.remove(request)
                if impatient:
                    self._dropped_at = time.perf_counter()
            return count

    def _take(self) -> tuple[_Queued, int, Job[object]] | None:
        """Take the next job: of the request that is begun, else of the next one; None when nothing waits."""
        with self._lock:
            request = self._current
            if request is None:
                if not self._queued:
                    return None
                newest_first = time.perf_counter() - self._dropped_at < self.newest_first_s
                request = self._queued.pop() if newest_first else self._queued.popleft()
                request.begun = True
            place, job = request.waiting.popleft()
            self._current = request if request.waiting else None
            return request, place, job

    def _work(self) -> None:
        """Run one job in a worker thread; there is a call for each that was admitted, dropped ones included."""
        taken = self._take()
        if taken is None:
            return
        request, place, job = taken
        started = time.perf_counter()
        error: BaseException | None = None
        try:
            request.answers[place] = job(started - request.since)
        except BaseException as raised:  # it is the request's, as with any future
            error = raised
        with self._lock:
            self._mean_s += 0.05 * (time.perf_counter() - started - self._mean_s)
            self._admitted -= 1
            request.unfinished -= 1
            ended = error is not None or request.unfinished == 0
        if ended:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                request.done.get_loop().call_soon_threadsafe(_resolve, request, error)


def _resolve(request: _Request[T], error: BaseException | None) -> None:
    if request.done.done():
        return
    if error is None:
        request.done.set_result(request.answers)
    else:
        request.done.set_exception(error)
