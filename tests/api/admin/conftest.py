"""A control plane in this process, on a real embedded store that every test gets empty."""

from __future__ import annotations

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
from support.clients import AppClient, client_of, ready
from support.shop import without_overflow

TOKEN = "t" * 32
EDITED = ("{sb}:meta", "{sb}:binding", "{sb}:word", "{sb}:log", "{sb}:idem", "{sb}:slots:*", "{sb}:items:*")


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
            await ready(client)
            yield client

    return make


@pytest.fixture
async def admin(plane: Plane) -> AsyncIterator[AppClient]:
    async with plane() as client:
        yield client


@pytest.fixture(scope="module")
async def standing(shop: Artifact, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AppClient]:
    """A control plane on a store of its own, for the tests of a module that leave everything as it was."""
    directory = tmp_path_factory.mktemp("standing")
    with EmbeddedStore(directory) as store:
        settings = Settings(data_dir=directory, redis_url=store.url, admin_token=SecretStr(TOKEN))
        async with client_of(create_admin_app(settings, shop)) as client:
            client.headers["authorization"] = f"Bearer {TOKEN}"
            await ready(client)
            yield client


@pytest.fixture
async def unmoved(standing: AppClient) -> AsyncIterator[AppClient]:
    """The same one; that nothing was written is part of every test."""
    with redis.Redis.from_url(standing.plane.settings.redis_url) as raw:
        before = edited(raw)
        yield standing
        assert edited(raw) == before


def edited(raw: redis.Redis) -> dict[bytes | str, Any]:
    """All that an edit could change."""
    return {key: raw.dump(key) for pattern in EDITED for key in sorted(raw.keys(pattern))}


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
        await ready(client)
        yield client
