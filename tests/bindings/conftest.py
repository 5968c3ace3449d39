"""One real embedded server for each worker; every test gets it empty."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis

from slotbeam.bindings.server import EmbeddedStore
from slotbeam.bindings.store import Store
from slotbeam.search.artifact import Artifact
from support.shop import make_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
async def store(server: EmbeddedStore, raw: redis.Redis) -> AsyncIterator[Store]:
    """A store at revision 0."""
    made = Store(server.url, strict=True)
    await made.initialise()
    yield made
    await made.close()
