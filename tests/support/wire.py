"""A plane on a real socket in this process, and raw bytes to and from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import FastAPI

from slotbeam.cli.listening import listen
from slotbeam.cli.serving import Server

HANG_S = 30.0


@dataclass(frozen=True)
class Reply:
    """One answer; `problem` is the last part of a problem document's type, "" without one."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> str:
        if self.headers.get("content-type") != "application/problem+json":
            return ""
        return str(orjson.loads(self.body)["type"]).rpartition(":")[2]


class Wire:
    """A connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> Reply:
        """Read one answer, without what follows it."""
        async with asyncio.timeout(HANG_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Reply(int(head[0].split()[1]), headers, body)

    async def closed(self) -> bytes:
        """Wait until the server closes; returns what it sent before."""
        async with asyncio.timeout(HANG_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


class Served:
    """A running server; call it for a new connection."""

    def __init__(self, port: int, server: Server) -> None:
        self.port, self.server = port, server
        self._open: list[asyncio.StreamWriter] = []

    async def connect(self, **options: Any) -> Wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **options)
        self._open.append(writer)
        return Wire(reader, writer)

    async def ask(self, data: bytes) -> Reply:
        """One request on a connection of its own."""
        wire = await self.connect()
        await wire.send(data)
        return await wire.reply()

    async def emptied(self) -> None:
        """Wait until the server had a connection and holds none any more."""
        state = self.server.server_state
        async with asyncio.timeout(HANG_S):
            while not state.total_requests or state.connections:
                await asyncio.sleep(0.005)

    async def hang_up(self) -> None:
        for writer in self._open:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._open), return_exceptions=True)


@asynccontextmanager
async def served(app: FastAPI, drain_s: float = 0.0, **deadlines: float) -> AsyncIterator[Served]:
    """Serve `app` as the commands do; `deadlines` replace those of the protocol."""
    server = Server(app, drain_s)
    # uvicorn says that it is a class, or the name of one
    server.config.http = type("Protocol", (server.config.http,), dict(deadlines))  # type: ignore[arg-type]
    listener = listen("127.0.0.1", 0, "SLOTBEAM_PORT")
    found = Served(listener.getsockname()[1], server)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield found
    finally:
        await found.hang_up()
        server.should_exit = True
        async with asyncio.timeout(HANG_S):
            await task
