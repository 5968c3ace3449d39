"""A data plane that shares its port with others, below one parent (`slotbeam.cli.planes`).

It takes connections from the shared socket once it is ready, one at a time, so that processes that have less to do take
more; and it has a unix socket of its own, on which the parent asks for this process alone. `/metrics` of the port is of
all processes, so there the parent is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Callable

import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from slotbeam.api.http.problems import EVERY, problem_of
from slotbeam.cli.serving import Server
from slotbeam.cli.sibling import Sibling
from slotbeam.errors import ShuttingDown

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


class _Listening(socket.socket):
    """A socket that the parent made listen: asyncio may take connections from it, but not shorten its queue."""

    def listen(self, backlog: int = 0) -> None:
        pass


class SharingServer(Server):
    """Serves on its own socket from the start, on the shared one from when it is ready.

    SIGTERM and SIGINT are as for any plane. SIGHUP is for one that another replaces: it takes no further connections,
    every answer closes its connection, and it ends with the last of them, or after `drain_s`.

    Args:
        app: a `Shared`.
        shared: the parent's listening socket.
        ready: whether it may take connections.
    """

    def __init__(self, app: Shared, shared: socket.socket, drain_s: float, ready: Callable[[], bool]) -> None:
        super().__init__(app, drain_s)
        self.shared, self.ready = app, ready
        self._port: asyncio.Server | None = None
        self._listener = _Listening(fileno=shared.detach())

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.retire)

    async def on_tick(self, counter: int) -> bool:
        if self._port is None and self.ready():
            # One connection each time it is woken: asyncio would empty the queue before another process looks at it.
            self._port = await asyncio.get_running_loop().create_server(self._protocol, sock=self._listener, backlog=1)
            self.servers.append(self._port)
            self.shared.joined = True
            log.info("takes connections")
        retired = self.ending.closing and not self.server_state.connections
        return await super().on_tick(counter) or retired

    def retire(self) -> None:
        """Leave the port to others, and end."""
        if not self.ending.closing:
            log.info("leaves the port to others")
            self.ending.closing = True
            self._ends_at = min(self._ends_at, time.monotonic() + self.drain_s)
            if self._port is not None:
                self._port.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        await self.shared.sibling.tell(self.shared.export(), last=True)

    def _protocol(self) -> asyncio.Protocol:
        kind = self.config.http_protocol_class
        return kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[call-arg]


def run_sharing(app: Shared, shared: socket.socket, drain_s: float, ready: Callable[[], bool]) -> None:
    """Serve `app` below a parent until it is asked to end."""
    path = app.sibling.own
    path.unlink(missing_ok=True)  # of the process before, if it was killed
    with contextlib.suppress(KeyboardInterrupt), socket.socket(socket.AF_UNIX) as own:
        own.bind(str(path))
        SharingServer(app, shared, drain_s, ready).run(sockets=[own])
