"""What arrives as bytes: ambiguous, endless and slow requests, each refused on a real server, and nothing hangs."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from slotbeam.api.http import bodies
from slotbeam.api.http.guard import MAX_HEAD, Bodiless, HeadGuard
from slotbeam.api.http.problems import EVERY
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from support.clients import client_of
from support.wire import Reply, Served, served

GOOD = b'{"query": "mug", "k": 1}'
HOST = b"Host: t\r\n"
JSON = HOST + b"Content-Type: application/json\r\n"


def post(body: bytes, headers: bytes = b"", length: int | None = None, path: bytes = b"/retrieve") -> bytes:
    size = len(body) if length is None else length
    return b"POST " + path + b" HTTP/1.1\r\n" + JSON + headers + b"Content-Length: %d\r\n\r\n" % size + body


def chunked(*chunks: bytes, headers: bytes = b"") -> bytes:
    sent = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"POST /retrieve HTTP/1.1\r\n" + JSON + headers + b"Transfer-Encoding: chunked\r\n\r\n" + sent


def get(headers: bytes, path: bytes = b"/livez") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + HOST + headers + b"\r\n"


@pytest.fixture(scope="module")
async def server(bound_shop: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A data plane whose deadlines are so long that a test which waits for one hangs."""
    app = create_data_app(Settings(data_dir=tmp_path_factory.mktemp("data")), holder=Holder(bound_shop))
    async with served(app, head_s=1000, linger_s=1000, stall_s=1000) as found:
        yield found


@pytest.fixture
async def hasty(bound_shop: Snapshot, tmp_path: Path) -> AsyncIterator[Served]:
    """A data plane that waits for nothing, and for what `/hasty` is sent no longer either."""
    app = create_data_app(Settings(data_dir=tmp_path), holder=Holder(bound_shop))

    @app.post("/hasty")
    async def read(request: Request) -> Response:
        return Response(await bodies.read_bytes(request, 1000, timeout_s=0.05))

    async with served(app, head_s=0.05, linger_s=0.05, stall_s=0.05) as found:
        yield found


BAD: list[tuple[str, bytes, int, str]] = [
    (
        "Content-Length and Transfer-Encoding",
        chunked(GOOD, b"", headers=b"Content-Length: 5\r\n"),
        400,
        "malformed-request",
    ),
    ("two Content-Lengths", post(GOOD, b"Content-Length: 5\r\n"), 400, "malformed-request"),
    ("a negative Content-Length", post(GOOD, length=-1), 400, "malformed-request"),
    ("a Content-Length of 5 000 digits", post(GOOD, length=int("9" * 4000)), 400, "malformed-request"),
    ("a Content-Length over the limit", post(b"", length=20_000_000), 413, "too-large"),
    ("20 MB in chunks", chunked(*[b" " * 65_536] * 17), 413, "too-large"),
    ("a chunk that is none", chunked(GOOD) + b"xyz\r\n", 400, "malformed-request"),
    (
        "a gzip bomb",
        post(gzip.compress(b" " * 10_000_000), b"Content-Encoding: gzip\r\n"),
        415,
        "unsupported-media-type",
    ),
    ("a gzip body that says it is none", post(gzip.compress(GOOD)), 400, "malformed-body"),
    ("headers of 100 KB", get(b"X-A: " + b"a" * 100_000 + b"\r\n"), 431, "headers-too-large"),
    ("100 KB of small headers", get(b"X-A: a\r\n" * 12_500), 431, "headers-too-large"),
    ("headers a little too large", get(b"X-A: " + b"a" * MAX_HEAD + b"\r\n"), 431, "headers-too-large"),
    ("a path of 100 KB", get(b"", b"/" + b"a" * 100_000), 431, "headers-too-large"),
    ("headers without an end", b"GET /livez HTTP/1.1\r\n" + b"X-A: " + b"a" * 100_000, 431, "headers-too-large"),
    ("no Host", b"GET /livez HTTP/1.1\r\n\r\n", 400, "malformed-request"),
    ("a header with a NUL", get(b"X-A: a\0b\r\n"), 400, "malformed-request"),
    ("a folded header name", get(b"X A: b\r\n"), 400, "malformed-request"),
    ("TLS on the plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "malformed-request"),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 404, "not-found"),
    ("an unknown transfer coding", post(b"", b"Transfer-Encoding: gzip\r\n"), 400, "malformed-request"),
    ("raw bytes in the path", get(b"", b"/\xff"), 400, "malformed-request"),
    ("an invalid escape in the path", get(b"", b"/%ff%00%0d%0a"), 404, "not-found"),
    ("another server's address", get(b"", b"http://elsewhere/livez"), 404, "not-found"),
    (
        "an upgrade to WebSocket",
        get(b"Connection: upgrade\r\nUpgrade: websocket\r\n", b"/retrieve:batch"),
        405,
        "method-not-allowed",
    ),
]


@pytest.mark.parametrize(("data", "status", "problem"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
async def test_bad_bytes_are_a_problem_document_and_the_server_goes_on(
    server: Served, data: bytes, status: int, problem: str
) -> None:
    reply = await server.ask(data)
    assert (reply.status, reply.problem) == (status, problem)
    assert {name.decode(): value.decode() for name, value in EVERY}.items() <= reply.headers.items()
    assert (await server.ask(post(GOOD))).status == 200


def outcomes(metrics: Reply, outcome: str) -> float:
    name = f'slotbeam_retrieve_requests_total{{outcome="{outcome}"}} '
    return next(float(line[len(name) :]) for line in metrics.body.decode().splitlines() if line.startswith(name))


async def test_a_body_cut_short_is_no_answer_and_no_error(server: Served) -> None:
    wire = await server.connect()
    before = await server.ask(get(b"", b"/metrics"))
    await wire.send(post(GOOD[:10], length=len(GOOD)))
    wire.writer.write_eof()
    assert await wire.closed() == b""
    after = await server.ask(get(b"", b"/metrics"))
    assert outcomes(after, "invalid") == outcomes(before, "invalid") + 1
    assert outcomes(after, "error") == 0


async def test_a_good_request_in_slices_is_answered(server: Served) -> None:
    wire = await server.connect()
    for byte in post(GOOD):
        await wire.send(bytes([byte]))
    assert (await wire.reply()).status == 200


async def test_a_connection_is_used_again(server: Served) -> None:
    wire = await server.connect()
    await wire.send(post(GOOD) + post(b"[") + post(GOOD))
    assert [(await wire.reply()).status for _ in range(3)] == [200, 400, 200]
    await wire.send(post(GOOD))
    assert (await wire.reply()).status == 200


async def test_what_follows_a_refused_ambiguous_request_is_not_read_as_a_second_one(server: Served) -> None:
    wire = await server.connect()
    await wire.send(chunked(b"", headers=b"Content-Length: 5\r\n") + get(b"", b"/info"))
    assert (await wire.reply()).status == 400
    assert await wire.closed() == b""


async def test_an_answer_is_sent_without_waiting_for_the_head_to_be_acknowledged(server: Served) -> None:
    wire = await server.connect()
    await wire.send(get(b""))
    assert (await wire.reply()).status == 200
    accepted = [one.transport.get_extra_info("socket") for one in server.server.server_state.connections]
    assert accepted
    assert all(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in accepted)


@pytest.mark.parametrize("first", [b"", post(GOOD)], ids=["first", "second"])
async def test_slow_headers_are_answered_408_and_closed(hasty: Served, first: bytes) -> None:
    wire = await hasty.connect()
    if first:
        await wire.send(first)
        assert (await wire.reply()).status == 200
    await wire.send(b"GET /livez HTTP/1.1\r\nHost")
    reply = await wire.reply()
    assert (reply.status, reply.problem, reply.headers["connection"]) == (408, "request-timeout", "close")
    assert await wire.closed() == b""


async def test_a_connection_that_sends_nothing_is_closed(hasty: Served) -> None:
    assert await (await hasty.connect()).closed() == b""


async def test_headers_that_drip_do_not_buy_time(hasty: Served) -> None:
    wire = await hasty.connect()

    async def drip() -> None:
        while True:
            await wire.send(b"X")
            await asyncio.sleep(0.005)

    dripping = asyncio.create_task(drip())
    try:
        assert b"408" in await wire.closed()
    finally:
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def test_a_slow_body_is_answered_408_and_closed(hasty: Served) -> None:
    wire = await hasty.connect()
    await wire.send(post(GOOD[:5], length=len(GOOD), path=b"/hasty"))
    reply = await wire.reply()
    assert (reply.status, reply.problem) == (408, "request-timeout")
    assert await wire.closed() == b""


async def test_a_body_that_nobody_waits_for_is_closed(hasty: Served) -> None:
    wire = await hasty.connect()
    await wire.send(post(b"x", length=1000, path=b"/nowhere"))
    assert (await wire.reply()).status == 404
    assert await wire.closed() == b""


async def test_a_client_that_does_not_read_its_answer_is_cut_off() -> None:
    app = FastAPI()
    app.add_api_route("/much", lambda: Response(b"x" * 50_000_000))
    async with served(app, stall_s=0.05) as server:
        wire = await server.connect(limit=1024)
        await wire.send(get(b"", b"/much"))
        await server.emptied()
        assert len(await wire.closed()) < 50_000_000


async def test_a_request_that_the_end_of_its_process_cuts_off_is_a_503_that_says_so() -> None:
    app, begun = FastAPI(), asyncio.Event()

    @app.post("/slow")
    async def slow() -> Response:
        begun.set()
        await asyncio.Event().wait()
        return Response()

    async with served(app) as server:
        server.server.config.timeout_graceful_shutdown = 0
        wire = await server.connect()
        await wire.send(post(b"{}", path=b"/slow"))
        await begun.wait()
        server.server.should_exit = True
        reply = await wire.reply()
    assert (reply.status, reply.problem) == (503, "shutting-down")
    assert b"same Idempotency-Key" in reply.body
    assert set(EVERY) <= {(name.encode(), value.encode()) for name, value in reply.headers.items()}


async def test_a_caller_in_this_process_may_cancel_its_request() -> None:
    app, begun = FastAPI(), asyncio.Event()
    app.add_middleware(HeadGuard)

    @app.get("/slow")
    async def slow() -> Response:
        begun.set()
        await asyncio.Event().wait()
        return Response()

    async with client_of(app) as client:
        asking = asyncio.create_task(client.get("/slow"))
        await begun.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_head_of_an_answer_without_an_end_is_its_headers() -> None:
    app = FastAPI()

    async def ticks() -> AsyncIterator[bytes]:
        while True:
            yield b"tick"
            await asyncio.sleep(0)

    @app.get("/live")
    async def live() -> Response:
        return StreamingResponse(ticks(), media_type="text/event-stream")

    app.add_middleware(Bodiless)
    async with asyncio.timeout(30), client_of(app) as client:
        answer = await client.head("/live")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
