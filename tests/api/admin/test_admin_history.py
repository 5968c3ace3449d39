"""GET /admin/audit: what it says of an edit, what it finds, and where it stops. Who made a binding what it is."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import redis

from slotbeam.access.tokens import TokenFile
from slotbeam.api.admin.history import MAX_LOOKED_AT
from slotbeam.bindings.times import parse_ms
from slotbeam.settings import Settings
from support.failing import refusing
from support.live import NOW, Clock

BODY = {"words": ["labubu", "拉布布"], "category": "brand", "items": {"ids": ["i001", "i002"]}, "owner": "toys"}
CROCS = {"words": ["crocs"], "category": "brand", "items": {"ids": ["i003"]}}


async def bind(admin: httpx.AsyncClient, body: dict[str, Any] = BODY) -> dict[str, Any]:
    made = await admin.post("/admin/slots", json=body)
    assert made.status_code == 201, made.text
    return dict(made.json())


async def audit(admin: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    answer = await admin.get("/admin/audit", params=asked)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["entries"])


async def test_an_entry_holds_records_as_objects_times_as_rfc_3339_and_which_items_came_and_went(plane: Any) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        made = await bind(admin, {**BODY, "ends_at": "2027-02-01T00:00:00Z"})
        change = {"items": {"ids": ["i002", "i003", "i004"]}, "reason": "more of them"}
        assert (await admin.patch("/admin/slots/1-4", json=change, headers={"if-match": made["etag"]})).is_success
        updated, bound = await audit(admin)
    assert (updated["op"], updated["actor"], updated["at"]) == ("update", "admin", "2027-01-15T08:00:00.000Z")
    [change_of] = updated["changes"]
    assert (updated["change_count"], change_of["id"], change_of["slot"]) == (1, made["id"], "1-4")
    assert change_of["before"] == bound["changes"][0]["after"]
    assert change_of["before"]["created_at"] == "2027-01-15T08:00:00.000Z"
    assert change_of["after"]["ends_at"] == "2027-02-01T00:00:00.000Z"
    assert (change_of["after"]["words"], change_of["after"]["reason"]) == (["labubu", "拉布布"], "more of them")
    assert change_of["items"] == {
        "added": 2,
        "removed": 1,
        "first_added": ["i003", "i004"],
        "first_removed": ["i001"],
    }
    assert bound["changes"][0]["before"] is None
    assert bound["changes"][0]["items"]["first_added"] == ["i001", "i002"]


async def test_every_time_of_the_audit_is_rfc_3339(admin: httpx.AsyncClient) -> None:
    await bind(admin, {**BODY, "starts_at": "2030-01-01T00:00:00Z", "ends_at": "2030-02-01T00:00:00Z"})

    def times(value: Any) -> list[Any]:
        if isinstance(value, dict):
            own = [inner for name, inner in value.items() if name == "at" or name.endswith("_at")]
            return own + [at for inner in value.values() for at in times(inner)]
        return [at for inner in value for at in times(inner)] if isinstance(value, list) else []

    found = times(await audit(admin))
    assert len(found) == 4
    assert all(parse_ms(at) is not None for at in found)


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [4, 3, 2, 1]),
    ({"word": "labubu"}, [3, 1]),
    ({"word": "ＬABUBU"}, [3, 1]),
    ({"word": "拉布布"}, [3, 1]),
    ({"word": "lab"}, []),
    ({"slot": "1-4"}, [4, 3, 1]),
    ({"slot": "1-5"}, [2]),
    ({"slot": "1-4", "word": "crocs"}, []),
    ({"binding": "FIRST"}, [3, 1]),
    ({"binding": "b_nobody"}, []),
    ({"actor": "admin"}, [3, 1]),
    ({"actor": "ci"}, [4, 2]),
    ({"since": "2027-01-15T08:01:00Z"}, [4, 3, 2]),
    ({"until": "2027-01-15T08:01:00Z"}, [1]),
    ({"since": "2027-01-15 09:01 Europe/Berlin", "until": "2027-01-15 09:03 Europe/Berlin"}, [3, 2]),
    ({"until": "2027-01-15"}, [4, 3, 2, 1]),
    ({"since": "2027-01-16"}, []),
    ({"slot": "1-4", "actor": "ci"}, [4]),
    ({"count": 1, "actor": "admin"}, [3]),
    ({"before": 3, "actor": "admin"}, [1]),
]


async def test_the_audit_is_filtered_by_word_slot_binding_actor_and_time(plane: Any, settings: Settings) -> None:
    clock = Clock(NOW)
    _, secret = TokenFile(settings.data_dir).create("ci", ["slots:read", "slots:write"], None, 0)
    other = {"authorization": f"Bearer {secret}"}
    async with plane(clock=clock) as admin:
        first = await bind(admin)
        clock.now_ms += 60_000
        assert (await admin.post("/admin/slots", json=CROCS, headers=other)).status_code == 201
        clock.now_ms += 60_000
        assert (await admin.delete("/admin/slots/1-4", headers={"if-match": first["etag"]})).status_code == 200
        clock.now_ms += 60_000
        third = {**CROCS, "words": ["birkin"]}
        assert (await admin.post("/admin/slots", json=third, headers=other)).json()["slot"] == "1-4"
        for asked, expected in FILTERS:
            given = {name: first["id"] if value == "FIRST" else value for name, value in asked.items()}
            assert [entry["revision"] for entry in await audit(admin, **given)] == expected, asked


async def test_of_a_revision_with_many_changes_only_those_asked_for_are_told(admin: httpx.AsyncClient) -> None:
    rows = [{"words": [f"word{n}"], "category": "brand", "items": ["i001"]} for n in range(4)]
    assert (await admin.post("/admin/slots:import", json=rows)).status_code == 200
    [entry] = await audit(admin, word="word2")
    assert entry["change_count"] == 4
    assert [change["after"]["words"] for change in entry["changes"]] == [["word2"]]
    assert [len(entry["changes"]) for entry in await audit(admin)] == [4]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"slot": "one"}, "slot"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2027-01-15T08:00:00"}, "until"),
        ({"binding": "b" * 65}, "binding"),
        ({"owner": "toys"}, "owner"),
    ],
)
async def test_a_filter_that_cannot_be_read_is_refused_and_named(
    admin: httpx.AsyncClient, asked: dict[str, str], named: str
) -> None:
    refused = await admin.get("/admin/audit", params=asked)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [named]


async def test_a_search_through_a_long_log_ends_and_says_where_it_goes_on(
    admin: httpx.AsyncClient, raw: redis.Redis
) -> None:
    last = 2 * MAX_LOOKED_AT + 10
    with raw.pipeline(transaction=False) as pipe:
        for revision in range(1, last + 1):
            pipe.xadd("{sb}:log", {"at": "1", "actor": "ci" if revision == 2 else "admin"}, id=f"{revision}-0")
        pipe.execute()
    found: list[int] = []
    before: int | None = last + 1
    answers = 0
    while before is not None:
        page = (await admin.get("/admin/audit", params={"actor": "ci", "before": before})).json()
        found += [entry["revision"] for entry in page["entries"]]
        before, answers = page["next"], answers + 1
    assert (found, answers) == ([2], 3)


async def test_an_entry_that_somebody_else_wrote_is_shown_as_it_is(admin: httpx.AsyncClient, raw: redis.Redis) -> None:
    records: list[str | None] = [None, "{", '"text"', '{"words": 7, "starts_at": "soon", "ends_at": 1e300}']
    changes = [{"id": "b_aaaaaaaaaa", "before": record, "items": {"added": -1}} for record in records]
    raw.xadd("{sb}:log", {"at": "later", "changes": json.dumps(changes)}, id="5-0")
    [entry] = await audit(admin)
    assert (entry["at"], entry["actor"]) == (None, None)
    assert [change["before"] for change in entry["changes"]] == [
        None,
        {"unreadable": "{"},
        {"unreadable": '"text"'},
        {"words": 7, "starts_at": "soon", "ends_at": 1e300},
    ]
    assert all(change["items"] is None for change in entry["changes"])
    for asked in ({"word": "labubu"}, {"slot": "1-4"}, {"actor": "admin"}, {"since": "2027-01-15"}):
        assert await audit(admin, **asked) == []


# ---------------------------------------------------------------- attempts


async def test_a_dry_run_is_told_from_an_edit_in_the_trail_of_attempts(
    admin: httpx.AsyncClient, settings: Settings
) -> None:
    made = await bind(admin)
    tag = {"if-match": made["etag"]}
    rows = [{"words": ["crocs"], "category": "brand", "items": ["i003"]}]
    for asked in ("?dry_run=true", ""):
        await admin.patch(f"/admin/slots/1-4{asked}", json={"reason": "x"}, headers=tag)
        await admin.post(f"/admin/slots:import{asked}", json=rows)
        await admin.post(f"/admin/slots{asked}", json=BODY)  # refused: the word is taken
    await admin.get("/admin/slots")
    trail = [json.loads(line) for line in (settings.data_dir / "audit.jsonl").read_text().splitlines()]
    told = [(row["method"], row["outcome"], row["dry_run"], row["revision"]) for row in trail]
    assert told == [
        ("POST", "accepted", False, 1),
        ("PATCH", "accepted", True, None),
        ("POST", "accepted", True, None),
        ("POST", "refused", True, None),
        ("PATCH", "accepted", False, 2),
        ("POST", "accepted", False, 3),
        ("POST", "refused", False, None),
        ("GET", "accepted", None, None),
    ]


# ---------------------------------------------------------------- authors


async def test_a_binding_says_who_made_it_what_it_is_and_when(plane: Any, settings: Settings) -> None:
    clock = Clock(NOW)
    _, secret = TokenFile(settings.data_dir).create("ci", ["slots:read", "slots:write"], None, 0)
    async with plane(clock=clock) as admin:
        made = await bind(admin)
        clock.now_ms += 60_000
        headers = {"if-match": made["etag"], "authorization": f"Bearer {secret}"}
        assert (await admin.patch("/admin/slots/1-4", json={"reason": "x"}, headers=headers)).is_success
        await bind(admin, CROCS)
        listed = {view["slot"]: view for view in (await admin.get("/admin/slots")).json()["slots"]}
        one = (await admin.get("/admin/slots/1-4")).json()
    for view in (listed["1-4"], one):
        assert (view["changed_by"], view["changed_at"]) == ("ci", "2027-01-15T08:01:00.000Z")
        assert view["created_at"] == "2027-01-15T08:00:00.000Z"
    assert listed["1-5"]["changed_by"] == "admin"
    assert "changed_by" not in listed["1-6"]


async def test_what_the_log_no_longer_tells_is_null_and_costs_nothing(
    admin: httpx.AsyncClient, raw: redis.Redis
) -> None:
    await bind(admin)
    raw.xtrim("{sb}:log", maxlen=0, approximate=False)
    view = (await admin.get("/admin/slots/1-4")).json()
    assert (view["state"], view["changed_by"], view["changed_at"]) == ("active", None, None)


async def test_slots_are_listed_while_the_store_is_gone(admin: httpx.AsyncClient, raw: redis.Redis) -> None:
    await bind(admin)

    async def author() -> object:
        [view] = (await admin.get("/admin/slots?state=active")).json()["slots"]
        return view["changed_by"]

    with refusing(raw, "xrange"):
        assert await author() is None
    assert await author() == "admin"  # asked for once more …
    with refusing(raw, "xrange"):
        assert await author() == "admin"  # … then remembered
