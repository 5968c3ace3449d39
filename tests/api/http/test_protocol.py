"""An answer that comes before the body has ended reaches its client, and a body without an end is cut off."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.http.problems import STATUS, problem_of
from slotbeam.errors import SlotbeamError
from support.posting import POSTS, Post
from support.wire import Served, Wire, served

BODY = b" " * 5_000_000
KINDS: dict[int, type[SlotbeamError]] = {status: kind for kind, status in STATUS.items()}
CLOSES = {"kept open": b"", "closed": b"Connection: close\r\n"}


def early() -> FastAPI:
    """An application that answers `/<status>` without reading the body, and `/200` once it has read it."""
    app = FastAPI()

    @app.post("/{status}")
    async def answer(request: Request, status: int) -> Response:
        if status == 200:
            return Response(str(len(await request.body())))
        return problem_of(KINDS[status]("the body was not read"))

    return app


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Served]:
    """A server whose deadlines are so long that a test which waits for one hangs."""
    async with served(early(), head_s=1000, linger_s=1000, stall_s=1000) as found:
        yield found


def head(path: str, length: int, further: bytes = b"") -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n%s\r\n" % (path.encode(), length, further)


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.__name__)
async def test_every_error_reaches_every_client_that_sends_its_whole_body_first(server: Served, post: Post) -> None:
    url = f"http://127.0.0.1:{server.port}"
    answered = [await asyncio.to_thread(post, url, f"/{status}", BODY, {}) for status in KINDS]
    assert answered == list(KINDS)
    assert await asyncio.to_thread(post, url, "/401", BODY, {"Connection": "close"}) == 401


@pytest.mark.parametrize("further", CLOSES.values(), ids=CLOSES)
async def test_an_answer_is_read_after_the_whole_body_was_sent(server: Served, further: bytes) -> None:
    wire = await server.connect()
    await wire.send(head("/404", len(BODY), further))
    await wire.send(BODY)
    assert (await wire.reply()).status == 404


async def test_a_connection_is_used_again_once_its_body_was_thrown_away(server: Served) -> None:
    wire = await server.connect()
    for _ in range(2):
        await wire.send(head("/404", len(BODY)))
        assert (await wire.reply()).status == 404
        await wire.send(BODY + head("/200", 2) + b"{}")
        assert (await wire.reply()).body == b"2"


async def test_a_client_that_asks_before_it_sends_is_told_and_may_send_or_leave(server: Served) -> None:
    asking = b"Expect: 100-continue\r\n"
    wire = await server.connect()
    await wire.send(head("/413", len(BODY), asking))
    assert (await wire.reply()).status == 413
    await wire.send(BODY + head("/200", 2, asking))
    assert await wire.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await wire.send(b"{}")
    assert (await wire.reply()).body == b"2"
    leaving = await server.connect()
    await leaving.send(head("/413", len(BODY), asking))
    assert (await leaving.reply()).status == 413
    leaving.writer.write_eof()
    assert await leaving.closed() == b""


async def test_a_client_that_waits_for_the_end_sees_it_while_it_may_still_send(server: Served) -> None:
    wire = await server.connect()
    await wire.send(head("/404", len(BODY), CLOSES["closed"]))
    assert (await wire.reply()).status == 404
    assert await wire.closed() == b""
    await wire.send(BODY)
    wire.writer.write_eof()


async def sent_without_end(wire: Wire) -> None:
    """Send until the server resets the connection."""
    with contextlib.suppress(ConnectionError):
        while True:
            await wire.send(b" " * 65_536)


@pytest.mark.parametrize("further", CLOSES.values(), ids=CLOSES)
@pytest.mark.parametrize(
    "bound", [{"linger_bytes": 1_000_000, "linger_s": 1000.0}, {"linger_s": 0.05}], ids=["bytes", "seconds"]
)
async def test_a_body_without_an_end_is_cut_off(bound: dict[str, float], further: bytes) -> None:
    async with served(early(), head_s=1000, stall_s=1000, **bound) as server:
        wire = await server.connect()
        await wire.send(head("/404", 10**15, further))
        assert (await wire.reply()).status == 404
        async with asyncio.timeout(30):
            await sent_without_end(wire)
        await server.emptied()


async def test_bytes_that_are_no_http_are_read_and_thrown_away_after_the_answer(server: Served) -> None:
    wire = await server.connect()
    await wire.send(b"\x16\x03\x01\r\n\r\n")
    assert (await wire.reply()).status == 400
    await wire.send(BODY + head("/200", 2) + b"{}")
    wire.writer.write_eof()
    assert await wire.closed() == b""
