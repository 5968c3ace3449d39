"""From queries on a data plane to a suggestion, to a draft, or to never again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import redis

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.bindings.store.store import STATS_TTL_S, Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from slotbeam.suggestions.reporting import TrendReporter
from slotbeam.suggestions.trends import BUCKET_S
from support.clients import client_of
from support.live import NOW, Clock
from support.replies import told
from torture.proxy import Proxy

from .conftest import Plane

HOUR_MS = BUCKET_S * 1000


@pytest.fixture
async def store(server: EmbeddedStore) -> AsyncIterator[Store]:
    store = Store(server.url)
    yield store
    await store.close()


async def report_burst(store: Store, word: str, replica: str = "r1", count: int = 30) -> None:
    """A day without the word, then an hour with it, as replica `replica` reports it."""
    clock = Clock(NOW - 24 * HOUR_MS)
    reporter = TrendReporter(clock)
    while clock.now_ms < NOW:
        for number in range(20):
            reporter.note(f"red mug {number}", [])
        reporter.drain()
        clock.now_ms += HOUR_MS
    for number in range(count):
        reporter.note(f"{word} mug {number % 6}", [word])
    assert await reporter.report(store, replica)


async def suggestions(admin: httpx.AsyncClient) -> list[dict[str, Any]]:
    response = await admin.get("/admin/suggestions")
    assert response.status_code == 200
    found: list[dict[str, Any]] = response.json()["suggestions"]
    return found


async def test_what_queries_suddenly_ask_for_is_suggested(
    plane: Plane, shop: Artifact, server: EmbeddedStore, store: Store, raw: redis.Redis, tmp_path: Path
) -> None:
    clock = Clock(NOW - 3 * HOUR_MS)
    settings = Settings(data_dir=tmp_path / "data", redis_url=server.url, replica_id="r1")
    app = create_data_app(settings, shop)
    async with client_of(app) as data, plane(clock=Clock(NOW)) as admin:
        trends = app.state.plane.trends
        trends.clock = clock
        for number in range(40):
            await data.post("/retrieve", json={"query": f"red mug {number}", "k": 1})
        trends.drain()
        clock.now_ms = NOW
        for number in range(25):
            await data.post("/retrieve", json={"query": f"Red  NUMBER {number % 5} mug", "k": 1})
        assert await suggestions(admin) == []  # nothing is published yet
        assert await trends.report(store, "r1")
        [found] = await suggestions(admin)
        assert 0 < raw.ttl("{sb}:stats:r1") <= STATS_TTL_S
    assert found == {
        "word": "number",
        "queries": 25,
        "hours": 2,
        "share": 1.0,
        "past_share": 0.0,
        "evidence": found["evidence"],
        "examples": ["red number 0 mug", "red number 1 mug", "red number 2 mug"],
        "category": found["categories"][0]["category"],
        "why": found["categories"][0]["why"],
        "categories": found["categories"],
        "items": 60,
    }
    assert found["evidence"] > 13.8
    shares = [guess["share"] for guess in found["categories"]]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)
    assert all(guess["why"] for guess in found["categories"])


async def test_accepting_opens_a_draft_on_no_slot_and_ends_the_suggestion(plane: Plane, store: Store) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, "number")
        [offered] = await suggestions(admin)
        headers = {"idempotency-key": "one"}
        response = await admin.post("/admin/suggestions/number:accept", headers=headers)
        draft = response.json()
        assert response.status_code == 201
        assert (draft["state"], draft["slot"], draft["match"], draft["item_count"]) == ("draft", None, True, 60)
        assert (draft["words"], draft["category"]) == (["number"], offered["category"])
        assert draft["reason"] == f"suggested by queries; {offered['category']}: {offered['why']}"[:256]
        assert await suggestions(admin) == []
        again = await admin.post("/admin/suggestions/number:accept", headers=headers)
        assert (again.status_code, again.json()["id"]) == (201, draft["id"])
        assert again.headers["idempotency-replayed"] == "true"
        entry = (await admin.get("/admin/audit?count=1")).json()["entries"][0]
        assert (entry["op"], entry["actor"]) == ("bind", "admin")


async def test_an_operator_may_choose_category_and_items(plane: Plane, store: Store) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, "labubu")
        [found] = await suggestions(admin)
        assert (found["word"], found["items"]) == ("labubu", 0)
        refused = await admin.post("/admin/suggestions/labubu:accept")
        assert refused.status_code == 422
        assert "name items by their ids" in refused.json()["detail"]
        body = {"category": "color", "items": {"ids": ["i001"]}, "owner": "toys"}
        draft = (await admin.post("/admin/suggestions/labubu:accept", json=body)).json()
        assert (draft["state"], draft["category"], draft["item_count"], draft["owner"]) == ("draft", "color", 1, "toys")
        assert draft["reason"] == "suggested by queries; color: chosen by hand"


async def test_a_dry_run_of_accepting_writes_nothing(plane: Plane, store: Store) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, "number")
        response = await admin.post("/admin/suggestions/number:accept?dry_run=true")
        assert response.status_code == 200
        assert len(await suggestions(admin)) == 1


async def test_a_dismissed_word_is_never_suggested_again(plane: Plane, store: Store, raw: redis.Redis) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, "labubu")
        assert len(await suggestions(admin)) == 1
        first = await admin.post("/admin/suggestions/LABUBU:dismiss")
        again = await admin.post("/admin/suggestions/labubu:dismiss")
        assert first.json() == {"word": "labubu", "dismissed": True, "new": True}
        assert again.json()["new"] is False
        assert await suggestions(admin) == []
        assert json.loads(told(str, raw.hget("{sb}:dismissed", "labubu"))) == {"actor": "admin", "at": NOW}
    async with plane(clock=Clock(NOW)) as admin:  # a control plane that is started anew
        await report_burst(store, "labubu", "r2", 300)
        assert await suggestions(admin) == []


async def test_a_dismissal_that_got_no_reply_says_that_it_may_have_happened(
    plane: Plane, settings: Settings, server: EmbeddedStore, raw: redis.Redis, tmp_path: Path
) -> None:
    async with Proxy(tmp_path / "proxy", server.socket_path) as proxy:
        async with plane(settings=settings.model_copy(update={"redis_url": proxy.url})) as admin:
            proxy.lose_reply(lambda command: b"HSETNX" in command)
            response = await admin.post("/admin/suggestions/labubu:dismiss")
        assert response.status_code == 503
        assert response.json()["type"] == "urn:slotbeam:problem:outcome-unknown"
        assert raw.hexists("{sb}:dismissed", "labubu")


async def test_replicas_are_merged_and_a_foreign_value_is_left_out(
    plane: Plane, store: Store, raw: redis.Redis
) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, "labubu", "r1", 15)
        assert await suggestions(admin) == []
        await report_burst(store, "labubu", "r2", 15)
        for name, value in (("a", "{"), ("b", "[" * 100_000), ("c", "\xff"), ("d", '{"format": 1}')):
            raw.set("{sb}:stats:" + name, value)
        assert [(found["word"], found["queries"]) for found in await suggestions(admin)] == [("labubu", 30)]


@pytest.mark.parametrize(
    ("word", "body", "status"),
    [
        ("!", None, 422),
        ("x" * 65, None, 422),
        ("labubu", {"category": "colour"}, 422),
        ("labubu", {"words": ["x"]}, 422),
        ("labubu", {"items": {}}, 422),
    ],
)
async def test_what_makes_no_sense_is_refused(admin: httpx.AsyncClient, word: str, body: Any, status: int) -> None:
    response = await admin.post(f"/admin/suggestions/{word}:accept", **({} if body is None else {"json": body}))
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_body_of_another_type_is_refused(admin: httpx.AsyncClient) -> None:
    response = await admin.post("/admin/suggestions/labubu:accept", content=b"{}", headers={"content-type": "text/x"})
    assert response.status_code == 415


async def drafts_of(admin: httpx.AsyncClient, word: str) -> list[str]:
    slots = (await admin.get(f"/admin/slots?q={word}")).json()["slots"]
    return [slot["id"] for slot in slots if word in slot.get("words", ())]


async def test_a_word_accepted_twice_is_one_draft_and_one_answer(plane: Plane, store: Store) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, "number")
        first = await admin.post("/admin/suggestions/number:accept")
        again = await admin.post("/admin/suggestions/NUMBER:accept", headers={"idempotency-key": "another"})
        assert (first.status_code, again.status_code) == (201, 200)
        assert {**again.json(), "replayed": False, "propagation": None} == {**first.json(), "propagation": None}
        assert again.json()["replayed"] is True
        assert again.headers["etag"] == first.headers["etag"]
        assert await drafts_of(admin, "number") == [first.json()["id"]]
        dry = await admin.post("/admin/suggestions/number:accept?dry_run=true")
        assert (dry.status_code, dry.json()["id"]) == (200, first.json()["id"])


async def test_an_accept_that_changes_nothing_waits_for_the_disk_too(
    plane: Plane, store: Store, raw: redis.Redis
) -> None:
    raw.config_set("appendfsync", "everysec")
    try:
        async with plane(clock=Clock(NOW)) as admin:
            await report_burst(store, "number")
            await admin.post("/admin/suggestions/number:accept")
            raw.config_resetstat()
            again = await admin.post("/admin/suggestions/number:accept")
        assert (again.json()["replayed"], again.json()["durability"]) == (True, "waitaof")
        assert raw.info("commandstats")["cmdstat_waitaof"]["calls"] >= 1
    finally:
        raw.config_set("appendfsync", "always")


async def test_of_many_accepts_at_once_one_opens_a_draft(plane: Plane, store: Store) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, "number")
        answers = await asyncio.gather(*(admin.post("/admin/suggestions/number:accept") for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert {answer.json()["id"] for answer in answers} == set(await drafts_of(admin, "number"))
        assert len({answer.json()["revision"] for answer in answers}) == 1


async def test_two_control_planes_accept_a_word_at_once_and_open_one_draft(
    plane: Plane, store: Store, settings: Settings, tmp_path: Path
) -> None:
    other = settings.model_copy(update={"data_dir": tmp_path / "other", "replica_id": "the-other"})
    async with plane(clock=Clock(NOW)) as one, plane(clock=Clock(NOW), settings=other) as two:
        await report_burst(store, "number")
        answers = await asyncio.gather(
            *(client.post("/admin/suggestions/number:accept") for client in (one, two) for _ in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_word_accepted_with_items_needs_none_the_second_time(plane: Plane, store: Store) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, "labubu")
        body = {"category": "color", "items": {"ids": ["i001"]}, "owner": "toys"}
        first = await admin.post("/admin/suggestions/labubu:accept", json=body)
        same = await admin.post("/admin/suggestions/labubu:accept", json=body)
        bare = await admin.post("/admin/suggestions/labubu:accept")
        assert [first.status_code, same.status_code, bare.status_code] == [201, 200, 200]
        assert {first.json()["id"]} == {same.json()["id"], bare.json()["id"]} == set(await drafts_of(admin, "labubu"))


@pytest.mark.parametrize(
    "body",
    [
        {"category": "brand"},
        {"items": {"ids": ["i002"]}},
        {"items": {"ids": ["i001"], "match": "live"}},
        {"owner": "shoes"},
    ],
)
async def test_a_second_accept_that_asks_for_another_binding_is_a_conflict_that_names_the_first(
    plane: Plane, store: Store, body: dict[str, Any]
) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, "labubu")
        given = {"category": "color", "items": {"ids": ["i001"]}, "owner": "toys"}
        first = (await admin.post("/admin/suggestions/labubu:accept", json=given)).json()
        refused = await admin.post("/admin/suggestions/labubu:accept", json=body)
        assert refused.status_code == 409
        assert refused.json()["type"] == "urn:slotbeam:problem:word-taken"
        assert refused.json()["holder"]["binding"] == first["id"]


async def test_accepting_a_word_that_is_live_answers_with_its_binding(plane: Plane, store: Store) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        bound = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i001"]}}
        live = (await admin.post("/admin/slots", json=bound)).json()
        again = await admin.post("/admin/suggestions/labubu:accept")
        assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, live["id"], "active")
        assert again.json()["slot"] == live["slot"]


async def test_of_many_dismissals_at_once_one_is_new(plane: Plane, store: Store) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, "labubu")
        answers = await asyncio.gather(*(admin.post("/admin/suggestions/labubu:dismiss") for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        assert sorted(answer.json()["new"] for answer in answers) == [False] * 7 + [True]
        assert await suggestions(admin) == []


@pytest.mark.parametrize("word", ["拉布布", "лабубу", "ｌａｂｕｂｕ", "café", "=cmd"])
async def test_a_word_of_any_script_is_suggested_accepted_and_dismissed(plane: Plane, store: Store, word: str) -> None:
    canonical = normalize(word).lstrip("=")
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, canonical)
        [found] = await suggestions(admin)
        assert found["word"] == canonical
        assert found["examples"][0] == f"{canonical} mug 0"
        path = f"/admin/suggestions/{quote(word)}"
        body = {"items": {"ids": ["i001"]}}
        if word[0] != "=":
            made = await admin.post(f"{path}:accept", json=body)
            assert (made.status_code, made.json()["words"]) == (201, [canonical])
        assert (await admin.post(f"/admin/suggestions/{quote(canonical)}:dismiss")).json()["word"] == canonical


@pytest.mark.parametrize(
    ("bound", "exact", "asked", "suggested"),
    [
        ("t-shirt", False, "tshirt", False),
        ("t-shirt", False, "tshirts", False),
        ("résumé", False, "resume", False),
        ("résumé", True, "resume", True),
        ("dress", False, "press", True),
    ],
)
async def test_a_spelling_of_a_bound_word_is_not_suggested_and_accepting_it_opens_nothing(
    plane: Plane, store: Store, bound: str, exact: bool, asked: str, suggested: bool
) -> None:
    """The word was asked for before it was bound: it is counted as it was typed."""
    async with plane(clock=Clock(NOW)) as admin:
        await report_burst(store, asked)
        assert [found["word"] for found in await suggestions(admin)] == [asked]
        body = {"words": [bound], "category": "brand", "items": {"ids": ["i001"]}, "exact": exact}
        made = await admin.post("/admin/slots?wait=all", json=body)
        assert made.status_code == 201
        assert [found["word"] for found in await suggestions(admin)] == ([asked] if suggested else [])
        given = {"category": "brand", "items": {"ids": ["i001"]}}
        accepted = await admin.post(f"/admin/suggestions/{asked}:accept", json=given)
        assert accepted.status_code == (201 if suggested else 200)
        assert (accepted.json()["id"] == made.json()["id"]) is not suggested
