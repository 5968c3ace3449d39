"""Rules: made, read, changed, removed, refused; in files, in the log, and in the store."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from slotbeam.bindings.recovery.backup import from_export
from slotbeam.search.artifact import Artifact
from support.clients import AppClient
from support.live import NOW, Clock

from .conftest import Plane

RULES = "/admin/rules"
HIDE: dict[str, Any] = {"words": ["Rain  Jacket"], "hide": ["i001", "i002"], "owner": "toys", "reason": "recall"}
EVERY: list[dict[str, Any]] = [
    HIDE,
    {"words": [], "hide": ["i003"], "ends_at": "2029-01-01"},
    {"words": ["sale"], "trigger": "whole", "unless": ["summer"], "positions": ["i009", "i004"]},
    {"words": ["sale"], "positions": ["i009"], "when": {"price": {"lte": 50}}},
    {"words": ["gift"], "boost": [{"test": {"department": "toys"}, "weight": 0.1}], "draft": True},
    {"words": ["cheap"], "filter": {"price": {"lte": 20}}, "bury": [{"test": {"price": {"gt": 9.5}}, "weight": 2}]},
    {"words": ["beaker"], "replace": "Red MUG"},
    {"words": ["tumbler"], "alias": "mug", "two_way": True},
    {"words": ["returns"], "metadata": {"redirect": "/help/returns", "banner": {"image_url": "https://a.example/b"}}},
]
SIZE = "a" * 4096


async def make(admin: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = await admin.post(RULES, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def listed(admin: httpx.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    return list((await admin.get(f"{RULES}{query}")).json()["rules"])


async def test_a_rule_is_made_read_changed_and_removed(admin: httpx.AsyncClient) -> None:
    answer = await admin.post(RULES, json=HIDE)
    made = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"{RULES}/{made['id']}")
    assert (made["words"], made["actions"], made["hide"]) == (["rain jacket"], ["hide"], ["i001", "i002"])
    assert (made["trigger"], made["boost"], made["revision"]) == ("contains", None, 1)
    assert answer.headers["etag"] == made["etag"] == f'"{made["id"]}.1"'
    read = await admin.get(answer.headers["location"])
    assert (read.headers["etag"], read.json()["changed_by"], read.json()["missing"]) == (made["etag"], "admin", [])
    path, tag = answer.headers["location"], {"if-match": made["etag"]}
    body = {"hide": ["i002", "gone"], "metadata": {"banner": "Sorry"}}
    changed = await admin.patch(path, json=body, headers=tag)
    assert (changed.status_code, changed.json()["actions"]) == (200, ["hide", "metadata"])
    assert (changed.json()["owner"], changed.json()["id"]) == ("toys", made["id"])
    assert (await admin.get(path)).json()["missing"] == ["gone"]
    assert (await admin.patch(path, json={"owner": "x"}, headers=tag)).status_code == 412
    assert (await admin.patch(path, json={"owner": "x"})).status_code == 428
    put = await admin.put(path, json={"words": ["rain"], "replace": "mug"}, headers={"if-match": "*"})
    assert (put.json()["actions"], put.json()["owner"], put.json()["revision"]) == (["replace"], "", 3)
    gone = await admin.delete(path, headers={"if-match": put.json()["etag"]})
    assert (gone.status_code, gone.json()["id"], gone.json()["actions"]) == (200, made["id"], ["replace"])
    assert (await admin.get(path)).status_code == 404
    assert await listed(admin) == []
    ops = [entry["op"] for entry in (await admin.get("/admin/audit")).json()["entries"]]
    assert ops == ["remove", "update", "update", "add"]


async def test_null_and_an_empty_list_take_an_action_away(admin: httpx.AsyncClient) -> None:
    body = {"words": ["sale"], "hide": ["i001"], "metadata": {"banner": "x"}, "boost": EVERY[4]["boost"]}
    made = await make(admin, body)
    for change, left in (
        ({"boost": None}, ["hide", "metadata"]),
        ({"hide": []}, ["metadata"]),
        ({"metadata": {}, "hide": ["i002"]}, ["hide"]),
    ):
        answer = await admin.patch(f"{RULES}/{made['id']}", json=change, headers={"if-match": "*"})
        assert answer.json()["actions"] == left
    answer = await admin.patch(f"{RULES}/{made['id']}", json={"hide": []}, headers={"if-match": "*"})
    assert (answer.status_code, "does nothing" in answer.json()["detail"]) == (422, True)


async def test_the_same_request_with_its_key_makes_one_rule(admin: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "once"}
    first, again = [await admin.post(RULES, json=HIDE, headers=key) for _ in range(2)]
    assert (first.json()["id"], again.headers["idempotency-replayed"]) == (again.json()["id"], "true")
    assert (await admin.post(RULES, json=EVERY[1], headers=key)).status_code == 409
    assert len(await listed(admin)) == 1


async def test_every_action_is_listed_newest_first_and_found(admin: httpx.AsyncClient) -> None:
    ids = [(await make(admin, body))["id"] for body in EVERY]
    assert [rule["id"] for rule in await listed(admin)] == ids[::-1]
    assert [rule["id"] for rule in await listed(admin, "?action=hide")] == [ids[1], ids[0]]
    assert [rule["id"] for rule in await listed(admin, "?state=draft")] == [ids[4]]
    assert [rule["id"] for rule in await listed(admin, "?q=I009")] == [ids[3], ids[2]]
    assert [rule["id"] for rule in await listed(admin, "?q=recall&action=hide")] == [ids[0]]
    assert (await admin.get(RULES)).json()["counts"]["draft"] == 1
    tumbler = (await listed(admin, "?action=alias"))[0]
    assert (tumbler["alias"], tumbler["two_way"], tumbler["filter"]) == ("mug", True, None)


async def test_pages_of_rules_are_the_whole_list_whatever_is_removed_in_between(admin: httpx.AsyncClient) -> None:
    """Also of those that one file made, in one revision."""
    rows = [{"words": [f"word{number}"], "hide": ["i001"]} for number in range(4)]
    assert (await admin.post("/admin/slots:import", json=rows)).status_code == 200
    made = await make(admin, HIDE)
    last = await make(admin, EVERY[1])
    every = (await admin.get(RULES)).json()
    assert (every["next"], len(every["rules"])) == (None, 6)
    for limit in (1, 4, 5):
        seen: list[Any] = []
        after: str | None = None
        while not seen or after is not None:
            params = {"limit": limit} | ({"after": after} if after else {})
            page = (await admin.get(RULES, params=params)).json()
            assert page["counts"] == every["counts"]
            seen, after = [*seen, *page["rules"]], page["next"]
        assert seen == every["rules"]
    first = (await admin.get(RULES, params={"limit": 2})).json()
    await admin.delete(f"{RULES}/{made['id']}", headers={"if-match": "*"})
    await admin.patch(f"{RULES}/{last['id']}", json={"owner": "x"}, headers={"if-match": "*"})
    assert await listed(admin, f"?after={first['next']}") == every["rules"][2:]
    assert (await admin.get(RULES, params={"after": made["id"]})).status_code == 422


async def test_rules_hold_no_slot_and_no_word_and_slots_are_no_rules(admin: httpx.AsyncClient) -> None:
    rule = await make(admin, {"words": ["labubu"], "hide": ["i001"]})
    body = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i002"]}}
    slot = await admin.post("/admin/slots", json=body)
    assert slot.status_code == 201
    assert all(
        view["state"] == "free" or view["id"] != rule["id"]
        for view in (await admin.get("/admin/slots")).json()["slots"]
    )
    wrong = await admin.get(f"/admin/slots/{rule['id']}")
    assert (wrong.status_code, f"it is at {RULES}/{rule['id']}" in wrong.json()["detail"]) == (404, True)
    other = await admin.get(f"{RULES}/{slot.json()['id']}")
    assert (other.status_code, "/admin/slots/" in other.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("second", "taken"),
    [
        ({"words": ["rain jacket"], "hide": ["i005"]}, True),
        ({"words": ["rain-jacket"], "hide": ["i005"]}, True),
        ({"words": ["snow", "rain jacket"], "boost": EVERY[4]["boost"], "hide": ["i005"]}, True),
        ({"words": ["rain jacket"], "hide": ["i005"], "trigger": "whole"}, False),
        ({"words": ["rain jacket"], "hide": ["i005"], "draft": True}, False),
        ({"words": ["rain jacket"], "hide": ["i005"], "starts_at": "2027-06-01"}, False),
        ({"words": ["rain jacket"], "hide": ["i005"], "starts_at": "2027-05-31T23:59:59Z"}, True),
        ({"words": ["rain jacket"], "positions": ["i005"]}, False),
        ({"words": ["rain"], "hide": ["i005"]}, False),
    ],
)
async def test_two_rules_of_a_word_may_not_do_the_same_at_the_same_time(
    plane: Plane, second: dict[str, Any], taken: bool
) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        first = await make(admin, {**HIDE, "ends_at": "2027-06-01T00:00:00Z"})
        answer = await admin.post(RULES, json=second)
        assert answer.status_code == (409 if taken else 201)
        if taken:
            assert answer.json()["type"] == "urn:slotbeam:problem:word-taken"
            assert answer.json()["holder"]["binding"] == first["id"]
            assert "has a rule for hide" in answer.json()["detail"]


async def test_any_number_of_rules_of_every_query_may_hide(admin: httpx.AsyncClient) -> None:
    for item in ("i001", "i002"):
        await make(admin, {"hide": [item]})
    assert len(await listed(admin)) == 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"words": ["sale"]}, "does nothing"),
        ({"positions": ["i001"]}, "has no word"),
        ({"filter": {"price": 1}}, "has no word"),
        ({"hide": ["i001"], "trigger": "whole"}, "has no word that could be the whole query"),
        ({"words": ["sale"], "hide": ["gone"]}, "none of the 1 item ids of hide is in the catalog"),
        ({"words": ["sale"], "hide": ["i001"], "positions": ["i001"]}, "is in both positions and hide"),
        ({"words": ["sale"], "unless": ["SALE"], "hide": ["i001"]}, "it would never apply"),
        ({"words": ["sale"], "hide": ["i001"], "when": {"price": 1}}, "when of the rule is about items"),
        ({"words": ["sale"], "filter": {"prize": 1}}, "did you mean price?"),
        ({"words": ["sale"], "boost": [{"test": {"price": {"gt": "a"}}, "weight": 1}]}, "boost.0.test.price.gt"),
        ({"words": ["sale"], "boost": [{"test": {"price": 1}, "weight": 0}]}, "weight"),
        ({"words": ["sale"], "boost": [{"test": {"price": 1}, "weight": 10.1}]}, "weight"),
        ({"words": ["sale"], "replace": "\u200b"}, "no visible character"),
        ({"words": ["cup"], "alias": "mugg"}, 'did you mean "mug"?'),
        ({"words": ["red"], "alias": "mug"}, 'the dictionary knows "red" already'),
        ({"words": ["cup"], "hide": ["i001"], "two_way": True}, "two_way of the rule is about an alias"),
        ({"words": ["sale"], "metadata": {"redirect": "javascript:alert(1)"}}, "metadata of the rule.redirect"),
        ({"words": ["sale"], "metadata": {"redirect": "//evil.example"}}, "metadata of the rule.redirect"),
        ({"words": ["sale"], "metadata": {"redirect": "/\\evil.example"}}, "metadata of the rule.redirect"),
        ({"words": ["sale"], "metadata": {"a": [{"imageURL": "data:x"}]}}, "metadata of the rule.a.0.imageURL"),
        ({"words": ["sale"], "metadata": {"a": SIZE}}, "at most 4096 are allowed"),
        ({"words": ["sale"], "hide": ["i001"], "category": "brand"}, "category"),
        ({"words": ["sale"], "hide": ["i001"], "ends_at": "2001-01-01"}, "in the past"),
    ],
)
async def test_what_cannot_be_served_is_refused_with_what_to_do(
    unmoved: httpx.AsyncClient, body: dict[str, Any], said: str
) -> None:
    answer = await unmoved.post(RULES, json=body)
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.json()["detail"]


async def test_a_binding_on_a_slot_has_actions_but_none_that_change_the_query(admin: httpx.AsyncClient) -> None:
    body = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i001"]}, "when": {"price": {"lte": 5}}}
    made = await admin.post("/admin/slots", json={**body, "hide": ["i002"], "metadata": {"url": "/labubu"}})
    assert (made.status_code, made.json()["hide"], made.json()["position"]) == (201, ["i002"], 1)
    assert (made.json()["when"], made.json()["metadata"]) == ({"price": {"lte": 5}}, {"url": "/labubu"})
    refused = await admin.post("/admin/slots", json={**body, "words": ["crocs"], "replace": "mug"})
    assert (refused.status_code, "replace" in refused.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"add": ["i003", "gone"]}, ["gone", "i001", "i002", "i003"]),
        ({"remove": ["i001", "never"]}, ["i002"]),
        ({"add": ["i004"], "remove": ["i002"]}, ["i001", "i004"]),
    ],
)
async def test_items_come_and_go_without_the_whole_list(
    admin: httpx.AsyncClient, change: dict[str, Any], left: list[str]
) -> None:
    await admin.post("/admin/slots", json={"words": ["x1"], "category": "brand", "items": {"ids": ["i001", "i002"]}})
    answer = await admin.patch("/admin/slots/1-4", json={"items": change}, headers={"if-match": "*"})
    assert answer.status_code == 200
    assert (await admin.get("/admin/slots/1-4")).json()["item_ids"] == left


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"add": ["gone"]}, "none of the 1 item ids of items.add"),
        ({"remove": ["i001", "i002"]}, "no item was named"),
        ({"add": ["i003"], "ids": ["i004"]}, "add and remove"),
    ],
)
async def test_a_change_of_items_that_leaves_nothing_or_says_two_things_is_refused(
    admin: httpx.AsyncClient, change: dict[str, Any], said: str
) -> None:
    await admin.post("/admin/slots", json={"words": ["x1"], "category": "brand", "items": {"ids": ["i001", "i002"]}})
    answer = await admin.patch("/admin/slots/1-4", json={"items": change}, headers={"if-match": "*"})
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.json()["detail"]


@pytest.mark.parametrize(("form", "media"), [("csv", "text/csv"), ("json", "application/json")])
async def test_an_export_takes_the_rules_along_and_an_import_makes_them_again(
    admin: httpx.AsyncClient, raw: redis.Redis, form: str, media: str
) -> None:
    for body in EVERY:
        await make(admin, body)
    await admin.post(
        "/admin/slots",
        json={"words": ["crocs"], "category": "brand", "items": {"ids": ["i001"]}, "boost": EVERY[4]["boost"]},
    )
    file = (await admin.get(f"/admin/slots.{form}")).content
    before = await listed(admin)
    headers = {"content-type": media}
    same = await admin.post("/admin/slots:import?mode=update", content=file, headers=headers)
    assert (same.status_code, same.json()["updated"], same.json()["created"]) == (200, len(EVERY) + 1, 0)
    again = await admin.post("/admin/slots:import", content=file, headers=headers)
    problems = [line["problem"]["type"] for line in again.json()["lines"] if line["status"] == "refused"]
    assert set(problems) == {"urn:slotbeam:problem:word-taken"}
    for rule in before:
        await admin.delete(f"{RULES}/{rule['id']}", headers={"if-match": "*"})
    await admin.delete("/admin/slots/1-4", headers={"if-match": "*"})
    made = await admin.post("/admin/slots:import", content=file, headers=headers)
    assert (made.status_code, made.json()["created"]) == (200, len(EVERY) + 1)
    after = await listed(admin)
    times = ("id", "created_at", "revision", "etag", "changed_at")
    plain = [[{k: v for k, v in rule.items() if k not in times} for rule in rules] for rules in (before, after)]
    assert sorted(plain[0], key=str) == sorted(plain[1], key=str)
    assert (await admin.get("/admin/slots/1-4")).json()["boost"] == [{"test": {"department": "toys"}, "weight": 0.1}]


async def test_a_store_can_be_restored_from_an_export_that_holds_rules(admin: AppClient, tmp_path: Path) -> None:
    for body in EVERY:
        await make(admin, body)
    slot = {"words": ["crocs"], "category": "brand", "items": {"ids": ["i001"]}, "hide": ["i002"]}
    assert (await admin.post("/admin/slots", json=slot)).status_code == 201
    file = tmp_path / "bindings.json"
    file.write_bytes((await admin.get("/admin/slots.json")).content)
    kept = from_export(file)
    listing = admin.plane.watcher.listing
    assert kept.bindings == dict(listing.bindings)
    assert kept.placed == dict(listing.placed)


async def test_a_row_without_a_category_is_a_rule(admin: httpx.AsyncClient) -> None:
    file = "words,hide,positions,boost,category,items\n"
    rows = [
        ["rain|snow", "i001|i002", "", "", "", ""],
        ["labubu", "", "", "", "brand", "i001"],
        ["", "i003", "", "", "", ""],
        ["gift", "", "", '[{"test": {"price": 1}, "weight": 1.5}]', "", ""],
    ]
    sheet = io.StringIO()
    csv.writer(sheet).writerows(rows)
    headers = {"content-type": "text/csv"}
    answer = await admin.post("/admin/slots:import", content=file + sheet.getvalue(), headers=headers)
    assert (answer.status_code, answer.json()["created"]) == (200, 4)
    assert [rule["actions"] for rule in await listed(admin)].count(["hide"]) == 2
    bad = "words,hide,boost,items\nx1,,,i001\nx2,,,\nx3,,{,\nx4,i001,,\nx4,i002,,\n"
    answer = await admin.post("/admin/slots:import", content=bad, headers=headers)
    told = {line["line"]: line["problem"]["detail"] for line in answer.json()["lines"] if "problem" in line}
    assert set(told) == {2, 3, 4, 6}
    assert ("has no category" in told[2], "does nothing" in told[3]) == (True, True)
    assert "boost is no JSON" in told[4]
    assert "is in line 5, too" in told[6]


async def test_the_log_tells_objects_and_not_their_text(admin: httpx.AsyncClient) -> None:
    await make(admin, EVERY[5])
    [entry] = (await admin.get("/admin/audit?word=cheap")).json()["entries"]
    after = entry["changes"][0]["after"]
    assert (after["filter"], after["bury"][0]["weight"]) == ({"price": {"lte": 20}}, 2.0)
    assert (entry["op"], entry["changes"][0]["slot"]) == ("add", None)


async def test_a_dry_run_says_which_queries_it_is_about_and_writes_nothing(
    admin: httpx.AsyncClient, raw: redis.Redis
) -> None:
    body = {**EVERY[2], "sample_queries": ["sale", "big sale", "sale summer"]}
    answer = await admin.post(f"{RULES}?dry_run=true", json=body)
    run = answer.json()
    assert (answer.status_code, run["op"], run["slot"]) == (200, "add", None)
    assert [sample["matches"] for sample in run["samples"]] == [True, False, False]
    assert run["items"] == {"count": 2, "found": 2, "matched": None, "missing": [], "missing_count": 0}
    run = (
        await admin.post(f"{RULES}?dry_run=true", json={"hide": ["i001", "gone"], "sample_queries": ["red mug"]})
    ).json()
    assert ([sample["matches"] for sample in run["samples"]], run["items"]["missing"]) == ([True], ["gone"])
    assert not raw.exists("{sb}:binding")
    made = await make(admin, HIDE)
    for method in ("PUT", "PATCH", "DELETE"):
        answer = await admin.request(method, f"{RULES}/{made['id']}?dry_run=true", json=HIDE, headers={"if-match": "*"})
        assert (answer.status_code, answer.json()["dry_run"]) == (200, True)
    assert (await admin.get(f"{RULES}/{made['id']}")).json()["revision"] == 1


async def test_a_rule_is_live_at_every_replica_before_wait_all_answers(
    plane: Plane, whole: Artifact, data: httpx.AsyncClient
) -> None:
    async def ids() -> list[str]:
        answer = (await data.post("/retrieve", json={"query": "red mug", "k": 5})).json()
        return [hit["id"] for hit in answer["items"]]

    before = await ids()
    body = {"words": ["red mug"], "trigger": "whole", "hide": before[:2]}
    async with plane(artifact=whole) as admin:
        made = await admin.post(f"{RULES}?wait=all", json=body)
        spread = made.json()["propagation"]
        assert (made.status_code, spread["expected"], spread["applied"]) == (201, 2, 2)
        assert not set(before[:2]) & set(await ids())
        path = f"{RULES}/{made.json()['id']}?wait=all"
        again = await admin.patch(path, json={"draft": True}, headers={"if-match": "*"})
        assert (again.status_code, await ids()) == (200, before)
