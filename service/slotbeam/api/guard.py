"""What the server refuses before an application sees it: slow, endless and ambiguous requests.

Two layers. `GuardedProtocol` is uvicorn's HTTP/1.1 with deadlines: a request head, a body that nobody reads and a
client that does not read its answer each get seconds, not for ever. `Guard` is an ASGI middleware that refuses heads
which are whole but too large, or that two servers could read differently.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from slotbeam.api.headers import EVERY
from slotbeam.api.problems import problem_of
from slotbeam.errors import HeadTooLarge, RequestError, RequestTimeout, ShuttingDown, SlotbeamError

MAX_HEAD = 32_768
"""Bytes of the request line and all headers."""


class GuardedProtocol(H11Protocol):
    """One connection. The class attributes are seconds.

    Attributes:
        head_s: from the connection, or the first byte of a later request, to the end of its headers.
        linger_s: for the rest of a body that was answered before it ended.
        stall_s: for a client that reads nothing of an answer.
    """

    head_s = 10.0
    linger_s = 5.0
    stall_s = 30.0

    _deadline: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin(self.head_s, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        if self._deadline is None and (before is None or before.response_complete):
            self._begin(self.head_s, self._head_is_late)
        super().data_received(data)
        if self.cycle is not before:
            self._end()

    def on_response_complete(self) -> None:
        before = self.cycle
        super().on_response_complete()
        if self.transport.is_closing():
            self._close()
        elif self.cycle is before and self.conn.their_state is h11.SEND_BODY:
            self._begin(self.linger_s, self._close)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP with a problem document; uvicorn calls this while it handles h11's error."""
        error = sys.exception()
        if isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == 431:
            self._refuse(HeadTooLarge(f"the request's headers are larger than {MAX_HEAD} bytes; send smaller ones"))
        else:
            self._refuse(RequestError("this is not a valid HTTP/1.1 request; the connection is closed"))

    def _head_is_late(self) -> None:
        if self.conn.trailing_data[0]:
            self._refuse(RequestTimeout(f"the headers did not arrive within {self.head_s:g} s; send them again"))
        else:
            self._close()

    def _refuse(self, error: SlotbeamError) -> None:
        """Answer with `error` when no answer was begun, and close."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            answer = problem_of(error)
            headers = [*answer.raw_headers, *EVERY, (b"connection", b"close")]
            for event in (
                h11.Response(status_code=answer.status_code, headers=headers),
                h11.Data(data=bytes(answer.body)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._close()

    def _begin(self, seconds: float, late: Callable[[], None]) -> None:
        self._end()
        self._deadline = self.loop.call_later(seconds, late)

    def _end(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        """Close once what was written is read, or after `stall_s`."""
        self.transport.close()
        self._begin(self.stall_s, self.transport.abort)


class Guard:
    """ASGI middleware around a whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = refused(scope) if scope["type"] == "http" else None
        if error is None:
            await self.app(scope, receive, send)
            return
        answer = problem_of(error)
        answer.headers["Connection"] = "close"
        await answer(scope, receive, send)


class Ending:
    """ASGI middleware for a server of our own: a request that it cancels because its process ends gets an answer.

    Not part of the applications: a cancellation that comes from a caller in this process is the caller's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except asyncio.CancelledError:
            if begun or scope["type"] != "http":
                raise
            answer = problem_of(
                ShuttingDown(
                    "the process ended before this request did; a change that it asked for may have been made or not: "
                    "send it again, with the same Idempotency-Key"
                )
            )
            answer.raw_headers.extend((*EVERY, (b"connection", b"close")))
            await answer(scope, receive, send)


def refused(scope: Scope) -> SlotbeamError | None:
    """Return why the head of a request is refused, or None."""
    headers = scope["headers"]
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"]) + sum(len(n) + len(v) + 4 for n, v in headers)
    if size > MAX_HEAD:
        return HeadTooLarge(f"the request's headers have {size} bytes; at most {MAX_HEAD} are allowed")
    names = [name for name, _ in headers]
    if b"transfer-encoding" in names and b"content-length" in names:
        return RequestError("the request has both Content-Length and Transfer-Encoding; send one of them")
    return None
