"""What `up` makes of a plane that is ready, of one that is not, and of one that says nothing or nonsense."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import socket

import pytest

from slotbeam.cli.listening import listen
from slotbeam.cli.probing import example_of, is_ready

HANG_S, SOON_S = 30.0, 0.1


@asynccontextmanager
async def plane(said: bytes, ends: bool = True) -> AsyncIterator[socket]:
    """Open a listener behind which every caller is told the same; without `ends` it waits until the caller leaves."""
    told: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said)
            if not ends:
                await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    with listen("127.0.0.1", 0, "SLOTBEAM_PORT") as listener:
        async with await asyncio.start_server(answer, sock=listener):
            yield listener
            await asyncio.gather(*(task for task in told if task is not None))


def http(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("said", "ready"),
    [
        (http("200 OK", "{}"), True),
        (http("503 Service Unavailable", "{}"), False),
        (b"hello\r\n\r\n", False),
        (b"", False),
    ],
)
async def test_a_plane_is_ready_when_it_answers_200_and_only_then(said: bytes, ready: bool) -> None:
    async with plane(said) as listener:
        assert await is_ready(listener, HANG_S) is ready


async def test_a_plane_that_says_nothing_whole_in_time_is_not_ready() -> None:
    async with plane(http("200 OK", "{}")[:-1], ends=False) as listener:
        assert await is_ready(listener, SOON_S) is False
    with listen("127.0.0.1", 0, "SLOTBEAM_PORT") as mute:
        assert await is_ready(mute, SOON_S) is False


@pytest.mark.parametrize(
    ("said", "example"),
    [
        (http("200 OK", '{"examples": ["red mug", "lamp"]}'), "red mug"),
        (http("200 OK", '{"examples": []}'), None),
        (http("200 OK", "[]"), None),
        (http("404 Not Found", "gone"), None),
        (b"", None),
    ],
)
async def test_the_example_is_the_first_that_the_plane_names(said: bytes, example: str | None) -> None:
    async with plane(said) as listener:
        assert await example_of(listener, HANG_S) == example
