"""A bounded pool for work that blocks: what does not fit in the queue is refused at once."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from slotbeam.errors import Overloaded

T = TypeVar("T")

Job = Callable[[float], T]
"""Called in a worker thread with the seconds it waited in the queue."""


class Admission:
    """At most `workers` jobs run and `queue` wait; the next is refused with the seconds after which to come back."""

    def __init__(self, workers: int, queue: int) -> None:
        self.workers, self.capacity = workers, workers + queue
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="retrieve")
        self._lock = threading.Lock()
        self._admitted = 0
        self._mean_s = 0.02

    @property
    def depth(self) -> int:
        """Jobs admitted and not finished."""
        return self._admitted

    async def run(self, jobs: Sequence[Job[T]]) -> list[T]:
        """Run `jobs` and return their results in order; all are admitted or none.

        An idle pool admits any number. When one job raises, the others are cancelled and its error is raised.

        Raises:
            Overloaded: the queue cannot take them.
        """
        self._admit(len(jobs))
        futures = [self._submit(job) for job in jobs]
        try:
            return list(await asyncio.gather(*(asyncio.wrap_future(future) for future in futures)))
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """Drop what waits; what runs may end."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _admit(self, count: int) -> None:
        with self._lock:
            if self._admitted and self._admitted + count > self.capacity:
                wait_s = max(1, math.ceil(self._admitted * self._mean_s / self.workers))
                raise Overloaded(
                    f"{self._admitted} queries run or wait and {self.capacity} may; try again in {wait_s} s",
                    retry_after_s=wait_s,
                )
            self._admitted += count

    def _submit(self, job: Job[T]) -> Future[T]:
        submitted = time.perf_counter()

        def run() -> T:
            started = time.perf_counter()
            try:
                return job(started - submitted)
            finally:
                self._mean_s += 0.05 * (time.perf_counter() - started - self._mean_s)

        future = self._pool.submit(run)
        future.add_done_callback(self._release)
        return future

    def _release(self, _: Future[T]) -> None:
        with self._lock:
            self._admitted -= 1
