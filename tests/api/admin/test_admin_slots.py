"""Bind, read, edit, unbind."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import httpx
import orjson
import pytest
import redis

from slotbeam.api.admin import history
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.bindings.binding import GRACE_MS
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.settings import Settings
from slotbeam.types import Slot, Timings
from support.clients import AppClient, client_of
from support.failing import refusing
from support.live import NOW, Clock, binds, make_binding, write

from .conftest import Plane

LARGE = 5000
BODY: dict[str, Any] = {"words": ["Labubu", "拉布布"], "category": "brand", "items": {"ids": ["i001", "i002"]}}


def snapshot_of(raw: redis.Redis) -> dict[str | bytes, Any]:
    """Everything in the store but heartbeats."""
    return {key: raw.dump(key) for key in sorted(raw.keys()) if ":replica:" not in key}


async def test_binding_answers_slot_etag_revision_and_who_has_it(admin: httpx.AsyncClient) -> None:
    body = {**BODY, "ends_at": "2126-01-01T00:00:00+01:00", "owner": "toys", "reason": "viral  on 20 Nov"}
    body["ends_at"] = None
    response = await admin.post("/admin/slots?wait=all", json=body)
    made = response.json()
    assert response.status_code == 201
    assert (made["slot"], made["position"], made["group"], made["state"]) == ("1-4", 1, "brand", "active")
    assert (made["words"], made["item_count"], made["placement"]) == (["labubu", "拉布布"], 2, "top")
    assert (made["owner"], made["reason"]) == ("toys", "viral on 20 Nov")
    assert (made["revision"], made["durability"], made["replayed"]) == (1, "appendfsync always", False)
    assert response.headers["etag"] == made["etag"] == f'"{made["id"]}.1"'
    assert response.headers["location"] == "/admin/slots/1-4"
    assert response.headers["x-bindings-revision"] == "1"
    [replica] = made["propagation"]["replicas"]
    assert (made["propagation"]["expected"], made["propagation"]["applied"]) == (1, 1)
    assert (replica["id"], replica["revision"], replica["error"]) == ("the-admin", 1, None)


async def test_a_read_that_follows_a_write_sees_it(admin: httpx.AsyncClient) -> None:
    made = (await admin.post("/admin/slots", json=BODY)).json()
    response = await admin.get("/admin/slots/1-4")
    assert response.headers["etag"] == made["etag"]
    assert response.json()["item_ids"] == ["i001", "i002"]
    assert (await admin.get(f"/admin/slots/{made['id']}")).json() == response.json()
    assert (await admin.get("/admin/slots/1-5")).json() == {
        "slot": "1-5",
        "position": 1,
        "group": "brand",
        "state": "free",
    }


async def test_slots_are_listed_and_filtered(admin: httpx.AsyncClient) -> None:
    await admin.post("/admin/slots", json={**BODY, "owner": "Toys"})
    every = (await admin.get("/admin/slots")).json()
    assert (every["revision"], every["state"], every["counts"]) == (1, "live", {"free": 11, "active": 1})
    assert len(every["slots"]) == 12

    async def found(**params: Any) -> list[str]:
        return [s["slot"] for s in (await admin.get("/admin/slots", params=params)).json()["slots"]]

    assert await found(state="active") == ["1-4"]
    assert await found(position=0, state="free") == [f"0-{i}" for i in (6, 7, 8, 9)]
    assert await found(q="ＬＡＢＵ") == ["1-4"]
    assert await found(q="toys") == ["1-4"]
    assert await found(q="nothing") == []


async def test_words_beyond_the_reserved_slots_take_overflow_slots_and_are_found(
    admin: AppClient, shop: Artifact
) -> None:
    words = [f"word{number}" for number in range(9)]
    ids = [f"i{number:03d}" for number in range(9)]
    for word, item in zip(words, ids, strict=True):
        made = await admin.post("/admin/slots", json={**BODY, "words": [word], "items": {"ids": [item]}})
        assert made.status_code == 201
    listed = (await admin.get("/admin/slots", params={"position": 1})).json()
    assert [slot["slot"] for slot in listed["slots"]] == [f"1-{index}" for index in range(4, 13)]
    assert listed["counts"] == {"active": 9, "free": 8}
    snapshot = admin.plane.watcher.holder.current
    for word, item in zip(words, ids, strict=True):
        answer = retrieve(snapshot, SearchRequest(query=f"{word} mug", k=3), Timings())
        assert shop.catalog.ids[answer.hits[0].row] == item
        assert [applied.word for applied in answer.applied] == [word]


async def test_pages_of_slots_are_the_whole_list_whatever_is_freed_in_between(admin: AppClient) -> None:
    for number in range(6):
        draft = number > 3
        await admin.post("/admin/slots", json={**BODY, "words": [f"word{number}"], "draft": draft})
    made = await admin.post("/admin/slots", json={**BODY, "words": ["one"], "slot": "1-12"})
    every = (await admin.get("/admin/slots")).json()
    assert every["next"] is None
    held = (await admin.get("/admin/slots?bound=true")).json()
    assert held["slots"] == [one for one in every["slots"] if one["state"] != "free"]
    assert (len(held["slots"]), held["counts"]) == (7, every["counts"])
    for limit in (1, 4, 14):
        seen: list[Any] = []
        after: str | None = None
        while not seen or after is not None:
            params = {"limit": limit} | ({"after": after} if after else {})
            page = (await admin.get("/admin/slots", params=params)).json()
            assert page["counts"] == every["counts"]
            seen, after = [*seen, *page["slots"]], page["next"]
        assert seen == every["slots"]
    await admin.request("DELETE", "/admin/slots/1-12", headers={"if-match": made.headers["etag"]})
    rest = (await admin.get("/admin/slots", params={"after": "1-12"})).json()["slots"]
    assert [slot["slot"] for slot in rest] == ["2-4", "2-5", "2-6", "2-7", None, None]
    refused = await admin.get("/admin/slots", params={"after": "x"})
    assert (refused.status_code, "after" in refused.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"state": "bound"}, "free, draft, scheduled"),
        ({"position": "3"}, "0 to 2"),
        ({"position": "-1"}, "0 to 2"),
        ({"position": "9" * 5000}, "0 to 2"),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(unmoved: httpx.AsyncClient, params: Any, why: str) -> None:
    response = await unmoved.get("/admin/slots", params=params)
    assert response.status_code == 422
    assert why in response.json()["detail"]


async def test_put_replaces_everything_but_id_and_slot(admin: httpx.AsyncClient) -> None:
    made = (await admin.post("/admin/slots", json={**BODY, "owner": "toys"})).json()
    body = {"words": ["crocs"], "category": "brand", "items": {"ids": ["i003"]}, "placement": "blend"}
    response = await admin.put("/admin/slots/1-4", json=body, headers={"if-match": made["etag"]})
    edited = response.json()
    assert response.status_code == 200
    assert (edited["id"], edited["slot"], edited["revision"]) == (made["id"], "1-4", 2)
    assert (edited["words"], edited["placement"], edited["owner"]) == (["crocs"], "blend", "")
    assert edited["created_at"] == made["created_at"]
    assert (await admin.post("/admin/slots", json=BODY)).status_code == 201  # its old words are free


async def test_patch_changes_what_it_names(admin: httpx.AsyncClient) -> None:
    made = (await admin.post("/admin/slots", json={**BODY, "ends_at": "2030-01-01T00:00:00Z"})).json()
    tag = {"if-match": made["etag"]}
    patched = (await admin.patch("/admin/slots/1-4", json={"placement": "only", "owner": "ann"}, headers=tag)).json()
    assert (patched["placement"], patched["owner"], patched["words"]) == ("only", "ann", made["words"])
    assert (patched["ends_at"], patched["item_count"]) == (made["ends_at"], 2)
    tag = {"if-match": patched["etag"]}
    body = {"words": ["red"], "items": {"match": True}, "ends_at": None}
    patched = (await admin.patch("/admin/slots/1-4", json=body, headers=tag)).json()
    assert (patched["ends_at"], patched["match"], patched["placement"]) == (None, True, "only")
    assert patched["item_count"] > 2


async def test_editing_needs_the_current_etag_and_changes_nothing_without(
    admin: httpx.AsyncClient, raw: redis.Redis
) -> None:
    await admin.post("/admin/slots", json=BODY)
    before = snapshot_of(raw)
    for method, body in (("PUT", BODY), ("PATCH", {"owner": "x"}), ("DELETE", None)):
        missing = await admin.request(method, "/admin/slots/1-4", json=body)
        stale = await admin.request(method, "/admin/slots/1-4", json=body, headers={"if-match": '"b_x.9"'})
        assert (missing.status_code, stale.status_code) == (428, 412)
        assert missing.json()["type"].endswith("precondition-required")
        assert stale.json()["type"].endswith("stale-revision")
    assert snapshot_of(raw) == before


async def test_unbinding_frees_the_slot(admin: httpx.AsyncClient) -> None:
    made = (await admin.post("/admin/slots", json=BODY)).json()
    response = await admin.delete("/admin/slots/1-4?wait=all", headers={"if-match": made["etag"]})
    assert response.status_code == 200
    freed = response.json()
    assert (freed["slot"], freed["state"], freed["revision"], freed["id"]) == ("1-4", "free", 2, made["id"])
    assert freed["propagation"]["applied"] == 1
    assert (await admin.get("/admin/slots?state=active")).json()["slots"] == []
    assert (await admin.delete("/admin/slots/1-4", headers={"if-match": "*"})).status_code == 404


async def test_a_named_slot_is_taken_and_a_full_position_names_three(full: httpx.AsyncClient) -> None:

    def body(word: str, **more: Any) -> dict[str, Any]:
        return {**BODY, "words": [word], **more}

    assert (await full.post("/admin/slots", json=body("a1", slot="1-6"))).json()["slot"] == "1-6"
    taken = await full.post("/admin/slots", json=body("a2", slot="1-6"))
    assert taken.status_code == 409
    assert taken.json()["type"] == "urn:slotbeam:problem:slot-taken"
    assert 'slot 1-6 is bound to "a1" (revision 1)' in taken.json()["detail"]
    for word in ("a2", "a3", "a4"):
        assert (await full.post("/admin/slots", json=body(word))).status_code == 201
    refused = await full.post("/admin/slots", json=body("a5"))
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:slotbeam:problem:no-free-slot"
    assert len(refused.json()["reclaim"]) == 3


async def test_the_same_idempotency_key_answers_again(admin: httpx.AsyncClient, raw: redis.Redis) -> None:
    headers = {"idempotency-key": "key-1"}
    first = await admin.post("/admin/slots", json=BODY, headers=headers)
    before = snapshot_of(raw)
    again = await admin.post("/admin/slots", json=BODY, headers=headers)
    assert again.status_code == first.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    for name in ("slot", "id", "etag", "revision", "words", "item_count"):
        assert again.json()[name] == first.json()[name]
    other = await admin.post("/admin/slots", json={**BODY, "owner": "x"}, headers=headers)
    assert other.status_code == 409
    assert other.json()["type"] == "urn:slotbeam:problem:idempotency-key-reused"
    assert snapshot_of(raw) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_key_answers_again_when_the_binding_is_gone(admin: httpx.AsyncClient, method: str) -> None:
    """The answer was lost, somebody else unbound it, and the caller asks again."""
    made = (await admin.post("/admin/slots", json=BODY)).json()
    body = {"PUT": BODY, "PATCH": {"owner": "ann"}, "DELETE": None}[method]
    headers = {"if-match": made["etag"], "idempotency-key": "edit-1"}
    first = await admin.request(method, "/admin/slots/1-4", json=body, headers=headers)
    await admin.delete("/admin/slots/1-4", headers={"if-match": "*"})
    again = await admin.request(method, "/admin/slots/1-4", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.headers["idempotency-replayed"], again.json()["revision"]) == ("true", 2)
    assert again.headers.get("etag") == first.headers.get("etag")


async def test_a_time_left_out_and_a_time_set_to_null_are_two_requests(admin: httpx.AsyncClient) -> None:
    made = (await admin.post("/admin/slots", json={**BODY, "ends_at": "2030-01-01T00:00:00Z"})).json()
    headers = {"if-match": made["etag"], "idempotency-key": "edit-1"}
    assert (await admin.patch("/admin/slots/1-4", json={"owner": "ann"}, headers=headers)).status_code == 200
    other = await admin.patch("/admin/slots/1-4", json={"owner": "ann", "ends_at": None}, headers=headers)
    assert other.status_code == 409
    assert other.json()["type"] == "urn:slotbeam:problem:idempotency-key-reused"


async def test_a_draft_holds_no_slot_until_it_is_published(admin: httpx.AsyncClient) -> None:
    draft = (await admin.post("/admin/slots", json={**BODY, "draft": True})).json()
    assert (draft["slot"], draft["state"]) == (None, "draft")
    assert (await admin.get("/admin/slots?state=draft")).json()["slots"][0]["id"] == draft["id"]
    path = f"/admin/slots/{draft['id']}"
    published = (await admin.patch(path, json={"draft": False}, headers={"if-match": draft["etag"]})).json()
    assert (published["slot"], published["state"], published["id"]) == ("1-4", "active", draft["id"])


async def test_a_scheduled_binding_holds_its_slot_and_an_expired_one_is_freed_after_the_grace(plane: Plane) -> None:
    clock = Clock(NOW)
    async with plane(clock=clock) as admin:
        body = {**BODY, "starts_at": "2027-01-15T08:00:01Z", "ends_at": "2027-01-15T08:00:02Z"}
        made = (await admin.post("/admin/slots", json=body)).json()
        assert (made["slot"], made["state"]) == ("1-4", "scheduled")
        for later, state in ((1000, "active"), (2000, "expired")):
            clock.now_ms = NOW + later
            assert (await admin.get("/admin/slots/1-4")).json()["state"] == state
        clock.now_ms = NOW + 2000 + GRACE_MS
        admin.plane.watcher.status.note(last_error="wake up")
        async with asyncio.timeout(20):
            while (await admin.get("/admin/slots/1-4")).json()["state"] != "free":
                await asyncio.sleep(0.01)
        entry = (await admin.get("/admin/audit?count=1")).json()["entries"][0]
        assert (entry["op"], entry["actor"], entry["revision"]) == ("expire", "expiry", 2)


async def test_an_emoji_is_bound_like_any_word(admin: httpx.AsyncClient) -> None:
    queries = ["🧸", "red 🧸\ufe0f mug", "gift🧸", "🧸🎁"]
    body = {**BODY, "words": ["🧸\ufe0f"], "sample_queries": [*queries, "🎁"]}
    samples = (await admin.post("/admin/slots?dry_run=true", json=body)).json()["samples"]
    assert [sample["query"] for sample in samples if sample["matches"]] == queries
    assert all(sample["after"][0]["source"] == "binding" for sample in samples[:-1])
    made = await admin.post("/admin/slots?wait=all", json=body)
    assert (made.status_code, made.json()["words"]) == (201, ["🧸"])


@pytest.mark.parametrize("dry_run", ["true", "false"])
async def test_a_conflict_with_an_expired_binding_says_that_it_is_expired_and_how_long_it_stays(
    plane: Plane, dry_run: str
) -> None:
    clock = Clock(NOW)
    async with plane(clock=clock) as admin:
        await admin.post("/admin/slots", json={**BODY, "ends_at": "2027-01-15T08:00:02Z"})
        draft = (await admin.post("/admin/slots", json={**BODY, "draft": True})).json()
        clock.now_ms = NOW + 3000
        row = {"words": ["labubu"], "category": "brand", "items": ["i003"]}
        edits = {
            "the word": admin.post(f"/admin/slots?dry_run={dry_run}", json=BODY),
            "the slot": admin.post(f"/admin/slots?dry_run={dry_run}", json={**BODY, "words": ["x"], "slot": "1-4"}),
            "a draft": admin.patch(
                f"/admin/slots/{draft['id']}?dry_run={dry_run}",
                json={"draft": False},
                headers={"if-match": draft["etag"]},
            ),
            "a row": admin.post(f"/admin/slots:import?dry_run={dry_run}", json=[row]),
            "a row's slot": admin.post(
                f"/admin/slots:import?dry_run={dry_run}", json=[{**row, "words": ["x"], "slot": "1-4"}]
            ),
        }
        for name, edit in edits.items():
            response = await edit
            problem = response.json()
            problem = problem["lines"][0]["problem"] if "lines" in problem else problem
            assert problem["status"] == 409, name
            assert (
                "expired at 2027-01-15T08:00:02.000Z and keeps slot and words until 2027-01-15T08:02:02.000Z"
                in (problem["detail"])
            )
            holder = problem["holder"]
            assert (holder["state"], holder["ends_at"]) == ("expired", "2027-01-15T08:00:02.000Z")
            assert holder["kept_until"] == "2027-01-15T08:02:02.000Z"


async def test_the_audit_says_who_changed_what(admin: httpx.AsyncClient) -> None:
    made = (await admin.post("/admin/slots", json=BODY)).json()
    await admin.delete("/admin/slots/1-4", headers={"if-match": made["etag"]})
    entries = (await admin.get("/admin/audit")).json()["entries"]
    assert [(e["revision"], e["op"], e["actor"]) for e in entries] == [(2, "unbind", "admin"), (1, "bind", "admin")]
    assert entries[0]["changes"][0]["before"] == entries[1]["changes"][0]["after"]
    assert entries[0]["at"].endswith("Z")
    page = (await admin.get("/admin/audit?before=2&count=1")).json()["entries"]
    assert [entry["revision"] for entry in page] == [1]


def log_of_large_entries(raw: redis.Redis) -> list[int]:
    """Write a log of 26 entries. Returns their revisions, newest first."""
    change = json.dumps([{"id": "b_aaaaaaaaaa", "after": "x" * LARGE}])
    for revision in range(1, 26):
        raw.xadd("{sb}:log", {"at": "1", "changes": change}, id=f"{revision}-0")
    raw.xadd("{sb}:log", {"at": "1"}, id=f"{2**64 - 1}-0")  # nobody but a stranger gets so far
    return [2**64 - 1, *range(25, 0, -1)]


@pytest.mark.parametrize("most_bytes", [1, 30_000, history.MAX_BYTES])
@pytest.mark.parametrize("count", [1, 7, 100])
async def test_an_answer_of_the_audit_is_bounded_and_says_where_it_goes_on(
    store: Store, raw: redis.Redis, most_bytes: int, count: int
) -> None:
    wanted = log_of_large_entries(raw)
    told: list[int] = []
    before: int | None = None
    while before is not None or not told:
        entries, before = await history.entries(store, history.Filter(), count, before, most_bytes)
        answer = orjson.dumps(entries)
        assert len(entries) <= count
        assert len(answer) < most_bytes + 2 * LARGE
        told += [entry["revision"] for entry in orjson.loads(answer)]
    assert told == wanted


@pytest.mark.parametrize("count", [1, 7, 100])
async def test_the_audit_is_read_from_end_to_end_by_what_each_answer_says(
    admin: httpx.AsyncClient, raw: redis.Redis, count: int
) -> None:
    wanted = log_of_large_entries(raw)
    told: list[int] = []
    query: str | None = ""
    answers = 0
    while query is not None:
        page = (await admin.get(f"/admin/audit?count={count}{query}")).json()
        assert len(page["entries"]) <= count
        told += [entry["revision"] for entry in page["entries"]]
        query = None if page["next"] is None else f"&before={page['next']}"
        answers += 1
    assert told == wanted
    assert answers <= 27


async def test_every_live_replica_is_waited_for(admin: httpx.AsyncClient, shop: Artifact, settings: Settings) -> None:
    data = create_data_app(settings.model_copy(update={"replica_id": "the-data"}), shop)
    async with client_of(data) as client:
        async with asyncio.timeout(20):
            while len((await admin.get("/admin/replicas")).json()["replicas"]) < 2:
                await asyncio.sleep(0.005)
        made = await admin.post("/admin/slots?wait=all&timeout=20s", json=BODY)
        assert made.status_code == 201
        spread = made.json()["propagation"]
        assert (spread["expected"], spread["applied"]) == (2, 2)
        assert {replica["id"] for replica in spread["replicas"]} == {"the-admin", "the-data"}
        answer = (await client.post("/retrieve", json={"query": "labubu", "k": 2})).json()
        assert answer["bindings"]["revision"] == made.json()["revision"]
        assert {(item["id"], item["source"]) for item in answer["items"]} == {("i001", "binding"), ("i002", "binding")}


async def test_a_replica_that_does_not_apply_makes_it_202_and_is_named(
    admin: httpx.AsyncClient, raw: redis.Redis
) -> None:
    stuck = '{"role": "data", "revision": 0, "state": "hold:DIVERGED", "error": "hold:DIVERGED", "failed": {}}'
    raw.set("{sb}:replica:stuck", stuck, px=60_000)
    made = await admin.post("/admin/slots?wait=all&timeout=50ms", json=BODY)
    assert made.status_code == 202
    assert made.json()["look"] == "/admin/replicas"
    spread = made.json()["propagation"]
    assert (spread["expected"], spread["applied"]) == (2, 1)
    [named] = [replica for replica in spread["replicas"] if replica["id"] == "stuck"]
    assert (named["revision"], named["applied"], "hold:DIVERGED" in named["error"]) == (0, False, True)


async def test_a_heartbeat_that_cannot_be_read_is_shown_and_breaks_nothing(
    admin: httpx.AsyncClient, raw: redis.Redis
) -> None:
    for number, value in enumerate(("", "null", "[]", '{"revision": "x", "failed": []}')):
        raw.set(f"{{sb}}:replica:odd-{number}", value, px=60_000)
    assert (await admin.post("/admin/slots", json=BODY)).status_code == 201
    replicas = (await admin.get("/admin/replicas")).json()["replicas"]
    assert [replica["state"] for replica in replicas].count("unreadable") == 4


@pytest.mark.parametrize("wait", ["", "?wait=all&timeout=5ms"])
async def test_a_success_never_says_that_nothing_was_done(
    admin: httpx.AsyncClient, raw: redis.Redis, wait: str
) -> None:
    """The store answers a commit, and nobody who asks it afterwards who serves the revision."""
    items = {"ids": ["i001"]}
    with refusing(raw, "scan"):
        done = [
            made := await admin.post(f"/admin/slots{wait}", json=BODY),
            patched := await admin.patch(
                f"/admin/slots/1-4{wait}", json={"owner": "toys"}, headers={"if-match": made.headers["etag"]}
            ),
            put := await admin.put(f"/admin/slots/1-4{wait}", json=BODY, headers={"if-match": patched.headers["etag"]}),
            await admin.delete(f"/admin/slots/1-4{wait}", headers={"if-match": put.headers["etag"]}),
            await admin.post(f"/admin/slots:import{wait}", json=[{**BODY, "items": ["i001"]}]),
            await admin.post(f"/admin/suggestions/crocs:accept{wait}", json={"category": "brand", "items": items}),
            await admin.post(f"/admin/suggestions/crocs:accept{wait}", json={"category": "brand"}),
        ]
    in_doubt = [202] * 6 if wait else [201, 200, 200, 200, 200, 201]
    assert [response.status_code for response in done] == [*in_doubt, 200]
    for number, response in enumerate(done):
        spread = response.json()["propagation"]
        assert (spread["expected"], spread["applied"], spread["replicas"]) == (None, None, [])
        assert spread["error"].startswith(f"revision {min(number + 1, 6)} is committed; who serves it is not known: ")
        assert not re.search(r"nothing|not written|refuse", response.text)


async def test_a_binding_of_another_codebook_is_placed_by_an_edit(
    admin: httpx.AsyncClient, server: EmbeddedStore, settings: Settings
) -> None:
    binding = make_binding("crocs")
    store = Store(server.url)
    await write(store, "another-codebook", binds(binding, Slot(1, 4)))
    await store.close()
    path = f"/admin/slots/{binding.id}"
    async with asyncio.timeout(20):
        while (found := await admin.get(path)).status_code == 404:
            await asyncio.sleep(0.005)
    assert (found.json()["slot"], found.json()["state"]) == (None, "failed")
    assert "NACK:MODEL" in found.json()["error"]
    placed = (await admin.patch(path, json={}, headers={"if-match": found.headers["etag"]})).json()
    assert (placed["slot"], placed["state"]) == ("1-4", "active")
    assert (await admin.get("/admin/slots/1-4")).json()["state"] == "active"


async def test_a_plane_that_stops_leaves_no_task_and_no_heartbeat(plane: Plane, raw: redis.Redis) -> None:
    before = asyncio.all_tasks()
    async with plane() as admin:
        await admin.post("/admin/slots", json=BODY)
        assert raw.exists("{sb}:replica:the-admin")
    assert asyncio.all_tasks() == before
    assert not raw.exists("{sb}:replica:the-admin")


async def test_a_store_that_is_down_refuses_writes_and_reads_go_on(
    admin: AppClient, raw: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await admin.post("/admin/slots", json=BODY)
    store = admin.plane.store
    for client in (store.redis, store.writing, store.watching):
        await client.connection_pool.disconnect()
        monkeypatch.setitem(client.connection_pool.connection_kwargs, "path", "/nonexistent/sock")
        client.connection_pool.reset()
    response = await admin.post("/admin/slots", json={**BODY, "words": ["other"]})
    assert response.status_code == 503
    assert response.json()["type"] == "urn:slotbeam:problem:store-unavailable"
    assert "nothing was written" in response.json()["detail"]
    assert (await admin.get("/admin/slots/1-4")).json()["state"] == "active"
    assert (await admin.get("/readyz")).status_code == 200


async def test_a_flushed_store_refuses_writes_instead_of_starting_anew(
    admin: httpx.AsyncClient, raw: redis.Redis
) -> None:
    await admin.post("/admin/slots", json=BODY)
    raw.flushall()
    response = await admin.post("/admin/slots", json={**BODY, "words": ["other"]})
    assert response.status_code == 503
    assert not raw.exists("{sb}:meta", "{sb}:binding")


async def test_probes_and_metrics_need_no_token(admin: httpx.AsyncClient) -> None:
    await admin.post("/admin/slots", json=BODY)
    del admin.headers["authorization"]
    for path in ("/livez", "/readyz", "/info"):
        assert (await admin.get(path)).status_code == 200
    text = (await admin.get("/metrics")).text
    assert 'slotbeam_slots{position="1",state="active"} 1.0' in text
    assert "slotbeam_bindings_applied_revision 1.0" in text


@pytest.mark.parametrize("strict", [True, None])
async def test_a_store_that_may_evict_is_named_at_the_start_and_refused_where_that_is_asked_for(
    plane: Plane, settings: Settings, raw: redis.Redis, capsys: pytest.CaptureFixture[str], strict: bool | None
) -> None:
    raw.config_set("maxmemory-policy", "allkeys-lru")
    try:
        async with plane(settings=settings.model_copy(update={"strict": strict})) as admin:
            answer = await admin.post("/admin/slots", json=BODY)
    finally:
        raw.config_set("maxmemory-policy", "noeviction")
    effect = "edits are refused" if strict else "edits may be lost"
    assert effect in capsys.readouterr().out
    if strict:
        assert (answer.status_code, answer.json()["durability"]) == (503, "unknown")
        assert "noeviction" in answer.json()["detail"]
        assert raw.hget("{sb}:meta", "rev") == "0"
    else:
        assert (answer.status_code, answer.json()["durability"]) == (201, "unknown")
