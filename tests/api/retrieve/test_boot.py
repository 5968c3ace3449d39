"""A data plane that starts answers nothing before it has read what it served last."""

from __future__ import annotations

import asyncio
from pathlib import Path

import redis

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.bindings.binding import encode_items
from slotbeam.bindings.replica.lastgood import LastGood, file_name, folder, save
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from slotbeam.types import Slot
from support.clients import client_of
from support.live import make_binding, make_listing
from support.shop import make_shop

HANG_S = 30.0


async def test_the_first_answer_shows_the_last_known_good_bindings(tmp_path: Path) -> None:
    shop: Artifact = make_shop(tmp_path / "shop")
    ids = ("i001", "i002")
    good = LastGood(make_listing({Slot(1, 4): make_binding("labubu", ids=ids)}, 7), {encode_items(ids)[0]: ids})
    save(folder(tmp_path) / file_name("data", shop.codebook_sha), shop.codebook_sha, good)
    dead = Settings(data_dir=tmp_path, redis_url=f"unix://{tmp_path}/none")
    async with client_of(create_data_app(dead, shop)) as client:
        answer = (await client.post("/retrieve", json={"query": "labubu", "k": 2})).json()
        assert not client.app.state.whole(), "it would take the place of one that follows the store"
    assert (answer["bindings"]["state"], answer["bindings"]["revision"]) == ("degraded", 7)
    assert sorted(item["id"] for item in answer["items"]) == list(ids)


async def test_a_store_that_was_never_written_to_lacks_nothing(
    tmp_path: Path, server: EmbeddedStore, raw: redis.Redis
) -> None:
    shop: Artifact = make_shop(tmp_path / "shop")
    settings = Settings(data_dir=tmp_path, redis_url=server.url)
    async with client_of(create_data_app(settings, shop)) as client, asyncio.timeout(HANG_S):
        while not client.app.state.whole():
            await asyncio.sleep(0.01)
        assert (await client.get("/info")).json()["bindings"]["state"] == "none"
