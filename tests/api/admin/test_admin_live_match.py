"""`match: "live"`: a binding takes the items that come to hold its words, without another edit of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.bindings.binding import MAX_ITEMS
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from support.clients import AppClient, client_of

WAIT = "?wait=all&timeout=20s"
ALL = {"category": "brand", "items": {"match": "live"}}


@pytest.fixture
async def admin(plane: Any, whole: Artifact) -> AsyncIterator[AppClient]:
    async with plane(artifact=whole) as client:
        yield client


async def bind(admin: AppClient, *words: str, query: str = WAIT, **body: Any) -> Any:
    return await admin.post(f"/admin/slots{query}", json={**ALL, "words": words, **body})


async def bound(data: AppClient, query: str) -> set[str]:
    answer = (await data.post("/retrieve", json={"query": query, "k": 1000})).json()
    return {item["id"] for item in answer["items"] if item["source"] == "binding"}


async def test_an_item_that_comes_is_bound_and_one_that_loses_the_word_or_goes_is_not(
    admin: AppClient, data: AppClient
) -> None:
    made = await bind(admin, "labubu")
    assert (made.status_code, made.json()["match"], made.json()["item_count"]) == (201, "live", 0)
    assert await bound(data, "labubu") == set()
    for item in ("new-1", "new-2"):
        body = {"title": f"A red mug with a Labubu, {item}"}
        assert (await admin.put(f"/admin/items/{item}{WAIT}", json=body)).status_code == 201
    assert await bound(data, "labubu") == {"new-1", "new-2"}
    assert (await admin.get("/admin/slots/1-4")).json()["found"] == 2
    revision = made.json()["revision"]
    assert (await admin.patch(f"/admin/items/new-1{WAIT}", json={"title": "A red mug"})).is_success
    assert await bound(data, "labubu") == {"new-2"}
    assert (await admin.delete(f"/admin/items/new-2{WAIT}")).is_success
    assert await bound(data, "labubu") == set()
    assert (await admin.get("/admin/replicas")).json()["revision"] == revision, "nothing was written for it"


async def test_it_has_the_items_that_are_listed_beside_those_that_match(admin: AppClient, data: AppClient) -> None:
    items = {"ids": ["i001", "gone"], "match": "live"}
    dry = (await bind(admin, "lamp", query="?dry_run=true", items=items)).json()["items"]
    made = (await bind(admin, "lamp", items=items)).json()
    assert (made["item_count"], dry["missing"]) == (2, ["gone"])
    lamps = await bound(data, "lamp")
    assert "i001" in lamps
    assert len(lamps) == dry["found"] == dry["count"] - 1 >= dry["matched"] > 1
    read = (await admin.get(f"/admin/slots/{made['slot']}")).json()
    assert (read["item_ids"], read["found"]) == (["gone", "i001"], len(lamps))


async def test_a_replica_that_starts_finds_what_the_others_do(
    admin: AppClient, data: AppClient, server: EmbeddedStore, whole: Artifact, tmp_path: Path
) -> None:
    await bind(admin, "mug")
    await admin.put(f"/admin/items/new-1{WAIT}", json={"title": "mugs"})
    settings = Settings(data_dir=tmp_path / "other", redis_url=server.url, replica_id="serve-2")
    async with client_of(create_data_app(settings, whole)) as other, asyncio.timeout(20):
        told = {"catalog": {"seq": 0}, "bindings": {"revision": 0}}
        while (told["catalog"]["seq"], told["bindings"]["revision"]) != (1, 1):
            await asyncio.sleep(0.005)
            told = (await other.post("/retrieve", json={"query": "x"})).json()
        assert await bound(other, "mug") == await bound(data, "mug") > {"new-1"}


async def test_other_words_find_other_items_and_what_is_listed_stays(admin: AppClient, data: AppClient) -> None:
    made = await bind(admin, "lamp", items={"ids": ["i001"], "match": "live"})
    path, tag = f"/admin/slots/{made.json()['slot']}", {"if-match": made.headers["etag"]}
    dry = await admin.patch(f"{path}?dry_run=true", json={"words": ["mug"]}, headers=tag)
    patched = await admin.patch(f"{path}{WAIT}", json={"words": ["mug"]}, headers=tag)
    assert (patched.json()["match"], patched.json()["item_count"]) == ("live", 1)
    mugs = await bound(data, "mug")
    assert len(mugs) == dry.json()["items"]["found"] == dry.json()["items"]["count"]
    assert "i001" in mugs
    tag = {"if-match": patched.headers["etag"]}
    ended = await admin.patch(f"{path}{WAIT}", json={"items": {"ids": ["i002"]}}, headers=tag)
    assert (ended.json()["match"], await bound(data, "mug")) == (False, {"i002"})


async def test_words_that_find_too_many_beside_what_is_listed_are_refused_with_the_count(admin: AppClient) -> None:
    ids = [f"n{number}" for number in range(MAX_ITEMS)]
    made = await bind(admin, "labubu", items={"ids": ids, "match": "live"})
    tag = {"if-match": made.headers["etag"]}
    refused = await admin.patch("/admin/slots/1-4", json={"words": ["mug"]}, headers=tag)
    assert (refused.status_code, refused.json()["count"] > MAX_ITEMS) == (422, True)
    kept = await admin.patch("/admin/slots/1-4", json={"owner": "toys"}, headers=tag)
    assert kept.status_code == 200, "an edit that changes neither is not asked"


async def test_a_draft_may_be_live_from_the_moment_it_is_published(admin: AppClient, data: AppClient) -> None:
    accepted = await admin.post(
        "/admin/suggestions/labubu:accept", json={"category": "brand", "items": {"match": "live"}}
    )
    draft = accepted.json()
    assert (accepted.status_code, draft["state"], draft["match"], draft["item_count"]) == (201, "draft", "live", 0)
    again = await admin.post("/admin/suggestions/labubu:accept", json={"items": {"match": "live"}})
    assert (again.status_code, again.json()["id"]) == (200, draft["id"])
    await admin.put(f"/admin/items/new-1{WAIT}", json={"title": "labubu"})
    tag = {"if-match": draft["etag"]}
    assert (await admin.patch(f"/admin/slots/{draft['id']}{WAIT}", json={"draft": False}, headers=tag)).is_success
    assert await bound(data, "labubu") == {"new-1"}
