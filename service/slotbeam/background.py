"""Background work that cannot end unnoticed: when it does, that is logged and counted, and it begins again.

A task that nobody awaits keeps its error to itself, and what it did is simply no longer done. So whatever runs beside
the call that starts it, a task or a process, is kept by a `Background` (tests hold the source to that).

It gives way to requests: in a thread of the lowest priority (`in_low_thread`), or resting between its steps
(`in_turns`), where it would hold the interpreter while it waits for a core.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from slotbeam.errors import SlotbeamError

FIRST_DELAY_S, LAST_DELAY_S = 0.1, 10.0
SETTLED_S = 30.0
_LOWEST = 19
"""Niceness."""
_SHORTEST_S, _LONGEST_S = 0.002, 0.02
"""Of a rest: after less nobody rests, and who waited, for a disk for one, does not rest for as long."""

T = TypeVar("T")

log = structlog.get_logger("slotbeam.background")


async def in_low_thread(work: Callable[[], T]) -> T:
    """Run `work`, that holds no lock for long, the interpreter's included, in a thread that yields to all others.

    The thread is its own: what has the lowest priority keeps it, and would hold up whatever it is given next.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="low", initializer=_yield_to_others)
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, work)
    finally:
        pool.shutdown(wait=False)


def _yield_to_others() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)


@dataclass
class _Turns:
    """Of what works and rests in turns: how it rests, and since when it works."""

    sleep: Callable[[float], object]
    since: float = field(default_factory=time.perf_counter)


_TURNS: ContextVar[_Turns | None] = ContextVar("turns", default=None)


@contextlib.contextmanager
def in_turns(sleep: Callable[[float], object] = time.sleep) -> Iterator[None]:
    """Let what is called in here, also by `asyncio.to_thread`, work and `rest` in turns."""
    token = _TURNS.set(_Turns(sleep))
    try:
        yield
    finally:
        _TURNS.reset(token)


def rest() -> None:
    """Rest, `in_turns`, as long as the steps took since the last rest; else do nothing.

    Called in a thread, between two steps of a few milliseconds. Threads that want the interpreter share it, whatever
    their priority, so what a request does takes twice as long beside one that goes on and on.
    """
    turns = _TURNS.get()
    if turns is None:
        return
    worked = time.perf_counter() - turns.since
    if worked >= _SHORTEST_S:
        turns.sleep(min(worked, _LONGEST_S))
        turns.since = time.perf_counter()


class Ended(Exception):
    """What was kept ended by itself, as a process can. `facts` go into the log."""

    def __init__(self, why: str, **facts: Any) -> None:
        super().__init__(why)
        self.facts = facts


class Background:
    """Everything that one owner keeps running.

    Args:
        settled_s: what lived longer than this begins again without delay when it ends.
        sleep: waits between two lives.

    Attributes:
        restarts: name → how often it began again; whatever was ever kept is here.
    """

    def __init__(
        self, settled_s: float = SETTLED_S, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._settled_s, self._sleep = settled_s, sleep
        self.restarts: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        *,
        once: bool = False,
        last_delay_s: float = LAST_DELAY_S,
    ) -> asyncio.Task[None]:
        """Keep `work` running, beside the caller, until `stop`, or until the task is cancelled. Arguments as `keep`."""
        task = asyncio.create_task(self.keep(name, work, once=once, last_delay_s=last_delay_s), name=name)
        self._tasks.append(task)
        return task

    async def keep(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        *,
        once: bool = False,
        last_delay_s: float = LAST_DELAY_S,
    ) -> None:
        """Keep `work` running until cancelled: later and later when it does not live long.

        Args:
            name: in the log and in `restarts`.
            work: called for each life.
            once: it is done when it returns; else it is not to return either.
            last_delay_s: between two lives at most.
        """
        self.restarts.setdefault(name, 0)
        delay_s = FIRST_DELAY_S
        while True:
            began = time.monotonic()
            error: BaseException | None = None
            try:
                await work()
                if once:
                    return
            except asyncio.CancelledError as cancelled:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                error = cancelled  # of something it waited for; nobody asked this task to end
            except Exception as raised:
                error = raised
            if time.monotonic() - began > self._settled_s:
                delay_s = FIRST_DELAY_S
            self.restarts[name] += 1
            _tell(name, error, delay_s)
            await self._sleep(delay_s)
            delay_s = min(2 * delay_s, last_delay_s)

    async def stop(self) -> None:
        """Cancel what was started, and wait until it is gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()


def _tell(name: str, error: BaseException | None, delay_s: float) -> None:
    expected = error is None or isinstance(error, Ended | SlotbeamError | OSError)
    why = "it returned" if error is None else str(error) or type(error).__name__
    with contextlib.suppress(Exception):  # whatever is wrong with the log, the work goes on
        facts = {"part": name, "why": why, "delay_s": delay_s, **(error.facts if isinstance(error, Ended) else {})}
        log.error("it ended and is started again", **facts, exc_info=None if expected else error)
