"""A network that fails on command: between a client and a store server, both on unix sockets.

A unix socket has no RST. Closing one end is seen at the other, after what was written before, as ECONNRESET when
the closed end held unread bytes, else as the end of the stream; to a Redis client both are a `ConnectionError`.
"""

from __future__ import annotations

import asyncio
import random
import socket as net
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from torture.server import short

CHUNK = 1 << 16
"""Bytes that are read at once, at most."""


class Proxy:
    """Forwards every connection to `target`, but for the faults. An async context manager; inside it is served.

    Args:
        socket: where to listen.
        target: the server's socket; may be set to another one at any time, for connections made afterwards.
        seed: of the delays.
    """

    def __init__(self, socket: Path, target: Path, seed: int = 0) -> None:
        self.socket, self.target = short(socket.resolve()), target
        self._random = random.Random(seed)
        self._mode: Literal["clean", "dropped", "partitioned"] = "clean"
        self._listener: net.socket | None = None
        self._links: set[_Link] = set()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def partition(self) -> None:
        """Refuse new connections and reset the open ones."""
        self._mode = "partitioned"
        self._deaf()
        self.reset()

    def drop(self) -> None:
        """Half-open: accept and read, forward nothing, answer nothing, close nothing."""
        self._mode = "dropped"
        self._listen()

    def heal(self) -> None:
        """Forward cleanly again. Connections that lost something are reset."""
        mode, self._mode = self._mode, "clean"
        if mode == "dropped":
            self.reset()
        self._listen()

    def reset(self) -> None:
        """Abort every open connection."""
        for link in list(self._links):
            link.reset()

    async def __aenter__(self) -> Proxy:
        self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deaf()
        self.reset()
        await asyncio.gather(*(link.task for link in self._links), return_exceptions=True)
        self.socket.unlink(missing_ok=True)

    # ---------------------------------------------------------------- listening

    def _listen(self) -> None:
        if self._listener is None:
            self.socket.unlink(missing_ok=True)
            self._listener = net.socket(net.AF_UNIX)
            self._listener.setblocking(False)
            self._listener.bind(str(self.socket))
            self._listener.listen(128)
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _deaf(self) -> None:
        """Close the listener; its path stays, so that connecting is refused."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            accepted, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        link = _Link(self)
        link.task = asyncio.create_task(link.serve(accepted))
        self._links.add(link)
        link.task.add_done_callback(lambda _: self._links.discard(link))

    # ---------------------------------------------------------------- forwarding

    @property
    def dropping(self) -> bool:
        return self._mode == "dropped"


class _Link:
    """One client's connection, and the one to the server that belongs to it."""

    task: asyncio.Task[None]

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.writers: list[asyncio.StreamWriter] = []

    def reset(self) -> None:
        """Abort both connections at once; nothing is forwarded from here on."""
        for writer in self.writers:
            writer.transport.abort()
        self.task.cancel()

    async def serve(self, accepted: net.socket) -> None:
        tasks: list[asyncio.Task[None]] = []
        try:
            with suppress(OSError):  # the server is not there, or went away: so does the client
                client = await self._streams(sock=accepted)
                if self.proxy.dropping:
                    await _pump(self.proxy, client[0])
                server = await self._streams(path=str(self.proxy.target))
                tasks.append(asyncio.create_task(_pump(self.proxy, client[0], server[1])))
                tasks.append(asyncio.create_task(_pump(self.proxy, server[0], client[1])))
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for writer in self.writers:
                writer.transport.abort()
            await asyncio.gather(*tasks, *(writer.wait_closed() for writer in self.writers), return_exceptions=True)
            accepted.close()

    async def _streams(self, **where: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(**where)
        writer.transport.set_write_buffer_limits(0)  # drain() waits until the kernel has everything
        self.writers.append(writer)
        return reader, writer


async def _pump(proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None = None) -> None:
    """Forward until an end goes away; through a half-open network nobody would learn of that."""
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            if writer is not None and not proxy.dropping:
                writer.write(chunk)
                await writer.drain()
    if proxy.dropping:
        await asyncio.Event().wait()  # until the connection is reset
