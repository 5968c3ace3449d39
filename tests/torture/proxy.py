"""A network that fails on command: between a client and a store server, both on unix sockets.

A unix socket has no RST. Closing one end is seen at the other, after what was written before, as ECONNRESET when
the closed end held unread bytes, else as the end of the stream; to a Redis client both are a `ConnectionError`.

Delays and slices last until `heal` and may be combined; `reset_after` and `lose_reply` strike once.
"""

from __future__ import annotations

import asyncio
import random
import socket as net
from collections.abc import Callable, Iterator
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
        self._mode: Literal["open", "dropped", "partitioned"] = "open"
        self._delay_s: tuple[float, float] | None = None
        self._slice = CHUNK
        self._allowance: int | None = None
        self._losing: Callable[[bytes], bool] | None = None
        self.held = 0
        """Chunks that a delay holds back now."""
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

    def delay(self, mean_s: float, spread_s: float = 0.0) -> None:
        """Hold each chunk back for `mean_s` ± `spread_s` seconds (uniform), each direction by itself, in order."""
        self._delay_s = (max(0.0, mean_s - spread_s), mean_s + spread_s)

    def slice(self, size: int = 1) -> None:
        """Forward `size` bytes at a time, each written on its own."""
        self._slice = size

    def reset_after(self, replies_bytes: int) -> None:
        """Forward so many more bytes of replies, whatever their connections; then reset the one that had the last."""
        self._allowance = replies_bytes

    def lose_reply(self, when: Callable[[bytes], bool]) -> None:
        """Forward the next piece of a request (up to `CHUNK` bytes) for which `when` is true; then lose the reply:
        its connection is reset when the reply comes, before the client has any of it.
        """
        self._losing = when

    @property
    def armed(self) -> bool:
        """Whether a `reset_after` or `lose_reply` still waits for its moment."""
        return self._allowance is not None or self._losing is not None

    def heal(self) -> None:
        """Forward cleanly again, at once. Connections that were dropped or delayed are reset."""
        if self._mode == "dropped" or self._delay_s is not None:
            self.reset()
        self._mode = "open"
        self._delay_s, self._slice, self._allowance, self._losing = None, CHUNK, None, None
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
        link.task.add_done_callback(lambda _: accepted.close())  # also when it never came to run
        link.task.add_done_callback(lambda _: self._links.discard(link))
        self._links.add(link)

    # ---------------------------------------------------------------- forwarding, as the links ask for it

    @property
    def dropping(self) -> bool:
        return self._mode == "dropped"

    async def lag(self) -> None:
        """Wait as long as a chunk is to be held back."""
        if self._delay_s is not None:
            self.held += 1
            try:
                await asyncio.sleep(self._random.uniform(*self._delay_s))
            finally:
                self.held -= 1

    def slices(self, chunk: bytes) -> Iterator[bytes]:
        """Split a chunk as it is to be written; stops when the network does."""
        start = 0
        while start < len(chunk) and not self.dropping:
            size = self._slice
            yield chunk[start : start + size]
            start += size

    def loses(self, request: bytes) -> bool:
        """Whether the reply to `request` is to be lost. True once."""
        if self._losing is None or not self._losing(request):
            return False
        self._losing = None
        return True

    def allowed(self, replies: bytes) -> tuple[bytes, bool]:
        """Return what of `replies` may pass, and whether the connection is to be reset then."""
        if self._allowance is None:
            return replies, False
        if self._allowance > len(replies):
            self._allowance -= len(replies)
            return replies, False
        passed, self._allowance = replies[: self._allowance], None
        return passed, True


class _Link:
    """One client's connection, and the one to the server that belongs to it."""

    task: asyncio.Task[None]

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.mute = False
        """The next reply is lost."""
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
                    await self._swallow(client[0])
                server = await self._streams(path=str(self.proxy.target))
                tasks.append(asyncio.create_task(self._pump(client[0], server[1], self._request)))
                tasks.append(asyncio.create_task(self._pump(server[0], client[1], self._reply)))
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for writer in self.writers:
                writer.transport.abort()
            await asyncio.gather(*tasks, *(writer.wait_closed() for writer in self.writers), return_exceptions=True)

    async def _streams(self, **where: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(**where)
        writer.transport.set_write_buffer_limits(0)  # drain() waits until the kernel has everything
        self.writers.append(writer)
        return reader, writer

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passing: Callable[[bytes], tuple[bytes, bool]]
    ) -> None:
        """Forward one direction, until an end goes away."""
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await self.proxy.lag()
                passed, last = passing(chunk)
                for piece in self.proxy.slices(passed):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)  # the other end may read before the next
                if last:
                    self.reset()
                if self.proxy.dropping:
                    break
        if self.proxy.dropping:
            await self._swallow(reader)

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        """Read what comes until the connection is reset; that an end went away stays unknown to the other."""
        with suppress(OSError):
            while await reader.read(CHUNK):
                pass
        await asyncio.Event().wait()

    def _request(self, chunk: bytes) -> tuple[bytes, bool]:
        self.mute = self.mute or (not self.proxy.dropping and self.proxy.loses(chunk))
        return chunk, False

    def _reply(self, chunk: bytes) -> tuple[bytes, bool]:
        if self.proxy.dropping:
            return b"", False
        return (b"", True) if self.mute else self.proxy.allowed(chunk)
