"""An app in this process, asked over ASGI; each JSON answer must be what its document promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from support.promises import keeper


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Run the lifespan of `app` and talk to it."""
    check = keeper(app)

    async def read_and_check(response: httpx.Response) -> None:
        await response.aread()
        check(response)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    hooks = {"response": [read_and_check]}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(verify=False, transport=transport, base_url="http://t", event_hooks=hooks) as client,
    ):
        yield client
