"""One uvicorn server on one socket: how it answers, and how it ends without losing a request."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import socket
import time
from contextlib import suppress
from types import FrameType

import structlog
import uvicorn

from slotbeam.api.http.guard import MAX_HEAD, Ending
from slotbeam.api.http.protocol import GuardedProtocol

GRACE_S = 5

log = structlog.get_logger("slotbeam.cli")


class Server(uvicorn.Server):
    """Serves either plane: heads, bodies and answers have deadlines (`slotbeam.api.http.protocol`).

    SIGTERM begins the drain: `/readyz` says 503 and every answer closes its connection, so that whoever asks `/readyz`
    sends new requests elsewhere; the listener stays open and all requests are answered for `drain_s`. Then, or at once
    with SIGINT or a second SIGTERM, it stops listening, and requests that run get `GRACE_S` to end. SIGHUP ends
    it where a terminal was closed; else it asks for another model, which one process cannot put in its own place.

    Args:
        app: an ASGI application.
        drain_s: 0 is no drain.
    """

    def __init__(self, app: object, drain_s: float = 0.0) -> None:
        self.ending = Ending(app)  # type: ignore[arg-type]
        self.drain_s = drain_s
        self._asked, self._ends_at = False, math.inf
        config = uvicorn.Config(
            self.ending,
            http=GuardedProtocol,
            ws="none",
            h11_max_incomplete_event_size=MAX_HEAD,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            lifespan="on",
        )
        super().__init__(config)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGTERM and self.started and self.drain_s and not self._asked:
            self._captured_signals.append(sig)
            self._asked = True  # the rest is not for a signal handler
        else:
            super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not os.isatty(0):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.hang_up)

    def hang_up(self) -> None:
        """Say what SIGHUP cannot do here, and serve on."""
        log.warning(
            "SIGHUP changes nothing: one process cannot replace itself; restart it, or send SIGHUP to slotbeam up, or "
            "to slotbeam serve with SLOTBEAM_PROCESSES of 2 or more"
        )

    async def on_tick(self, counter: int) -> bool:
        if self._asked and not self.ending.draining:
            self.ending.draining = True
            self._ends_at = time.monotonic() + self.drain_s
            log.info("draining", seconds=self.drain_s)
        return await super().on_tick(counter) or time.monotonic() >= self._ends_at


def run(app: object, listener: socket.socket, drain_s: float) -> None:
    """Serve `app` on `listener` until SIGTERM (after the drain) or SIGINT."""
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again once it has ended in good order
        Server(app, drain_s).run(sockets=[listener])
