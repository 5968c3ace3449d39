"""uvicorn's HTTP/1.1 with bounds: nothing slow or endless holds a connection, and no answer is lost when one closes.

A request head, a body that nobody reads and a client that does not read its answer each get seconds, not for ever.

A connection that closes while its client still sends is closed in two steps: our side after the answer, the socket once
the client has ended, too. Closed at once, the kernel would meet what still comes with a reset, and that destroys the
answer in a client that sends its whole body before it reads (Python's own, and what stands on it).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from slotbeam.api.http.guard import MAX_HEAD
from slotbeam.api.http.problems import EVERY, problem_of
from slotbeam.errors import HeadTooLarge, RequestError, RequestTimeout, SlotbeamError


class _Outward:
    """A connection's transport as uvicorn sees it: to close it is the protocol's work, and ends what it may write."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport, self._close = transport, close
        self._closed = False

    def write(self, data: bytes) -> None:
        if not self._closed:
            self._transport.write(data)

    def close(self) -> None:
        if not self.is_closing():
            self._closed = True
            self._close()

    def is_closing(self) -> bool:
        return self._closed or self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class GuardedProtocol(H11Protocol):
    """One connection. The class attributes are seconds and bytes.

    Attributes:
        head_s: from the connection, or the first byte of a later request, to the end of its headers.
        linger_s: for the rest of what a client sends after its answer.
        linger_bytes: of it that are read and thrown away.
        stall_s: for a client that reads nothing of an answer.
    """

    head_s = 10.0
    linger_s = 30.0
    linger_bytes = 64 * 2**20
    stall_s = 30.0

    _deadline: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None
    _lingering: int | None = None
    """Bytes that may still come after the answer, while they are thrown away."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._socket = transport
        super().connection_made(cast(asyncio.Transport, _Outward(transport, self._close)))
        self._begin(self.head_s, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._lingering is not None:
            self._lingering -= len(data)
            if self._lingering < 0:
                self._socket.abort()
            if self.transport.is_closing():
                return
        before = self.cycle
        if self._deadline is None and (before is None or before.response_complete):
            self._begin(self.head_s, self._head_is_late)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.cycle is not before:
            self._end()
        elif self._lingering is not None and self.conn.their_state is not h11.SEND_BODY:
            self._begin(self.head_s, self._head_is_late)

    def on_response_complete(self) -> None:
        before = self.cycle
        super().on_response_complete()
        if self.cycle is before and self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._linger()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.stall_s, self._socket.abort)

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
            self.transport.close()

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
        self.transport.close()

    def _close(self) -> None:
        """Close once what was written is read, or after `stall_s`; while the client sends, linger first."""
        if self.conn.their_state in (h11.SEND_BODY, h11.ERROR) or self.conn.trailing_data[0]:
            self._socket.write_eof()
            if self._lingering is None:
                self._linger()
        else:
            self._socket.close()
            self._begin(self.stall_s, self._socket.abort)

    def _linger(self) -> None:
        """Throw away what comes, until the client ends it or a bound is reached."""
        self.flow.resume_reading()
        self._begin(self.linger_s, self._socket.abort)
        self._lingering = self.linger_bytes

    def _begin(self, seconds: float, late: Callable[[], None]) -> None:
        self._end()
        self._deadline = self.loop.call_later(seconds, late)

    def _end(self) -> None:
        self._lingering = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
