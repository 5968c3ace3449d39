"""One revision undone by another, where nobody changed the same since."""

from __future__ import annotations

import random
from typing import Any

import httpx
import pytest
import redis

from support.clients import AppClient
from support.live import NOW, Clock

from .conftest import Plane

BODY: dict[str, Any] = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i001", "i002"]}}


async def bind(admin: httpx.AsyncClient, *words: str, **more: Any) -> dict[str, Any]:
    answer = await admin.post("/admin/slots", json={**BODY, "words": list(words), **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def revert(admin: httpx.AsyncClient, revision: int, **params: Any) -> httpx.Response:
    return await admin.post(f"/admin/revisions/{revision}:revert", params=params)


def served(admin: AppClient) -> dict[str, tuple[Any, ...]]:
    """Id → what a record says, but for the revision that wrote it, and where it is placed."""
    listing = admin.plane.watcher.listing
    return {
        key: (*binding.values().values(), binding.items, binding.created_at, listing.placed.get(key))
        for key, binding in listing.bindings.items()
    }


async def test_what_was_made_goes_what_was_changed_is_as_before_what_was_removed_comes_again(admin: AppClient) -> None:
    made = await bind(admin, "labubu")
    first = served(admin)
    tag = {"if-match": made["etag"]}
    changed = await admin.patch("/admin/slots/1-4", json={"owner": "x", "items": {"ids": ["i003"]}}, headers=tag)
    assert (await revert(admin, changed.json()["revision"])).json()["owner"] == ""
    assert served(admin) == first
    gone = await admin.request("DELETE", "/admin/slots/1-4", headers={"if-match": "*"})
    back = (await revert(admin, gone.json()["revision"])).json()
    assert (back["slot"], back["id"]) == ("1-4", made["id"])
    assert served(admin) == first
    rule = (await admin.post("/admin/rules", json={"words": ["sale"], "hide": ["i009"]})).json()
    undone = await revert(admin, rule["revision"])
    assert (undone.status_code, served(admin)) == (200, first)
    entries = (await admin.get("/admin/audit")).json()["entries"]
    assert [entry["op"] for entry in entries if entry["op"] == "revert"] == ["revert"] * 3


async def test_a_revert_can_be_reverted_and_any_walk_through_edits_goes_back_step_by_step(admin: AppClient) -> None:
    rng, states = random.Random(3), [served(admin)]
    revisions: list[int] = []
    for number in range(14):
        held = list(served(admin))
        kind = rng.choice(("bind", "bind", "patch", "unbind")) if held else "bind"
        if kind == "bind":
            done = await bind(admin, f"word{number}", draft=rng.random() < 0.3)
        elif kind == "patch":
            done = (await admin.patch(f"/admin/slots/{rng.choice(held)}", json={"reason": f"{number}"},
                                      headers={"if-match": "*"})).json()  # fmt: skip
        else:
            at = f"/admin/slots/{rng.choice(held)}"
            done = (await admin.request("DELETE", at, headers={"if-match": "*"})).json()
        revisions.append(done["revision"])
        states.append(served(admin))
    again = (await revert(admin, revisions[-1])).json()["revision"]
    assert served(admin) == states[-2]
    await revert(admin, again)
    assert served(admin) == states[-1]
    for revision, state in zip(reversed(revisions), reversed(states[:-1]), strict=True):
        assert (await revert(admin, revision)).status_code == 200
        assert served(admin) == state


async def test_what_was_changed_since_is_refused_and_named(admin: AppClient) -> None:
    made = await bind(admin, "labubu")
    later = await admin.patch("/admin/slots/1-4", json={"owner": "x"}, headers={"if-match": made["etag"]})
    refused = await revert(admin, made["revision"])
    assert refused.status_code == 409
    assert f"revision {later.json()['revision']} changed it" in refused.json()["detail"]
    await admin.request("DELETE", "/admin/slots/1-4", headers={"if-match": "*"})
    refused = await revert(admin, later.json()["revision"])
    assert (refused.status_code, "it is gone" in refused.json()["detail"]) == (409, True)


async def test_what_comes_again_takes_another_slot_where_its_own_is_bound_and_no_word_that_is(admin: AppClient) -> None:
    await bind(admin, "labubu")
    gone = (await admin.request("DELETE", "/admin/slots/1-4", headers={"if-match": "*"})).json()["revision"]
    await bind(admin, "crocs", slot="1-4")
    assert (await revert(admin, gone)).json()["slot"] == "1-5"
    gone = (await admin.request("DELETE", "/admin/slots/1-5", headers={"if-match": "*"})).json()["revision"]
    await bind(admin, "labubu")
    assert (await revert(admin, gone)).json()["type"] == "urn:slotbeam:problem:word-taken"


async def test_a_file_is_undone_whole(admin: AppClient) -> None:
    await bind(admin, "labubu")
    first = served(admin)
    rows = [{"words": [f"w{n}"], "category": "brand", "items": ["i001"]} for n in range(5)]
    rows[4] = {"words": [], "hide": ["i001"]}
    done = (await admin.post("/admin/slots:import", json=rows)).json()
    dry = (await revert(admin, done["revision"], dry_run="true")).json()
    assert {one["did"] for one in dry["changes"]} == {"removed"}
    assert [one["words"] for one in dry["changes"]] == [["w0"], ["w1"], ["w2"], ["w3"], []]
    gone = await revert(admin, done["revision"])
    assert (gone.status_code, served(admin)) == (200, first)
    dry = (await revert(admin, gone.json()["revision"], dry_run="true")).json()
    assert [(one["did"], one["slot"]) for one in dry["changes"]][:2] == [("created", "1-5"), ("created", "1-6")]
    assert dry["warnings"] == []


async def test_a_dry_run_writes_nothing_and_the_same_key_undoes_once(admin: AppClient) -> None:
    made = await bind(admin, "labubu")
    assert (await revert(admin, made["revision"], dry_run="true")).json()["op"] == "revert"
    assert len(served(admin)) == 1
    at, key = f"/admin/revisions/{made['revision']}:revert", {"idempotency-key": "once"}
    first = await admin.post(at, headers=key)
    again = await admin.post(at, headers=key)
    assert (again.status_code, again.json()["revision"], again.json()["replayed"]) == (
        200,
        first.json()["revision"],
        True,
    )


@pytest.mark.parametrize(("revision", "status"), [("7", 404), ("9" * 18, 404), ("0", 422), ("x", 422)])
async def test_a_revision_that_the_log_does_not_hold_is_not_found(admin: AppClient, revision: str, status: int) -> None:
    await bind(admin, "labubu")
    refused = await admin.post(f"/admin/revisions/{revision}:revert")
    assert refused.status_code == status
    assert revision in refused.json()["detail"]


async def test_a_list_that_is_gone_is_told(admin: AppClient, raw: redis.Redis) -> None:
    await bind(admin, "labubu")
    gone = (await admin.request("DELETE", "/admin/slots/1-4", headers={"if-match": "*"})).json()["revision"]
    raw.delete(*raw.keys("{sb}:items:*"))
    refused = await revert(admin, gone)
    assert (refused.status_code, "no longer kept" in refused.json()["detail"]) == (409, True)


async def test_two_records_whose_slots_were_taken_get_two_other_slots(admin: AppClient) -> None:
    rows = [{"words": [w], "category": "brand", "items": ["i001"]} for w in ("aaa", "bbb")]
    done = (await admin.post("/admin/slots:import", json=rows)).json()
    gone = (await revert(admin, done["revision"])).json()["revision"]
    await bind(admin, "crocs", slot="1-4")
    back = await revert(admin, gone)
    assert back.status_code == 200, back.text


async def test_a_rule_comes_back_though_the_empty_list_is_gone(admin: AppClient, raw: redis.Redis) -> None:
    made = (await admin.post("/admin/rules", json={"words": ["sale"], "hide": ["i009"]})).json()
    gone = await admin.request("DELETE", f"/admin/rules/{made['id']}", headers={"if-match": "*"})
    raw.delete(*raw.keys("{sb}:items:*"))
    back = await revert(admin, gone.json()["revision"])
    assert back.status_code == 200, back.text


async def test_a_rule_comes_back_as_it_was_unless_another_took_its_place(admin: AppClient) -> None:
    body = {"words": ["sale"], "hide": ["i009"], "positions": ["i001"], "metadata": {"banner": "x"}}
    made = (await admin.post("/admin/rules", json=body)).json()
    first, at = served(admin), f"/admin/rules/{made['id']}"
    changed = await admin.patch(at, json={"hide": ["i002"], "draft": True}, headers={"if-match": "*"})
    assert (await revert(admin, changed.json()["revision"])).json()["hide"] == ["i009"]
    assert served(admin) == first
    gone = (await admin.request("DELETE", at, headers={"if-match": "*"})).json()["revision"]
    other = (await admin.post("/admin/rules", json={**body, "metadata": {}})).json()
    refused = (await revert(admin, gone)).json()
    assert (refused["type"], refused["holder"]["binding"]) == ("urn:slotbeam:problem:word-taken", other["id"])
    await admin.request("DELETE", f"/admin/rules/{other['id']}", headers={"if-match": "*"})
    assert (await revert(admin, gone)).json()["id"] == made["id"]
    assert served(admin) == first


async def test_the_dry_run_of_a_removal_builds(admin: AppClient) -> None:
    await bind(admin, "labubu", items={"ids": ["i007", "i008"]})
    gone = await admin.request("DELETE", "/admin/slots/1-4", headers={"if-match": "*"})
    dry = await revert(admin, gone.json()["revision"], dry_run="true")
    assert dry.status_code == 200, dry.text
    assert dry.json()["warnings"] == [], dry.text


async def test_what_has_ended_meanwhile_is_refused(plane: Plane) -> None:
    clock = Clock(NOW)
    async with plane(clock=clock) as admin:
        await bind(admin, "labubu", ends_at="2027-02-01T00:00:00Z")
        gone = await admin.request("DELETE", "/admin/slots/1-4", headers={"if-match": "*"})
        clock.now_ms = NOW + 60 * 86_400_000
        assert (await revert(admin, gone.json()["revision"])).status_code == 422
