"""What a parent asks the planes that it starts: at the address of their listener, or at a unix socket of their own."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from slotbeam.cli.listening import address

if TYPE_CHECKING:
    import httpx

READY_WITHIN_S = 1.0
EXAMPLE_WITHIN_S = 10.0


async def is_ready(plane: socket.socket | Path, within_s: float = READY_WITHIN_S, path: str = "/readyz") -> bool:
    """Return whether a plane answers 200 on `/readyz`, or on another path, in time."""
    answer = await _ask(plane, path, within_s)
    return answer is not None and answer.status_code == 200


async def metrics_of(plane: Path, within_s: float = READY_WITHIN_S) -> str | None:
    """Return what a plane exports; None when it does not answer in time."""
    answer = await _ask(plane, "/metrics", within_s)
    return None if answer is None or answer.status_code != 200 else answer.text


async def example_of(listener: socket.socket, within_s: float = EXAMPLE_WITHIN_S) -> str | None:
    """Return a query that the data plane's artifact understands; None when it names none in time."""
    answer = await _ask(listener, "/info", within_s)
    try:
        return None if answer is None else str(answer.json()["examples"][0])
    except (ValueError, LookupError, TypeError):
        return None


async def _ask(plane: socket.socket | Path, path: str, within_s: float) -> httpx.Response | None:
    """Ask one plane; None when no whole answer comes in time."""
    import httpx  # loaded in the meantime, while the planes start

    uds, url = (str(plane), "http://plane") if isinstance(plane, Path) else (None, address(plane))
    try:
        async with (
            asyncio.timeout(within_s),  # httpx's own timeouts begin anew with each byte
            httpx.AsyncClient(
                base_url=url,
                timeout=None,
                trust_env=False,
                transport=httpx.AsyncHTTPTransport(verify=False, trust_env=False, uds=uds),
            ) as client,
        ):
            return await client.get(path)
    except (OSError, TimeoutError, httpx.HTTPError):
        return None
