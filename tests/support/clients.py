"""An app in this process, asked over ASGI; each JSON answer must be what its document promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from support.promises import keeper


class AppClient(httpx.AsyncClient):
    """Talks to `app`, which runs in this process."""

    def __init__(self, app: FastAPI, **options: Any) -> None:
        super().__init__(**options)
        self.app = app

    @property
    def plane(self) -> Any:
        """What the requests of `app` share: of either plane, so its type is the caller's to know."""
        return self.app.state.plane


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[AppClient]:
    """Run the lifespan of `app` and talk to it."""
    check = keeper(app)

    async def read_and_check(response: httpx.Response) -> None:
        await response.aread()
        check(response)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    hooks = {"response": [read_and_check]}
    async with (
        app.router.lifespan_context(app),
        AppClient(app, verify=False, transport=transport, base_url="http://t", event_hooks=hooks) as client,
    ):
        yield client


async def ready(client: AppClient, hang_s: float = 20.0) -> None:
    """Wait until the plane behind `client` says that it is ready. Asking it all the while costs more than that."""
    async with asyncio.timeout(hang_s):
        while not client.app.state.ready():
            await asyncio.sleep(0.002)
    assert (await client.get("/readyz")).status_code == 200
