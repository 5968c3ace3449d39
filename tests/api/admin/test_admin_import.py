"""Files of bindings: one revision for a whole file, or nothing at all and every bad line named."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
import redis

from slotbeam.api.admin.loading import MAX_ITEMS_IN_ALL, MAX_LOOKED_UP
from slotbeam.bindings.binding import MAX_ITEMS, MAX_WORDS
from support.clients import AppClient
from support.files import FILE, IMPORT, ROWS, held, lines_of, send
from support.shop import make_shop

from .conftest import Plane


@pytest.mark.parametrize("kind", ["csv", "json"])
async def test_every_row_is_bound_in_one_revision(admin: httpx.AsyncClient, kind: str) -> None:
    done = await (send(admin, FILE, "wait=all") if kind == "csv" else admin.post(f"{IMPORT}?wait=all", json=ROWS))
    assert done.status_code == 200
    answer = done.json()
    assert (answer["revision"], answer["rows"], answer["created"], answer["updated"]) == (1, 3, 3, 0)
    assert (answer["propagation"]["applied"], answer["durability"]) == (1, "appendfsync always")
    first = 2 if kind == "csv" else 1
    assert [(line["line"], line["status"], line["slot"]) for line in answer["lines"]] == [
        (first, "ok", "1-4"),
        (first + 1, "ok", "1-5"),
        (first + 2, "ok", "2-4"),
    ]
    found = await held(admin)
    assert {word: view["id"] for word, view in found.items()} == {
        line["words"][0]: line["id"] for line in answer["lines"]
    }
    assert found["labubu"]["words"] == ["labubu", "拉布布"]
    assert found["labubu"]["item_ids"] == ["i001", "i002"]
    [entry] = (await admin.get("/admin/audit")).json()["entries"]
    assert (entry["op"], len(entry["changes"]), entry["actor"]) == ("import", 3, "admin")


async def test_one_bad_row_leaves_everything_as_it_was_and_every_bad_row_is_named(
    admin: httpx.AsyncClient, raw: redis.Redis
) -> None:
    assert (await send(admin, FILE)).status_code == 200
    before = {key: raw.dump(key) for key in raw.keys("{sb}:*") if "replica" not in key}
    file = (
        "words,category,items,slot,ends_at\n"
        "good,brand,i001,,\n"  # 2
        "ｃｒｏｃｓ,brand,i001,,\n"  # held, in another width
        "сосоа|cocoa,brand,i001,,\n"
        "bad,colour,i001,,\n"
        "none,brand,nope,,\n"  # 6
        "empty,brand,,,\n"
        "late,brand,i001,,2001-01-01T00:00:00Z\n"
        "placed,brand,i001,1-4,\n"
        "elsewhere,brand,i001,0-6,\n"  # 10
        "=1+1,brand,i001,x,\n"
        ",brand,i001,,\n"
        '"!",brand,i001,,\n'
        "short,brand\n"
        "again|good,brand,i001,,\n"  # 15
    )
    for query in ("", "dry_run=true", "mode=create&wait=all"):
        refused = await send(admin, file, query)
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:slotbeam:problem:import-refused")
        assert lines_of(refused) == {
            **dict.fromkeys((2, 4), "ok"),
            **dict.fromkeys((3, 15), "word-taken"),
            **dict.fromkeys((5, 11), "invalid-input"),
            **dict.fromkeys((6, 7, 8, 10, 12, 13, 14), "invalid-binding"),
            9: "slot-taken",
        }
        assert (refused.json()["rows"], refused.json()["refused"]) == (14, 12)
        assert "12 of 14 rows are refused and nothing was changed; the first is line 3" in refused.json()["detail"]
        problems = {line["line"]: line.get("problem", {}) for line in refused.json()["lines"]}
        assert problems[3]["status"] == 409
        assert problems[3]["holder"]["slot"] == "1-5"
        assert problems[15]["holder"] == {"line": 2}
        assert {key: raw.dump(key) for key in before} == before
        assert raw.hget("{sb}:meta", "rev") == "1"


async def test_rows_of_one_file_that_clash_are_named_with_the_line_they_clash_with(admin: httpx.AsyncClient) -> None:
    file = (
        "words,category,items,slot,draft\n"
        "cocoa,brand,i001,,\n"
        "ＣＯＣＯＡ,brand,i001,,\n"
        "сосоа,brand,i001,,\n"
        "one,brand,i001,1-7,\n"
        "two,brand,i001,1-7,\n"
        "cocoa,brand,i001,,true\n"  # a draft holds neither words nor a slot
    )
    refused = await send(admin, file)
    assert lines_of(refused) == {2: "ok", 3: "word-taken", 4: "word-taken", 5: "ok", 6: "slot-taken", 7: "ok"}
    said = {line["line"]: line["problem"]["detail"] for line in refused.json()["lines"] if "problem" in line}
    assert said[3] == '"cocoa" is in line 2, too; keep one of them'
    assert said[4] == '"сосоа" looks like "cocoa", which is in line 2, too; keep one of them'
    assert said[6] == "slot 1-7 is taken by line 5; name another one"


async def test_rows_that_name_a_slot_come_before_rows_that_take_any(admin: httpx.AsyncClient) -> None:
    done = await send(admin, "words,category,items,slot\na,brand,i001,\nb,brand,i001,1-4\nc,brand,i001,\n")
    assert [line["slot"] for line in done.json()["lines"]] == ["1-5", "1-4", "1-6"]


async def test_more_rows_than_free_slots_are_refused(full: httpx.AsyncClient) -> None:
    rows = [{"words": [f"w{n}"], "category": "brand", "items": ["i001"]} for n in range(6)]
    refused = await full.post(IMPORT, json=rows)
    assert lines_of(refused) == {1: "ok", 2: "ok", 3: "ok", 4: "ok", 5: "no-free-slot", 6: "no-free-slot"}
    assert "4 free slots, and other rows take them" in refused.json()["detail"]
    assert (await full.post(IMPORT, json=rows[:4])).status_code == 200
    refused = await full.post(IMPORT, json=rows[4:])
    assert len(refused.json()["lines"][0]["problem"]["reclaim"]) == 3


async def test_a_dry_run_says_the_same_and_changes_nothing(admin: httpx.AsyncClient, raw: redis.Redis) -> None:
    before = {key: raw.dump(key) for key in raw.keys("{sb}:*") if "replica" not in key}
    dry = (await send(admin, FILE, "dry_run=true")).json()
    assert (dry["dry_run"], dry["created"], dry["revision"]) == (True, 3, 0)
    assert [(line["slot"], line["id"]) for line in dry["lines"]] == [("1-4", None), ("1-5", None), ("2-4", None)]
    assert {key: raw.dump(key) for key in raw.keys("{sb}:*") if "replica" not in key} == before


async def test_the_same_key_answers_again_and_binds_once(admin: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "load-1"}
    first, again = await send(admin, FILE, **key), await send(admin, FILE, **key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["lines"] == first.json()["lines"]
    assert again.json()["revision"] == 1
    for file, query in ((FILE + "other,brand,i001\n", ""), (FILE, "mode=update")):
        reused = await send(admin, file, query, **key)
        assert (reused.status_code, reused.json()["type"].rpartition(":")[2]) == (409, "idempotency-key-reused")


async def test_a_key_answers_again_when_the_catalog_has_changed_meanwhile(plane: Plane, tmp_path: Path) -> None:
    async with plane() as admin:
        first = await send(admin, FILE, **{"idempotency-key": "load-1"})
    async with plane(artifact=make_shop(tmp_path / "smaller", n=1)) as admin:  # holds none of the file's items
        again = await send(admin, FILE, **{"idempotency-key": "load-1"})
        assert (again.status_code, again.json()["lines"]) == (200, first.json()["lines"])
        assert (await send(admin, FILE, **{"idempotency-key": "load-2"})).status_code == 422


async def test_of_two_loads_of_one_file_at_once_one_wins_whole(admin: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(send(admin, FILE) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]
    assert len(await held(admin)) == 3


async def test_an_update_replaces_what_holds_the_words_and_takes_nothing_away(admin: httpx.AsyncClient) -> None:
    await send(admin, FILE)
    before = await held(admin)
    file = "words,category,items,reason\ncrocs|clogs,brand,i005|i006,more\nnew,brand,i007,\n"
    assert (await send(admin, file)).status_code == 422
    done = (await send(admin, file, "mode=update")).json()
    assert (done["created"], done["updated"]) == (1, 1)
    after = await held(admin)
    assert set(after) == {*before, "new"}
    assert after["labubu"] == before["labubu"]
    assert (after["crocs"]["id"], after["crocs"]["slot"]) == (before["crocs"]["id"], before["crocs"]["slot"])
    assert (after["crocs"]["words"], after["crocs"]["item_ids"]) == (["crocs", "clogs"], ["i005", "i006"])
    lost = await send(admin, "words,category,items\ncrocs,brand,i005\n", "mode=update")
    assert lines_of(lost) == {2: "invalid-binding"}
    assert "a load never takes a word away" in lost.json()["detail"]
    both = await send(
        admin, f"id,words,category,items\n{after['crocs']['id']},crocs|clogs|new,brand,i005\n", "mode=update"
    )
    assert lines_of(both) == {2: "word-taken"}


async def test_an_update_of_a_row_that_was_edited_since_its_export_is_refused(admin: httpx.AsyncClient) -> None:
    await send(admin, FILE)
    sheet = (await admin.get("/admin/slots.csv")).text
    assert (await send(admin, sheet, "mode=update")).status_code == 200
    stale = await send(admin, sheet, "mode=update")
    assert lines_of(stale) == {2: "stale-revision", 3: "stale-revision", 4: "stale-revision"}
    twice = (await admin.get("/admin/slots.csv")).text
    twice += twice.split("\r\n")[1] + "\r\n"
    assert lines_of(await send(admin, twice, "mode=update")) == {2: "ok", 3: "ok", 4: "ok", 5: "conflict"}


async def test_an_update_keeps_the_slot_and_may_publish_a_draft(admin: httpx.AsyncClient) -> None:
    made = await admin.post("/admin/slots", json={**ROWS[0], "items": {"ids": ["i001"]}, "draft": True})
    key = made.json()["id"]
    published = await admin.post(f"{IMPORT}?mode=update", json=[{**ROWS[0], "id": key}])
    [line] = published.json()["lines"]
    assert (line["did"], line["slot"], line["id"], line["items"]) == ("updated", "1-4", key, 2)
    moved = await admin.post(f"{IMPORT}?mode=update", json=[{**ROWS[0], "id": key, "slot": "1-5"}])
    assert "stays there" in moved.json()["detail"]


async def test_a_file_of_too_many_items_is_refused(admin: httpx.AsyncClient) -> None:
    items = ["i001", *(f"n{number}" for number in range(MAX_ITEMS - 1))]
    rows = [{"words": [f"w{row}"], "category": "brand", "items": items} for row in range(11)]
    refused = await admin.post(IMPORT, json=rows)
    said = refused.json()
    assert (refused.status_code, said["items"], said["allowed"]) == (422, 11 * MAX_ITEMS, MAX_ITEMS_IN_ALL)


async def test_a_file_of_too_many_words_to_match_is_refused(admin: httpx.AsyncClient) -> None:
    count = MAX_LOOKED_UP // MAX_WORDS + 1
    rows = [
        {"words": [f"w{row}n{word}" for word in range(MAX_WORDS)], "category": "brand", "match": True, "draft": True}
        for row in range(count)
    ]
    named = await admin.post(f"{IMPORT}?dry_run=true", json=[{**row, "items": ["i001"]} for row in rows])
    assert named.status_code == 200
    refused = await admin.post(IMPORT, json=[{**row, "items": []} for row in rows])
    said = refused.json()
    assert (refused.status_code, said["words"], said["allowed"]) == (422, count * MAX_WORDS, MAX_LOOKED_UP)


async def test_a_file_of_a_thousand_rows_is_checked_and_committed(admin: httpx.AsyncClient) -> None:
    rows = [{"words": [f"w{n}"], "category": "brand", "items": ["i001"], "draft": True} for n in range(1000)]
    done = await admin.post(IMPORT, content=json.dumps(rows), headers={"content-type": "application/json"})
    assert (done.status_code, done.json()["created"], done.json()["revision"]) == (200, 1000, 1)
    assert len((await admin.get("/admin/slots.csv")).text.splitlines()) == 1001


@pytest.mark.parametrize("scope", ["slots:read", "slots:write"])
async def test_each_route_asks_for_its_scope(admin: AppClient, scope: str) -> None:
    import hashlib

    rows = [{"name": "t", "sha256": hashlib.sha256(b"s" * 32).hexdigest(), "scopes": [scope]}]
    (admin.plane.settings.data_dir / "tokens.json").write_text(json.dumps({"tokens": rows}))
    admin.headers["authorization"] = "Bearer " + "s" * 32
    statuses = ((await admin.get("/admin/slots.csv")).status_code, (await send(admin, FILE)).status_code)
    assert statuses == ((200, 403) if scope == "slots:read" else (403, 200))
    trail = [json.loads(line) for line in (admin.plane.settings.data_dir / "audit.jsonl").read_text().splitlines()]
    assert [(entry["path"], entry["status"]) for entry in trail[-2:]] == [
        ("/admin/slots.csv", statuses[0]),
        (IMPORT, statuses[1]),
    ]
