"""The dry run says what a write would do, and does nothing."""

from __future__ import annotations

from typing import Any

import httpx
import redis

from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.suggestions.reporting import TrendReporter
from slotbeam.suggestions.trends import BUCKET_S
from support.clients import AppClient
from support.live import NOW, Clock

from .conftest import Plane

BODY: dict[str, Any] = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i001", "i002", "nope"]}}


async def preview(admin: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    response = await admin.post("/admin/slots?dry_run=true", json=body)
    assert response.status_code == 200
    return dict(response.json())


async def test_a_dry_run_shows_slot_items_and_the_answer_before_and_after(admin: httpx.AsyncClient) -> None:
    found = await preview(admin, {**BODY, "sample_queries": ["red LABUBU mug", "red mug"]})
    assert (found["dry_run"], found["op"], found["slot"], found["revision"]) == (True, "bind", "1-4", 0)
    assert found["items"] == {"count": 3, "found": 2, "matched": None, "missing": ["nope"], "missing_count": 1}
    hit, miss = found["samples"]
    assert (hit["canonical"], hit["matches"]) == ("red labubu mug", True)
    assert hit["spans"] == [{"word": "labubu", "span": [4, 10], "overrides": []}]
    assert {item["id"] for item in hit["after"][:2]} == {"i001", "i002"}
    assert all(item["source"] == "model" for item in hit["before"])
    assert len(hit["before"]) == len(hit["after"]) == 10
    assert not miss["matches"]
    assert miss["before"] == miss["after"]
    assert found["warnings"] == []


async def test_a_dry_run_names_the_base_words_that_are_overridden(admin: httpx.AsyncClient) -> None:
    found = await preview(admin, {**BODY, "words": ["red mug"], "items": {"match": True, "ids": ["i001"]}})
    [word] = found["words"]
    assert (word["word"], word["overrides"]) == (
        "red mug",
        [
            {"word": "red", "slot": "2-1", "label": "red"},
            {"word": "mug", "slot": "0-1", "label": "mug"},
        ],
    )
    [sample] = found["samples"]
    assert sample["query"] == "red mug"
    assert [word["word"] for word in sample["spans"][0]["overrides"]] == ["red", "mug"]
    assert found["items"]["matched"] is not None


async def test_a_dry_run_changes_nothing(admin: AppClient, raw: redis.Redis) -> None:
    made = (await admin.post("/admin/slots", json=BODY)).json()
    before = {key: raw.dump(key) for key in sorted(raw.keys()) if ":replica:" not in key}
    current = admin.plane.holder.current
    tag = {"if-match": made["etag"]}
    assert (await admin.post("/admin/slots?dry_run=true", json={**BODY, "words": ["x1"]})).status_code == 200
    assert (await admin.put("/admin/slots/1-4?dry_run=true", json=BODY, headers=tag)).status_code == 200
    assert (await admin.patch("/admin/slots/1-4?dry_run=true", json={"owner": "x"}, headers=tag)).status_code == 200
    assert (await admin.delete("/admin/slots/1-4?dry_run=true", headers=tag)).status_code == 200
    assert {key: raw.dump(key) for key in sorted(raw.keys()) if ":replica:" not in key} == before
    assert admin.plane.holder.current is current


async def test_a_dry_run_finds_the_same_conflicts_as_the_commit(admin: httpx.AsyncClient) -> None:
    await admin.post("/admin/slots", json=BODY)
    taken = await admin.post("/admin/slots?dry_run=true", json=BODY)
    real = await admin.post("/admin/slots", json=BODY)
    assert taken.status_code == real.status_code == 409
    assert taken.json() == real.json()
    assert (await admin.delete("/admin/slots/1-4?dry_run=true")).status_code == 428


async def test_a_dry_run_of_unbinding_shows_the_answer_of_before_the_binding(admin: httpx.AsyncClient) -> None:
    without = (await preview(admin, BODY))["samples"][0]["before"]
    made = (await admin.post("/admin/slots", json=BODY)).json()
    response = await admin.delete("/admin/slots/1-4?dry_run=true", headers={"if-match": made["etag"]})
    [sample] = response.json()["samples"]
    assert sample["before"][0]["source"] == "binding"
    assert sample["after"] == without
    assert response.json()["items"] is None


async def test_a_dry_run_of_a_draft_or_a_scheduled_binding_shows_it_as_if_active(admin: httpx.AsyncClient) -> None:
    for more, state in (({"draft": True}, "draft"), ({"starts_at": "2030-01-01T00:00:00Z"}, "scheduled")):
        found = await preview(admin, {**BODY, **more})
        assert found["samples"][0]["after"][0]["source"] == "binding"
        assert f"would be {state}" in found["warnings"][0]


async def test_a_sample_query_that_cannot_be_asked_says_why(admin: httpx.AsyncClient) -> None:
    found = await preview(admin, {**BODY, "sample_queries": ["\u200b", "labubu"]})
    assert "no visible character" in found["samples"][0]["error"]
    assert found["samples"][1]["matches"]


async def test_a_dry_run_says_how_many_items_a_match_takes_and_what_share_of_recent_queries(
    plane: Plane, server: EmbeddedStore
) -> None:
    body = {"words": ["labubu", "green"], "category": "brand", "items": {"match": True}}
    store, clock = Store(server.url), Clock(NOW)
    async with plane(clock=clock) as admin:
        nothing = (await preview(admin, body))["traffic"]
        assert nothing == {"sampled": 0, "taken": 0, "share": None, "examples": []}
        for replica in ("r1", "r2"):
            reporter = TrendReporter(clock)
            for number in range(20):
                reporter.note("red mug" if number % 4 else f"labubu mug {replica}", [])
            assert await reporter.report(store, replica)
        found = await preview(admin, body)
        green = sum("green" in text.split() for text in admin.plane.artifact.catalog.texts)
        assert found["items"]["matched"] == found["items"]["count"] == green > 0
        traffic = found["traffic"]
        assert sorted(traffic.pop("examples")) == ["labubu mug r1", "labubu mug r2"]
        assert traffic == {"sampled": 40, "taken": 10, "share": 0.25}
        made = (await admin.post("/admin/slots", json=body)).json()
        freed = await admin.delete(f"/admin/slots/{made['slot']}?dry_run=true", headers={"if-match": made["etag"]})
        assert freed.json()["traffic"]["taken"] == 10, "what it takes now"
        clock.now_ms += 25 * BUCKET_S * 1000
        assert (await preview(admin, {**body, "words": ["crocs", "lamp"]}))["traffic"]["sampled"] == 0, "a day ago"
    await store.close()


async def test_dry_run_and_answer_warn_of_a_word_under_another_category_because_its_own_is_full(
    full: httpx.AsyncClient,
) -> None:
    for number in range(4):
        made = await full.post("/admin/slots", json={**BODY, "words": [f"filler{number}"]})
        assert made.json()["warnings"] == []
    body = {**BODY, "words": ["acme"], "category": "entity"}
    [warning] = (await preview(full, body))["warnings"]
    assert warning.startswith('"acme" has the category brand in the dictionary, and all 4 reserved slots of brand')
    assert (await full.post("/admin/slots", json=body, headers={"idempotency-key": "a"})).json()["warnings"] == [
        warning
    ]
    again = await full.post("/admin/slots", json=body, headers={"idempotency-key": "a"})
    assert (again.json()["replayed"], again.json()["warnings"]) == (True, [warning])
    draft = await full.post("/admin/slots", json={**body, "words": ["bolt"], "draft": True})
    assert draft.json()["warnings"] == []
    address, tag = f"/admin/slots/{draft.json()['id']}", {"if-match": draft.json()["etag"]}
    published = await full.patch(address, json={"draft": False}, headers=tag)
    assert published.json()["warnings"][0].startswith('"bolt" has the category brand')


async def test_a_file_is_warned_of_line_by_line_where_its_own_rows_fill_the_position(full: httpx.AsyncClient) -> None:
    rows = [{"words": [f"filler{n}"], "category": "brand", "items": ["i001"]} for n in range(4)]
    rows.append({"words": ["acme"], "category": "entity", "items": ["i001"]})
    for dry_run in ("true", "false"):
        answer = (await full.post(f"/admin/slots:import?dry_run={dry_run}", json=rows)).json()
        assert [len(line["warnings"]) for line in answer["lines"]] == [0, 0, 0, 0, 1]


async def words_of(admin: httpx.AsyncClient, *words: str, **said: Any) -> dict[str, dict[str, Any]]:
    body = {"words": list(words), "category": "brand", "items": {"ids": ["i001"]}, **said}
    return {one["word"]: one for one in (await preview(admin, body))["words"]}


async def test_a_dry_run_lists_the_spellings_that_will_match_those_that_people_use_first(
    plane: Plane, server: EmbeddedStore
) -> None:
    store, clock = Store(server.url), Clock(NOW)
    async with plane(clock=clock) as admin:
        reporter = TrendReporter(clock)
        reporter.note("red tshirts", [])
        assert await reporter.report(store, "r1")
        word = (await words_of(admin, "t-shirt"))["t-shirt"]
        assert word["spellings"][0] == {"text": "tshirts", "seen": "queries"}
        guessed = {one["text"] for one in word["spellings"] if one["seen"] is None}
        assert guessed == {"t shirt", "tshirt", "t-shirts"}
        assert word["characters"] is None
        assert (await words_of(admin, "t-shirt", exact=True))["t-shirt"]["spellings"] == []
        green = (await words_of(admin, "mugs"))["mugs"]["spellings"]
        assert {"text": "mug", "seen": "dictionary"} in green or {"text": "mug", "seen": "catalog"} in green
    await store.close()


async def test_a_dry_run_lists_no_spelling_that_another_binding_has(admin: httpx.AsyncClient) -> None:
    await admin.post("/admin/slots", json={**BODY, "words": ["résumé"], "exact": True})
    assert (await words_of(admin, "resumes", exact=True))["resumes"]["spellings"] == []
    spelt = await words_of(admin, "crème brûlée")
    assert "creme brulee" in {one["text"] for one in spelt["crème brûlée"]["spellings"]}


async def test_a_dry_run_says_which_words_of_a_binding_are_not_needed(admin: httpx.AsyncClient) -> None:
    words = await words_of(admin, "tshirt", "t-shirt", "t-shirts", "résumé", "resume", "tee")
    assert {word: one["spelling_of"] for word, one in words.items()} == {
        "tshirt": "t-shirt",
        "t-shirt": None,
        "t-shirts": "t-shirt",
        "résumé": None,
        "resume": "résumé",
        "tee": None,
    }
    exact = await words_of(admin, "tshirt", "t-shirt", exact=True)
    assert [one["spelling_of"] for one in exact.values()] == [None, None]


async def test_a_dry_run_says_what_the_characters_of_a_word_without_spaces_stand_in(plane: Plane, shop: Any) -> None:
    async with plane() as admin:
        characters = (await words_of(admin, "京都"))["京都"]["characters"]
        assert characters == {"words": [], "titles": []}
