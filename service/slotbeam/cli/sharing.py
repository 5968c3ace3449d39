"""A data plane that shares its port with others, below one parent (`slotbeam.cli.planes`).

It takes connections from the shared socket once it is ready, one at a time, so that processes that have less to do take
more; and it has a unix socket of its own, on which the parent asks for this process alone. `/metrics` of the port is of
all processes, so there the parent is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time
from collections.abc import Callable
from typing import Any, cast

import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from slotbeam.api.http.problems import EVERY, problem_of
from slotbeam.api.http.protocol import GuardedProtocol
from slotbeam.cli.serving import Server
from slotbeam.cli.sibling import Sibling
from slotbeam.errors import ShuttingDown

POLITE_S = 0.01
"""That a connection waits for a process with fewer of them: what the loop of one that decodes needs to look."""
FULL_S = 1.0

log = structlog.get_logger("slotbeam.cli")


class Shared:
    """ASGI: what differs for a plane that shares its port, beside the application.

    Args:
        app: the data plane.
        sibling: which process it is.
        export: returns what it has counted.

    Attributes:
        joined: whether it takes connections from the port; on its own socket `/readyz` is 503 before.
    """

    def __init__(self, app: ASGIApp, sibling: Sibling, export: Callable[[], bytes]) -> None:
        self.app, self.sibling, self.export = app, sibling, export
        self.joined = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response | None = None
        if scope["type"] == "http" and scope["method"] == "GET":
            own = scope["server"][1] is None  # a unix socket has no port
            if own and scope["path"] == "/readyz" and not self.joined:
                answer = Response(b'{"status":"joining"}', 503, media_type="application/json")
            elif not own and scope["path"] == "/metrics":
                try:
                    answer = Response(await self.sibling.tell(self.export()), media_type=CONTENT_TYPE_LATEST)
                except ShuttingDown as error:
                    answer = problem_of(error)
        if answer is not None:
            answer.raw_headers.extend(EVERY)
        await (answer or self.app)(scope, receive, send)


class _SharedProtocol(GuardedProtocol):
    """A connection of the shared port; `counted` is called with 1 when one begins, with -1 when one ends."""

    counted: Callable[[int], None]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.counted(1)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.counted(-1)


class SharingServer(Server):
    """Serves on its own socket from the start, on the shared one from when it is ready.

    A process that has more connections than another leaves the next one to that for `POLITE_S`: else who wakes first,
    often the same, would take all that come at once, and keep them. The kernel cannot do it: it spreads connections by
    who waits, or by a hash (SO_REUSEPORT, which also loses those in the queue of a process that ends).

    SIGTERM and SIGINT are as for any plane. SIGHUP is for one that another replaces: it takes no further connections,
    every answer closes its connection, and it ends with the last of them, or after `drain_s`.

    Args:
        app: a `Shared`.
        listener: of the parent, in this process.
        ready: whether it may take connections.
    """

    def __init__(self, app: Shared, listener: socket.socket, drain_s: float, ready: Callable[[], bool]) -> None:
        super().__init__(app, drain_s)
        self.shared, self.ready = app, ready
        self._listener = listener
        self._listener.setblocking(False)  # another process may be quicker
        self._beginning: set[asyncio.Task[Any]] = set()
        self._open = app.sibling.connections()
        self._kind = type("_SharedProtocol", (_SharedProtocol,), {"counted": staticmethod(self._count)})
        self._held = 0  # connections of the port: those of the own socket come from the parent, and are nobody's load

    async def on_tick(self, counter: int) -> bool:
        if not self.shared.joined and not self.ending.closing and self.ready():
            self.shared.joined = True
            self._count(0)
            self._listen()
            log.info("takes connections")
        retired = self.ending.closing and not self.server_state.connections and not self._beginning
        return await super().on_tick(counter) or retired

    def hang_up(self) -> None:
        """Leave the port to others, and end."""
        if not self.ending.closing:
            log.info("leaves the port to others")
            self.ending.closing = True
            self._ends_at = min(self._ends_at, time.monotonic() + self.drain_s)
            self._leave()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._leave()
        await super().shutdown(sockets)
        await self.shared.sibling.tell(self.shared.export(), last=True)

    def _listen(self) -> None:
        if self._listener.fileno() >= 0:
            asyncio.get_running_loop().add_reader(self._listener, self._knocked)

    def _leave(self) -> None:
        if self._listener.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._open.leave()

    def _knocked(self) -> None:
        loop = asyncio.get_running_loop()
        if self._open.has_more():
            loop.remove_reader(self._listener)
            loop.call_later(POLITE_S, self._take)
        else:
            self._take()

    def _take(self) -> None:
        """Take one connection, if another process has not; and listen again."""
        loop = asyncio.get_running_loop()
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                log.error("no room for a connection; it is tried again", error=str(error))
                loop.remove_reader(self._listener)
                loop.call_later(FULL_S, self._listen)
                return
        else:
            connection.setblocking(False)
            begun = loop.create_task(loop.connect_accepted_socket(self._protocol, connection))
            self._beginning.add(begun)
            begun.add_done_callback(self._begun)
            self._count(0)
        self._listen()

    def _begun(self, task: asyncio.Task[Any]) -> None:
        self._beginning.discard(task)
        self._count(0)

    def _count(self, more: int) -> None:
        self._held += more
        if self.shared.joined and self._listener.fileno() >= 0:
            self._open.set(self._held + len(self._beginning))

    def _protocol(self) -> asyncio.Protocol:
        state = self.lifespan.state
        return cast(_SharedProtocol, self._kind(config=self.config, server_state=self.server_state, app_state=state))


def run_sharing(app: Shared, shared: socket.socket, drain_s: float, ready: Callable[[], bool]) -> None:
    """Serve `app` below a parent until it is asked to end."""
    path = app.sibling.own
    path.unlink(missing_ok=True)  # of the process before, if it was killed
    with contextlib.suppress(KeyboardInterrupt), socket.socket(socket.AF_UNIX) as own:
        own.bind(str(path))
        SharingServer(app, shared, drain_s, ready).run(sockets=[own])
