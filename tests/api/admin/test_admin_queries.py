"""From queries without items on a data plane to the admin's list of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.bindings.store.store import Store
from slotbeam.bindings.times import iso
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from support.clients import client_of
from support.live import NOW, Clock

from .conftest import Plane


@pytest.fixture
async def store(server: EmbeddedStore) -> AsyncIterator[Store]:
    store = Store(server.url)
    yield store
    await store.close()


async def ask(data: httpx.AsyncClient, query: str, asker: str = "") -> None:
    headers = {"X-Asker": asker} if asker else {}
    assert (await data.post("/retrieve", json={"query": query}, headers=headers)).json()["items"] == []


async def test_a_query_without_items_is_listed_once_five_askers_asked_it_and_is_not_published_before(
    plane: Plane, shop: Artifact, server: EmbeddedStore, store: Store, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path / "data", redis_url=server.url, replica_id="r1")
    app = create_data_app(settings, shop)
    async with client_of(app) as data, plane(clock=Clock(NOW)) as admin:
        trends = app.state.plane.trends
        trends.clock = Clock(NOW)
        for number in range(4):
            await ask(data, "qwertyuiop", f"user {number}")
            await ask(data, "qwertyuiop", f"user {number}")
        await ask(data, "asdfghjkl")
        assert await trends.report(store, "r1")
        answer = (await admin.get("/admin/queries?answered=none")).json()
        assert answer == {"queries": [], "withheld": 2}
        (published,) = await store.stats()
        assert published["unanswered"] == {"queries": {}, "withheld": 2}
        await ask(data, "QWERTYUIOP ", "user 4")
        assert await trends.report(store, "r1")
        [found] = (await admin.get("/admin/queries")).json()["queries"]
        assert found == {"query": "qwertyuiop", "count": 9, "askers": 5, "last_seen": iso(NOW)}
        exported = (await data.get("/metrics")).text
        assert "slotbeam_retrieve_zero_answers_total 10.0" in exported
        assert "qwertyuiop" not in exported


@pytest.mark.parametrize("query", ["answered=some", "count=0", "count=201", "count=x", "askers=1"])
async def test_wrong_parameters_are_named(plane: Plane, query: str) -> None:
    async with plane() as admin:
        response = await admin.get(f"/admin/queries?{query}")
        assert response.status_code == 422
        assert query.partition("=")[0] in response.text
