"""Live items over HTTP: read, put, patched, deleted, in batches; who has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import orjson
import pytest
import redis

from slotbeam.access.tokens import TokenFile
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from support.clients import AppClient
from support.items import Remembering
from support.live import NOW, Clock

MUG = {"title": "A red mug", "attributes": {"color": "red"}, "fields": {"price": 12.5, "department": "home"}}


@pytest.fixture
async def admin(plane: Any, whole: Artifact) -> AsyncIterator[AppClient]:
    async with plane(artifact=whole) as client:
        yield client


async def put(client: httpx.AsyncClient, item_id: str, body: Any = MUG, query: str = "", **headers: str) -> Any:
    return await client.put(f"/admin/items/{item_id}{query}", json=body, headers=headers)


async def batch(client: httpx.AsyncClient, *operations: Any, query: str = "", **headers: str) -> Any:
    return await client.post(f"/admin/items:batch{query}", json={"operations": operations}, headers=headers)


async def test_an_item_that_is_put_is_in_every_replica_before_the_answer(admin: AppClient, data: AppClient) -> None:
    made = await put(admin, "new-1", query="?wait=all&timeout=20s")
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["did"], body["seq"], body["edit_seq"]) == ("created", 1, 1)
    assert body["propagation"]["applied"] == body["propagation"]["expected"] == 2
    assert {row["id"]: row["seq"] for row in body["propagation"]["replicas"]} == {"serve-1": 1, "the-admin": 1}
    read = (await admin.get("/admin/items/new-1")).json()
    assert datetime.fromisoformat(read.pop("changed_at"))
    told = {"id": "new-1", "item": {**MUG, "id": "new-1"}, "seq": 1, "etag": made.headers["etag"]}
    assert read == {**told, "changed_by": "admin"}
    answer = (await data.post("/retrieve", json={"query": "a red mug", "filter": {"price": 12.5}})).json()
    assert "new-1" in {item["id"] for item in answer["items"]}
    assert answer["catalog"] == {"index": "tiny", "state": "live", "seq": 1}
    [beat] = [row for row in (await admin.get("/admin/replicas")).json()["replicas"] if row["id"] == "serve-1"]
    assert (beat["items"]["seq"], beat["items"]["count"], beat["items"]["failed"]) == (1, 1, {})


async def test_a_replica_that_could_not_take_an_item_is_named_and_the_answer_is_202(
    admin: AppClient, data: AppClient
) -> None:
    sink = Remembering()
    sink.refuses = {"new-1"}
    admin.plane.follower.serving._handing.sink = sink
    made = await put(admin, "new-1", query="?wait=all&timeout=20s")
    assert made.status_code == 202
    rows = {row["id"]: row for row in made.json()["propagation"]["replicas"]}
    assert rows["serve-1"]["applied"]
    assert rows["the-admin"]["error"] == "NACK:BUILD it cannot be encoded"
    assert made.json()["look"] == "/admin/replicas"


async def test_an_item_of_the_index_is_read_patched_and_deleted(admin: AppClient, whole: Artifact) -> None:
    known = orjson.loads(whole.catalog.source(whole.catalog.row_of("i003") or 0))
    read = (await admin.get("/admin/items/i003")).json()
    assert (read["item"], read["seq"], read["changed_by"], read["changed_at"]) == (known, None, None, None)
    dearer = {"fields": {"price": 777, "sale": True}}
    patched = await admin.patch("/admin/items/i003", json=dearer, headers={"if-match": read["etag"]})
    assert patched.status_code == 200, patched.text
    told = patched.json()
    assert (told["did"], told["changed"], told["encodes"]) == ("updated", ["fields.price", "fields.sale"], False)
    now = (await admin.get("/admin/items/i003")).json()
    assert now["item"] == {**known, "fields": {**known["fields"], **dearer["fields"]}}
    assert (await admin.patch("/admin/items/i003", json={"title": "x"})).json()["encodes"]
    gone = await admin.delete("/admin/items/i003")
    assert gone.json()["did"] == "deleted"
    missing = await admin.get("/admin/items/i003")
    assert missing.status_code == 404
    assert "it was deleted (seq 3)" in missing.json()["detail"]
    for again in (await admin.delete("/admin/items/i003"), await admin.patch("/admin/items/i003", json={})):
        assert again.status_code == 404


async def test_a_patch_takes_members_away(admin: AppClient) -> None:
    await put(admin, "a")
    told = (await admin.patch("/admin/items/a", json={"attributes": None, "fields": {"price": None}})).json()
    assert told["changed"] == ["attributes.color", "fields.price"]
    assert (await admin.get("/admin/items/a")).json()["item"] == {
        "id": "a",
        "title": "A red mug",
        "fields": {"department": "home"},
    }


async def test_if_match_is_looked_at_when_it_is_sent(admin: AppClient) -> None:
    etag = (await put(admin, "a")).headers["etag"]
    assert (await put(admin, "a", {"title": "two"}, **{"if-match": etag})).status_code == 200
    stale = await put(admin, "a", {"title": "three"}, **{"if-match": etag})
    assert stale.status_code == 412
    now = (await admin.get("/admin/items/a")).json()
    assert (now["item"]["title"], stale.json()["etag"]) == ("two", now["etag"])
    assert (await put(admin, "a", {"title": "four"}, **{"if-match": "*"})).status_code == 200
    assert (await put(admin, "b", **{"if-match": "*"})).status_code == 412
    assert (await put(admin, "a", {"title": ""}, **{"if-match": etag})).status_code == 422, "what is wrong comes first"


async def test_an_edit_that_changes_nothing_is_none(admin: AppClient) -> None:
    first = (await put(admin, "a")).json()
    again = await put(admin, "a", {**MUG, "description": None})
    assert (again.json()["did"], again.json()["seq"], again.json()["edit_seq"]) == ("unchanged", 1, 1)
    assert again.headers["etag"] == first["etag"]
    same = (await admin.get("/admin/items/i003")).json()["item"]
    assert (await put(admin, "i003", same)).json()["did"] == "unchanged"


async def test_the_same_key_answers_again_and_does_nothing_again(admin: AppClient) -> None:
    key = {"idempotency-key": "k1"}
    made = await put(admin, "a", **key)
    await admin.delete("/admin/items/a")
    again = await put(admin, "a", **key)
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.json()["seq"], again.json()["replayed"], again.json()["did"]) == (made.json()["seq"], True, "created")
    assert (await admin.get("/admin/items/a")).status_code == 404
    assert (await put(admin, "a", {"title": "other"}, **key)).status_code == 409


async def test_a_dry_run_says_what_it_would_do_and_does_nothing(admin: AppClient, raw: redis.Redis) -> None:
    told = (await put(admin, "a", query="?dry_run=true")).json()
    assert (told["dry_run"], told["did"], told["seq"], told["edit_seq"]) == (True, "created", 0, 1)
    refused = await put(admin, "a", {"titel": "x"}, query="?dry_run=true")
    assert refused.status_code == 422
    report = (await batch(admin, {"op": "put", "id": "a", "item": MUG}, query="?dry_run=true")).json()
    assert (report["dry_run"], report["created"]) == (True, 1)
    assert not raw.exists("{sb}:item")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"titel": "x"}, "titel: unknown key (did you mean title?)"),
        ({"title": " "}, 'title: is " "; allowed: text that is not blank'),
        ({"title": "x", "attributes": {"colour": "red"}}, "attributes.colour: unknown category; allowed: anchor"),
        (
            {"title": "x", "fields": {"price": "cheap"}},
            'fields.price: "cheap" is text, price is a number in the catalog',
        ),
        ({"title": "x", "popularity": -1}, "popularity: is -1; allowed: a number >= 0"),
        ({"title": "x", "id": "other"}, 'id in the body is "other", the path says "a"'),
        ([], "the body must be an object"),
    ],
)
async def test_an_item_is_checked_as_a_row_of_a_catalog_is(admin: AppClient, body: Any, said: str) -> None:
    refused = await put(admin, "a", body)
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith(said)


async def test_a_batch_reports_each_operation_and_does_the_good_ones_at_one_moment(
    admin: AppClient, raw: redis.Redis
) -> None:
    done = await batch(
        admin,
        {"op": "put", "id": "a", "item": MUG},
        {"op": "put", "id": "b", "item": {"title": ""}},
        {"op": "patch", "id": "a", "item": {"title": "A blue mug"}},
        {"op": "patch", "id": "nothing", "item": {}},
        {"op": "delete", "id": "i003", "if_match": '"other"'},
        {"op": "delete", "id": "i004"},
        {"op": "put", "id": "c"},
        query="?wait=all&timeout=20s",
    )
    assert done.status_code == 200, done.text
    report = done.json()
    counts = {name: report[name] for name in ("operations", "created", "updated", "deleted", "refused", "seq")}
    assert counts == {"operations": 7, "created": 1, "updated": 1, "deleted": 1, "refused": 4, "seq": 3}
    statuses = [result.get("problem", {}).get("status") for result in report["results"]]
    assert statuses == [None, 422, None, 404, 412, None, 422]
    assert (await admin.get("/admin/items/a")).json()["item"]["title"] == "A blue mug"
    assert raw.hkeys("{sb}:item") == ["a", "i004"]


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_batch_has_1_to_1000_operations(admin: AppClient, count: int) -> None:
    assert (await batch(admin, *[{"op": "delete", "id": "a"}] * count)).status_code == 422


async def test_more_items_than_the_limit_are_507_and_those_that_were_edited_can_be_edited_again(
    plane: Any, settings: Settings, whole: Artifact
) -> None:
    async with plane(artifact=whole, settings=settings.model_copy(update={"delta_limit": 1})) as admin:
        assert (await put(admin, "a")).status_code == 201
        full = await put(admin, "b")
        assert full.status_code == 507
        assert "SLOTBEAM_DELTA_LIMIT" in full.json()["detail"]
        assert (await put(admin, "a", {"title": "two"})).status_code == 200
        assert (await admin.delete("/admin/items/a")).status_code == 200
        mixed = (
            await batch(admin, {"op": "put", "id": "a", "item": MUG}, {"op": "put", "id": "b", "item": MUG})
        ).json()
        assert [mixed["created"], mixed["refused"], mixed["results"][1]["problem"]["status"]] == [1, 1, 507]


async def test_ids_may_hold_anything_that_a_url_can_say(admin: AppClient) -> None:
    for item_id, path in (("a/b c?d", "a%2Fb%20c%3Fd"), ("é%", "%C3%A9%25"), ("x:batch", "x:batch")):
        assert (await put(admin, path)).status_code == 201
        assert (await admin.get(f"/admin/items/{path}")).json()["id"] == item_id
    for path in ("%20", "x" * 257):
        refused = await put(admin, path)
        assert refused.status_code == 422
        assert "1 to 256 characters" in refused.json()["detail"]


async def test_items_are_found_by_text_and_those_edited_are_listed_newest_first(admin: AppClient) -> None:
    await put(admin, "a", {"title": "first"})
    await put(admin, "b", {"title": "second"})
    await admin.patch("/admin/items/a", json={"title": "first again"})
    listed = (await admin.get("/admin/items")).json()
    assert [(one["id"], one["title"], one["seq"]) for one in listed["items"]] == [
        ("a", "first again", 3),
        ("b", "second", 2),
    ]
    found = (await admin.get("/admin/items?q=red mug&limit=3")).json()["items"]
    assert len(found) == 3
    await admin.delete(f"/admin/items/{found[0]['id']}")
    left = (await admin.get("/admin/items?q=red mug&limit=3")).json()["items"]
    assert found[0]["id"] not in {one["id"] for one in left}
    assert (await admin.get("/admin/items?q=i007&limit=3")).json()["items"][0]["id"] == "i007"
    assert (await admin.get("/admin/items?q=b&limit=3")).json()["items"][0] == {"id": "b", "title": "second", "seq": 2}


async def test_each_route_asks_for_its_scope_and_the_trail_says_which_edit_was_made(
    admin: AppClient, settings: Settings
) -> None:
    _, reading = TokenFile(settings.data_dir).create("reader", ["items:read"], None, 0)
    _, writing = TokenFile(settings.data_dir).create("writer", ["items:write"], None, 0)
    for secret, statuses in ((reading, (200, 403, 403)), (writing, (403, 201, 200))):
        headers = {"authorization": f"Bearer {secret}"}
        asked = [
            await admin.get("/admin/items", headers=headers),
            await admin.put("/admin/items/a", json=MUG, headers=headers),
            await admin.delete("/admin/items/a", headers=headers),
        ]
        assert tuple(answer.status_code for answer in asked) == statuses
    lines = [orjson.loads(line) for line in (settings.data_dir / "audit.jsonl").read_bytes().splitlines()]
    assert [line["seq"] for line in lines if line["name"] == "writer"] == [None, 1, 2]


async def test_on_hold_nothing_is_written_and_reads_go_on(admin: AppClient, raw: redis.Redis) -> None:
    await put(admin, "a")
    raw.flushall()
    async with asyncio.timeout(20):
        while admin.plane.follower.facts.state != "hold:NO_EPOCH":
            await admin.plane.follower.status.changed.wait()
    refused = await put(admin, "b")
    assert refused.status_code == 503
    assert refused.json()["state"] == "hold:NO_EPOCH"
    assert (await admin.get("/admin/items/a")).status_code == 200
    assert not raw.keys("{sb}:item")


# ---------------------------------------------------------------- who edited what


async def test_who_edited_an_item_is_told_newest_first_with_the_row_that_each_edit_left(
    plane: Any, whole: Artifact, settings: Settings, raw: redis.Redis
) -> None:
    clock = Clock(NOW)
    _, secret = TokenFile(settings.data_dir).create("ci", ["items:write"], None, 0)
    other = {"authorization": f"Bearer {secret}"}

    async def told(admin: AppClient, **asked: Any) -> list[Any]:
        answer = await admin.get("/admin/audit/items", params=asked)
        assert answer.status_code == 200, answer.text
        return [list(entry.values()) for entry in answer.json()["entries"]]

    async with plane(artifact=whole, clock=clock) as admin:
        await put(admin, "new-1")
        clock.now_ms += 60_000
        edits = {"op": "patch", "id": "new-1", "item": {"fields": {"price": 9}}}, {"op": "delete", "id": "i003"}
        assert (await batch(admin, *edits, query="?dry_run=true")).is_success
        assert (await batch(admin, *edits, **other)).json()["refused"] == 0
        epoch = raw.hget("{sb}:imeta", "epoch")
        first, second = "2027-01-15T08:00:00.000Z", "2027-01-15T08:01:00.000Z"
        made = {**MUG, "id": "new-1"}
        patched = {**made, "fields": {"price": 9, "department": "home"}}
        entries = [
            [3, second, "delete", "ci", epoch, "i003", None],
            [2, second, "put", "ci", epoch, "new-1", patched],
            [1, first, "put", "admin", epoch, "new-1", made],
        ]
        assert await told(admin) == entries
        assert await told(admin, item="new-1") == entries[1:]
        assert await told(admin, actor="ci", count=1) == entries[:1]
        assert await told(admin, before=3, until="2027-01-15T08:01:00Z") == entries[2:]
        assert await told(admin, since="2027-01-15T08:01:00Z", item="i003") == entries[:1]
        assert await told(admin, item="nobody") == []
        assert (await admin.get("/admin/audit/items?count=2")).json()["next"] == 2
        assert (await admin.get("/admin/audit/items")).json()["next"] is None
        assert (await admin.get("/admin/audit/items", headers=other)).status_code == 403


async def test_of_what_is_no_edit_of_an_item_the_feed_is_told_as_it_is(admin: AppClient, raw: redis.Redis) -> None:
    raw.xadd("{sb}:feed", {"at": "1", "actor": "trim", "op": "trim", "digest": "0"}, id="7-0")
    raw.xadd("{sb}:feed", {"at": "soon", "id": "i001", "record": "{"}, id="8-0")
    foreign, trim = (await admin.get("/admin/audit/items")).json()["entries"]
    assert (foreign["at"], foreign["id"], foreign["item"]) == (None, "i001", {"unreadable": "{"})
    assert (trim["op"], trim["actor"], trim["id"], trim["item"]) == ("trim", "trim", None, None)
