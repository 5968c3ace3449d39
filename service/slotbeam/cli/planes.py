"""Several data planes behind one port: `slotbeam serve` with SLOTBEAM_PROCESSES of 2 or more.

The parent holds the listening socket, which all children take connections from, and answers nothing itself. It starts a
child that died again, adds up what all of them counted, and ends them in good order. Each child is a replica like any
other: a name, a last-known-good file and readiness of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import structlog
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric

from slotbeam.api.retrieve.sums import Sums
from slotbeam.cli.child import Child
from slotbeam.cli.listening import address
from slotbeam.cli.parent import Parent
from slotbeam.cli.probing import is_ready, metrics_of
from slotbeam.cli.sibling import TALK_S, Sibling
from slotbeam.embedded.record import restarts_of_up
from slotbeam.settings import Settings

STOP_TIMEOUT_S = 7.0
"""Beside the drain; an `up` above waits for longer."""
REPLACE_TIMEOUT_S = 120.0
"""Until one that replaces another takes connections."""
START_TIMEOUT_S = 600.0
"""A large artifact may have to be read from a slow disk."""

log = structlog.get_logger("slotbeam.cli")


class Planes(Parent):
    """The parent of the data planes behind one port.

    Args:
        settings: `processes` is how many; children read the same from their environment.
        flags: names of the settings that were given as flags.
        listener: listens on the port.
    """

    def __init__(self, settings: Settings, flags: Iterable[str], listener: socket.socket) -> None:
        super().__init__(settings.drain_s, STOP_TIMEOUT_S)
        self.settings, self.flags, self.listener = settings, set(flags), listener
        self.sums = Sums()
        self._replica = settings.replica_id or f"{socket.gethostname()}-{os.getpid()}"
        self._sockets = Path()

    async def run(self) -> None:
        """Start the children, and keep them running until SIGTERM or SIGINT.

        With SIGTERM they drain first; with SIGINT, or another signal, they end at once.

        Raises:
            SetupError: one cannot start; nothing is left running.
        """
        self.hear_signals()
        with tempfile.TemporaryDirectory(prefix="slotbeam-") as directory:
            self._sockets = Path(directory)
            server = await asyncio.start_unix_server(self._hear, self._sibling(0).parent)
            try:
                artifact = self.settings.artifact.resolve()
                self.children = [self._child(n + 1, artifact) for n in range(self.settings.processes or 1)]
                for child in self.children:
                    await child.start()
                    self.begun(child)
                await asyncio.gather(*(self._until_up(child) for child in self.children))
                if not self.stop.is_set():
                    log.info("listening", url=address(self.listener), processes=len(self.children))
                    for child in self.children:
                        self.keep(child)
                    self.background.start("replacing", self.replacing)
                    await self.stop.wait()
            finally:
                await self.background.stop()
                self.listener.close()  # it is open as long as the last child takes connections from it
                await self.end(self.children)
                server.close()

    def begun(self, child: Child) -> None:
        assert child.process is not None
        self.sums.begin(child.process.pid, str(child.number))

    def ended(self, child: Child) -> None:
        assert child.process is not None
        self.sums.end(child.process.pid)
        self._sibling(0).connections().leave(child.number)

    def _sibling(self, number: int) -> Sibling:
        return Sibling(self._sockets, number)

    def _child(self, number: int, artifact: Path, *options: str) -> Child:
        # Named by its number, not its pid: stable over restarts, one heartbeat, one last-known-good file.
        name = f"serve-{number}"
        own = {"SLOTBEAM_REPLICA_ID": f"{self._replica}-{number}", "SLOTBEAM_ARTIFACT": str(artifact)}
        arguments = ["serve", "--number", str(number), "--sockets", str(self._sockets), *options]
        environment = {**os.environ, **self.settings.environment(self.flags), **own}
        return Child(name, self.listener, environment, arguments, number)

    async def _until_up(self, child: Child) -> None:
        """Wait until the child answers at all. Raises `SetupError` when it ends first."""
        own = self._sibling(child.number).own
        await self.until(child, partial(is_ready, own, path="/livez"), START_TIMEOUT_S)

    async def replace(self) -> None:
        """Replace the children in turn: a new one takes connections, then an old one leaves the port to the others.

        A new one takes none while its model lacks a slot for a binding: then the old ones serve on.
        """
        artifact = self.settings.artifact.resolve()
        log.info("replacing", artifact=str(artifact))
        for old in list(self.children):
            taken = {child.number for child in self.children}
            number = next(n for n in range(1, len(taken) + 2) if n not in taken)
            new = self._child(number, artifact, "--whole")
            self.children.append(new)
            try:
                await new.start()
                self.begun(new)
                if not await self.until(new, partial(is_ready, self._sibling(number).own), REPLACE_TIMEOUT_S):
                    return
            except BaseException:
                await self._drop(new)
                raise
            self.keep(new)
            self.let_go(old)
            old.signal(signal.SIGHUP)
            await self.gone([old], self.settings.drain_s)
            await self._drop(old)
        log.info("replaced", artifact=str(artifact))

    async def _drop(self, child: Child) -> None:
        """Forget a child that is gone, or is to be."""
        await self.end([child])
        self.children.remove(child)
        self.ended(child)

    # ---------------------------------------------------------------- metrics

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear what a child has counted; answer with what all have, unless it was its last word."""
        with contextlib.closing(writer), contextlib.suppress(OSError, TimeoutError, ValueError):
            async with asyncio.timeout(TALK_S):
                head, _, exposition = (await reader.read()).decode().partition("\n")
                pid, word = head.split()
                self.sums.note(int(pid), exposition)
                if word == "all":
                    writer.write(await self._whole(int(pid)))
                    await writer.drain()

    async def _whole(self, asker: int) -> bytes:
        """Return what all children count, `asker`'s as it is known."""
        running = {c.process.pid: c for c in self.children if c.process and c.process.returncode is None}
        others = [pid for pid in running if pid != asker]
        asked = (metrics_of(self._sibling(running[pid].number).own) for pid in others)
        # All have answered before the first is read: that takes 30 ms where there are 500 bindings.
        said = {pid: text for pid, text in zip(others, await asyncio.gather(*asked), strict=True) if text is not None}
        for pid, exposition in said.items():
            self.sums.note(pid, exposition)
        return self.sums.render([asker, *said], [self._restarts()])

    def _restarts(self) -> Metric:
        """Return what an `up` above started again, and what this parent did."""
        parts = restarts_of_up(self.settings.data_dir)
        parts["serve"] = parts.get("serve", 0) + sum(
            count for name, count in self.background.restarts.items() if name.startswith("serve-")
        )
        restarts = CounterMetricFamily("slotbeam_restarts", "Restarts of what ended by itself.", labels=["part"])
        for part, count in parts.items():
            restarts.add_metric([part], count)
        return restarts


def run_planes(settings: Settings, flags: Iterable[str], listener: socket.socket) -> None:
    """Run the data planes of `settings.processes` below this process.

    Raises:
        SetupError: one of them cannot start.
    """
    asyncio.run(Planes(settings, flags, listener).run())
