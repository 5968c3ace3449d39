"""Live items over HTTP: read, put, patched, deleted, in batches; who has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from support.clients import AppClient, client_of

MUG = {"title": "A red mug", "attributes": {"color": "red"}, "fields": {"price": 12.5, "department": "home"}}


@pytest.fixture
async def data(server: EmbeddedStore, shop: Artifact, tmp_path: Path) -> AsyncIterator[AppClient]:
    settings = Settings(data_dir=tmp_path / "serve", redis_url=server.url, replica_id="serve-1")
    async with client_of(create_data_app(settings, shop)) as client:
        async with asyncio.timeout(20):
            while (await client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.005)
        yield client


async def put(client: httpx.AsyncClient, item_id: str, body: Any = MUG, query: str = "", **headers: str) -> Any:
    return await client.put(f"/admin/items/{item_id}{query}", json=body, headers=headers)


async def test_an_item_that_is_put_is_in_every_replica_before_the_answer(admin: AppClient, data: AppClient) -> None:
    made = await put(admin, "new-1", query="?wait=all&timeout=20s")
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["did"], body["seq"], body["edit_seq"]) == ("created", 1, 1)
    assert body["propagation"]["applied"] == body["propagation"]["expected"] == 2
    assert {row["id"]: row["seq"] for row in body["propagation"]["replicas"]} == {"serve-1": 1, "the-admin": 1}
    read = await admin.get("/admin/items/new-1")
    assert read.json() == {"id": "new-1", "item": {**MUG, "id": "new-1"}, "seq": 1, "etag": made.headers["etag"]}
    answer = (await data.post("/retrieve", json={"query": "red mug"})).json()
    assert answer["catalog"] == {"index": "shop", "state": "live", "seq": 1}
