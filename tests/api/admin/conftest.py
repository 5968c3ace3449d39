"""A control plane in this process, on a real embedded store that every test gets empty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
import redis
from pydantic import SecretStr

from slotbeam.api.admin import create_admin_app
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from support.clients import AppClient, client_of
from support.shop import without_overflow

TOKEN = "t" * 32


class Plane(Protocol):
    def __call__(self, **options: Any) -> AbstractAsyncContextManager[AppClient]: ...


@pytest.fixture
def settings(server: EmbeddedStore, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, redis_url=server.url, admin_token=SecretStr(TOKEN), replica_id="the-admin")


@pytest.fixture
def plane(raw: redis.Redis, shop: Artifact, settings: Settings) -> Plane:
    """Makes a client of a control plane that is ready, with every scope."""

    @asynccontextmanager
    async def make(**options: Any) -> AsyncIterator[AppClient]:
        app = create_admin_app(options.pop("settings", settings), options.pop("artifact", shop), **options)
        async with client_of(app) as client:
            client.headers["authorization"] = f"Bearer {TOKEN}"
            async with asyncio.timeout(20):
                while (await client.get("/readyz")).status_code != 200:
                    await asyncio.sleep(0.005)
            yield client

    return make


@pytest.fixture
async def admin(plane: Plane) -> AsyncIterator[AppClient]:
    async with plane() as client:
        yield client


@pytest.fixture
async def full(plane: Plane, shop: Artifact) -> AsyncIterator[AppClient]:
    """Of a control plane whose positions have no overflow slots: four bindings fill one."""
    async with plane(artifact=without_overflow(shop)) as client:
        yield client


@pytest.fixture(scope="module")
def whole(tiny_artifact: Path) -> Artifact:
    """An artifact that items can be encoded by."""
    return Artifact.load(tiny_artifact)


@pytest.fixture
async def data(server: EmbeddedStore, whole: Artifact, tmp_path: Path) -> AsyncIterator[AppClient]:
    """A client of a data plane that is ready, of the same store."""
    settings = Settings(data_dir=tmp_path / "serve", redis_url=server.url, replica_id="serve-1")
    async with client_of(create_data_app(settings, whole)) as client:
        async with asyncio.timeout(20):
            while (await client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.005)
        yield client
