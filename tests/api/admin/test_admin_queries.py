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


async def test_a_query_that_got_items_is_listed_until_somebody_takes_one_at_any_replica(
    plane: Plane, shop: Artifact, server: EmbeddedStore, store: Store, tmp_path: Path
) -> None:
    apps = [
        create_data_app(Settings(data_dir=tmp_path / "data", redis_url=server.url, replica_id=name), shop)
        for name in ("r1", "r2")
    ]
    async with client_of(apps[0]) as data, client_of(apps[1]) as other, plane(clock=Clock(NOW)) as admin:

        async def listed() -> list[tuple[str, int, int]]:
            for name, app in zip(("r1", "r2"), apps, strict=True):
                app.state.plane.trends.clock = Clock(NOW)
                await app.state.plane.trends.report(store, name)
            found = (await admin.get("/admin/queries?answered=unclicked")).json()["queries"]
            return [(one["query"], one["count"], one["askers"]) for one in found]

        taken = {}
        for query in ("red mug", "blue lamp", "green rug"):
            for number in range(20 if query != "green rug" else 19):
                headers = {"X-Asker": f"user {number % 5}"}
                answer = (await data.post("/retrieve", json={"query": query, "k": 1}, headers=headers)).json()
            taken[query] = {"request_id": answer["request_id"], "item_id": answer["items"][0]["id"], "type": "click"}
        assert await listed() == []  # nobody reports clicks
        await other.post("/events", json={"events": [taken["red mug"]]})
        await other.post("/retrieve", json={"query": "red mug", "k": 1})
        assert await listed() == [("blue lamp", 20, 5)]
        await data.post("/events", json={"events": [taken["blue lamp"]]})
        await data.post("/retrieve", json={"query": "blue lamp", "k": 1})
        assert await listed() == []


@pytest.mark.parametrize("query", ["answered=some", "count=0", "count=201", "count=x", "askers=1"])
async def test_wrong_parameters_are_named(unmoved: httpx.AsyncClient, query: str) -> None:
    response = await unmoved.get(f"/admin/queries?{query}")
    assert response.status_code == 422
    assert query.partition("=")[0] in response.text
