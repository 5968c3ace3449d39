"""Clients that keep a pace, where a figure needs one."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import httpx

from torture.edits import Edit
from torture.load import Reader, Writer
from torture.planes import HANG_S

BEHIND_S = 1.0


async def paced(every_s: float, act: Callable[[], Awaitable[Any]]) -> None:
    """Call `act` every `every_s` seconds until cancelled; up to `BEHIND_S` is made up for."""
    due = time.monotonic()
    while True:
        await act()
        now = time.monotonic()
        due = max(due + every_s, now - BEHIND_S)
        await asyncio.sleep(max(0.0, due - now))


async def edit_paced(writer: Writer[Any], every_s: float, seen: Callable[[Edit], None] = lambda _: None) -> None:
    """Edit at a pace; while editing is not `allowed`, stand still. `seen` is told each edit when it was answered."""
    async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:

        async def act() -> None:
            await writer.turn()
            seen(await writer.edit(client))

        await paced(every_s, act)


async def ask_paced(reader: Reader, every_s: float, seen: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
    """Ask at a pace; `seen` is told each answer when it came, `{}` for one that its process took along."""
    async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:

        async def act() -> None:
            seen(await reader.ask(client))

        await paced(every_s, act)


@contextlib.asynccontextmanager
async def working(*clients: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run clients until the block ends. Their errors are its errors."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client) for client in clients]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
