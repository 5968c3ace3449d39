"""What `up` asks the planes that it starts."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from slotbeam.cli.listening import address

if TYPE_CHECKING:
    import httpx

READY_WITHIN_S = 1.0
EXAMPLE_WITHIN_S = 10.0


async def is_ready(listener: socket.socket, within_s: float = READY_WITHIN_S) -> bool:
    """Return whether the plane behind `listener` answers 200 on `/readyz` in time."""
    answer = await _ask(listener, "/readyz", within_s)
    return answer is not None and answer.status_code == 200


async def example_of(listener: socket.socket, within_s: float = EXAMPLE_WITHIN_S) -> str | None:
    """Return a query that the data plane's artifact understands; None when it names none in time."""
    answer = await _ask(listener, "/info", within_s)
    try:
        return None if answer is None else str(answer.json()["examples"][0])
    except (ValueError, LookupError, TypeError):
        return None


async def _ask(listener: socket.socket, path: str, within_s: float) -> httpx.Response | None:
    """Ask one plane; None when no whole answer comes in time."""
    import httpx  # loaded in the meantime, while the planes start

    try:
        async with (
            asyncio.timeout(within_s),  # httpx's own timeouts begin anew with each byte
            httpx.AsyncClient(base_url=address(listener), timeout=None, trust_env=False, verify=False) as client,
        ):
            return await client.get(path)
    except (OSError, TimeoutError, httpx.HTTPError):
        return None
