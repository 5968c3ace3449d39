"""TLS before a store on a unix socket: what a Redis behind a private CA looks like from outside."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

FILES = Path(__file__).parent / "tls"
CA, OTHER_CA = FILES / "ca.pem", FILES / "other.pem"
CERTIFICATE, KEY = FILES / "server.pem", FILES / "server.key"


@contextlib.asynccontextmanager
async def tls_proxy(target: Path, address: str = "127.0.0.1", *, asks_clients: bool = False) -> AsyncIterator[int]:
    """Serve `target` over TLS with a certificate for localhost and 127.0.0.1; gives the port.

    Args:
        address: to listen on.
        asks_clients: for a certificate, which Redis does by default.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    if asks_clients:
        context.load_verify_locations(CA)
        context.verify_mode = ssl.CERT_REQUIRED

    async def forward(source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(1 << 16):
                drain.write(chunk)
                await drain.drain()
        drain.close()

    async def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            back, out = await asyncio.open_unix_connection(target)
            await asyncio.gather(forward(reader, out), forward(back, writer))

    async with await asyncio.start_server(link, address, 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]
