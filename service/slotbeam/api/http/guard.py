"""What stands around an application: it refuses heads that are too large or ambiguous, and adds headers to answers.

The layer above `api/http/protocol.py`: `HeadGuard` sees heads that are whole.
"""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slotbeam.api.http.problems import EVERY, NO_STORE, problem_of
from slotbeam.errors import HeadTooLarge, RequestError, ShuttingDown, SlotbeamError

CLOSE = (b"connection", b"close")
MAX_HEAD = 32_768
"""Bytes of the request line and all headers."""


class HeadGuard:
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


class Headers:
    """ASGI middleware around a whole application; answers under `/admin` may not be stored either.

    What an answer says for itself stands: `/docs` has a policy of its own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        added = (*EVERY, NO_STORE) if (scope["path"] + "/").startswith("/admin/") else EVERY

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n, v) for n, v in added if n not in said)]
            await send(message)

        await self.app(scope, receive, adding)


class Bodiless:
    """ASGI middleware: HEAD is answered as GET is, without the body (RFC 9110, 9.3.2).

    The routes see a GET. An answer that streams ends with its headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def heading(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})

        await self.app({**scope, "method": "GET"}, receive, heading)


class Ending:
    """ASGI middleware for a server of our own, whose process will end.

    Before it does (`draining`) `/readyz` answers 503 and every answer closes its connection: who asks goes elsewhere.
    One whose port others serve on (`closing`) closes connections, too, but says nothing: who asks again reaches those.
    A request that is cancelled because the process ends gets an answer, too. Not part of the applications: a
    cancellation that comes from a caller in this process is the caller's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.draining = self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            if (
                (self.draining or self.closing)
                and message["type"] == "http.response.start"
                and CLOSE not in message["headers"]
            ):
                message["headers"] = [*message["headers"], CLOSE]
            await send(message)

        if self.draining and scope["type"] == "http" and scope["path"] == "/readyz":
            answer = Response(b'{"status":"draining"}', 503, {"Retry-After": "1"}, media_type="application/json")
            answer.raw_headers.extend(EVERY)
            await answer(scope, receive, sending)
            return

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
            answer.raw_headers.extend((*EVERY, CLOSE))
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
