"""One real embedded server for each worker; every test gets it empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from slotbeam.bindings.server import EmbeddedStore
from slotbeam.bindings.store import Store
from slotbeam.search.artifact import Artifact
from support.shop import make_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    embedded = EmbeddedStore(tmp_path_factory.mktemp("store"))
    embedded.start()
    yield embedded
    embedded.stop()


@pytest.fixture
def raw(server: EmbeddedStore) -> Iterator[redis.Redis]:
    """The emptied server, past slotbeam."""
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
async def store(server: EmbeddedStore, raw: redis.Redis) -> AsyncIterator[Store]:
    """A store at revision 0."""
    made = Store(server.url, strict=True)
    await made.initialise()
    yield made
    await made.close()
