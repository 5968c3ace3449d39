"""Fixtures of the whole suite. `async def` tests run on asyncio through anyio's plugin (`anyio_mode = "auto"`)."""

from __future__ import annotations

import gc
import os
import sys

# Before anything loads a BLAS, here and in every process that a test starts: threads that wait for each other on busy
# cores made single tests a hundred times slower, and `pytest` alone runs as `make test` does.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, settings

from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from support.sharing import Once
from support.shop import make_shop
from support.tiny import write_tiny_artifact

# A busy machine is no fault of what is tested: no property fails by the clock.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# Nothing of what is collected is garbage.
gc.disable()


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives to the end anyway: modules and tests, a sixth of some rooms' time.

    FastAPI keeps the last fifty applications alive, a million objects: to go through all of them takes half a second,
    so it is done less often than usual.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 5, 10)
    gc.enable()


def pytest_sessionfinish() -> None:
    """Keep what `make coverage` measured: xdist kills a worker 10 s after its last test, whatever it still does."""
    if coverage := sys.modules.get("coverage"):
        measured = coverage.Coverage.current()
        if measured is not None:
            measured.save()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SLOTBEAM_") and name != "SLOTBEAM_SYSTEM"]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    base = tmp_path_factory.getbasetemp()
    return Once(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base)


@pytest.fixture(scope="session")
def tiny_artifact(once: Once) -> Path:
    """A complete artifact of 120 items and random weights."""
    return once("tiny", write_tiny_artifact)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A real store, one for each worker."""
    with EmbeddedStore(tmp_path_factory.mktemp("store")) as embedded:
        yield embedded


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


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A small shop with every category; made once for each worker. Do not change it."""
    return make_shop(tmp_path_factory.mktemp("shop"))
