"""What has planes below it: how it waits until they serve, hears that it is to end, and ends them in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from slotbeam.background import Background, Ended
from slotbeam.cli.child import Child
from slotbeam.errors import SetupError, SlotbeamError

SAY_AFTER_S = 5.0
PROBE_S = 0.05

log = structlog.get_logger("slotbeam.up")


class Parent:
    """Keeps children running until SIGTERM or SIGINT.

    Args:
        drain_s: that children take to end after SIGTERM, at most.
        stop_s: that they take beside.

    Attributes:
        background: what keeps them.
        stop: set once it is asked to end.
    """

    def __init__(self, drain_s: float, stop_s: float) -> None:
        self.children: list[Child] = []
        self.background = Background()
        self.stop = asyncio.Event()
        self._drain_s, self._stop_s, self._drains = drain_s, stop_s, False
        self._kept: dict[Child, asyncio.Task[None]] = {}
        self._again = asyncio.Event()

    def hear_signals(self) -> None:
        """With SIGTERM children drain first; with SIGINT (Ctrl-C), or another signal, they end at once.

        SIGHUP calls `replace`; of a terminal it means that this was closed, and ends everything at once.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_end, number)
        if not os.isatty(0):
            loop.add_signal_handler(signal.SIGHUP, self._again.set)

    async def until(
        self, child: Child, ready: Callable[[], Awaitable[bool]], timeout_s: float, waiting: str | None = None
    ) -> bool:
        """Wait until `ready`, or until the parent is asked to end. Returns whether it is ready.

        Args:
            waiting: said once it takes long.

        Raises:
            SetupError: the child ends first, or it takes longer than `timeout_s`.
        """
        began = time.monotonic()
        assert child.process is not None
        ended = asyncio.create_task(child.process.wait())
        stopped = asyncio.create_task(self.stop.wait())
        try:
            while (waited_s := time.monotonic() - began) < timeout_s:
                if waited_s > SAY_AFTER_S and waiting:
                    log.info(waiting, part=child.name)
                    waiting = None
                probe = asyncio.ensure_future(ready())
                await asyncio.wait({ended, stopped, probe}, return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    probe.cancel()
                    raise SetupError(
                        f"{child.name} ended with status {ended.result()} before it was ready; its message is above"
                    )
                if stopped.done() or probe.result():
                    probe.cancel()
                    return not stopped.done()
                await asyncio.sleep(PROBE_S)
            raise SetupError(f"{child.name} was not ready within {timeout_s:g} s; its log is above")
        finally:
            ended.cancel()
            stopped.cancel()

    def keep(self, child: Child) -> None:
        """Keep a child running from now on."""
        self._kept[child] = self.background.start(child.name, partial(self._life, child))

    def let_go(self, child: Child) -> None:
        """Keep a child no longer: its end is meant."""
        self._kept.pop(child).cancel()

    async def replacing(self) -> None:
        """Call `replace` each time SIGHUP came; what cannot be replaced serves on."""
        while True:
            await self._again.wait()
            self._again.clear()
            try:
                await self.replace()
            except SlotbeamError as error:
                log.error("not replaced; what serves goes on", why=str(error))

    async def replace(self) -> None:
        """Put processes that serve what SLOTBEAM_ARTIFACT leads to now in the place of those that run.

        Raises:
            SlotbeamError: why that cannot be done.
        """

    async def _life(self, child: Child) -> None:
        """Live one life of a child, whoever started it."""
        if child.process is None or child.process.returncode is not None:
            await child.start()
            self.begun(child)
        assert child.process is not None
        status = await child.process.wait()
        self.ended(child)
        raise Ended("its process ended", status=status)

    def begun(self, child: Child) -> None:
        """Note that a child was started again."""

    def ended(self, child: Child) -> None:
        """Note that the process of a child ended by itself."""

    async def end(self, children: Sequence[Child]) -> None:
        """Ask `children` to end; kill those that take longer than the drain and `stop_s`."""
        self._signal(children)
        await self.gone(children, self._drain_s if self._drains else 0)

    async def gone(self, children: Sequence[Child], drain_s: float) -> None:
        """Wait until children that were asked to end are gone; kill those that take longer than the drain."""
        waits = [asyncio.create_task(child.process.wait()) for child in children if child.process is not None]
        if waits:
            await asyncio.wait(waits, timeout=drain_s + self._stop_s)
        for child in children:
            child.signal(signal.SIGKILL)
        await asyncio.gather(*waits)

    def _asked_to_end(self, number: int) -> None:
        self._drains = number == signal.SIGTERM and not self.stop.is_set()
        if self.stop.is_set():
            self._signal(self.children)
        self.stop.set()

    def _signal(self, children: Sequence[Child]) -> None:
        """SIGTERM begins a drain, and ends a process that is no server yet; SIGINT ends a server's drain."""
        for child in children:
            child.signal(signal.SIGTERM)
            if not self._drains:
                child.signal(signal.SIGINT)
