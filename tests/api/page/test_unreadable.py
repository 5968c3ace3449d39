"""A slot whose record this version cannot read is told as what it is: held, and by whom."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import redis

from slotbeam.bindings.binding import encode_items, state_digest
from support.live import make_binding

from .conftest import BOUND, TOKEN

Browser = Any
SHA, LIST = encode_items(["i003"])
CROCS = make_binding("crocs", category="brand", items=SHA)
ITSELF = {"authorization": f"Bearer {TOKEN}"}


async def written(browser: Browser, raw: redis.Redis, is_placed: bool = True) -> str:
    """Write a record of a newer version, on the first slot of brands, which is returned, or on none."""
    newer = json.dumps({**json.loads(CROCS.record()), "shelf": 7}, sort_keys=True, separators=(",", ":")).encode()
    artifact, state = browser.client.plane.artifact, state_digest({CROCS.id: newer})
    first = f"1-{artifact.kae.codebook.reserved(1)[0]}"
    raw.hset("{sb}:binding", CROCS.id, newer)
    if is_placed:
        raw.hset(f"{{sb}}:slots:{artifact.codebook_sha}", first, CROCS.id)
    raw.set(f"{{sb}}:items:{SHA}", LIST)
    raw.hset("{sb}:meta", mapping={"rev": "1", "state": state, "count": "1"})
    entry = {"op": "bind", "actor": "x", "at": "1", "epoch": str(raw.hget("{sb}:meta", "epoch")), "state": state}
    raw.xadd("{sb}:log", dict((entry | {"changes": "[]"}).items()), id="1-0")
    await asyncio.wait_for(browser.client.plane.watcher.sync(), 20)
    return first


@pytest.fixture
async def slot(browser: Browser, raw: redis.Redis) -> str:
    return await written(browser, raw)


async def test_it_is_told_as_held_and_why_by_the_api_and_on_the_page(browser: Browser, slot: str) -> None:
    told = {"slot": slot, "state": "failed", "id": CROCS.id}
    for address in (slot, CROCS.id):
        answer = await browser.client.get(f"/admin/slots/{address}", headers=ITSELF)
        assert answer.status_code == 200
        assert answer.json().items() >= told.items()
        assert "newer slotbeam" in answer.json()["error"]
        page = await browser.get(f"/ops/slots/{address}")
        assert f"held by <code>{CROCS.id}</code>" in page.text
        assert "newer slotbeam" in page.text
    listed = (await browser.client.get("/admin/slots?bound=true", headers=ITSELF)).json()
    assert [one.items() >= told.items() for one in listed["slots"]] == [True]
    assert listed["counts"]["failed"] == 1
    assert "newer slotbeam" in (await browser.get("/")).text


async def test_nothing_takes_its_slot_and_no_edit_touches_it(browser: Browser, raw: redis.Redis, slot: str) -> None:
    body = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i001"]}}
    named = await browser.client.post("/admin/slots", json={**body, "slot": slot}, headers=ITSELF)
    assert (named.status_code, named.json()["type"]) == (409, "urn:slotbeam:problem:slot-taken")
    for address in (slot, CROCS.id):
        for method, sent in (("PUT", body), ("PATCH", {"owner": "x"}), ("DELETE", None)):
            refused = await browser.client.request(
                method, f"/admin/slots/{address}", json=sent, headers={**ITSELF, "if-match": "*"}
            )
            assert (refused.status_code, refused.json()["type"]) == (409, "urn:slotbeam:problem:conflict")
            assert f"slot {slot} is held by binding {CROCS.id}, whose record cannot be read" in refused.json()["detail"]
    assert slot not in (await browser.post("/ops/slots/new", **BOUND)).text
    assert '"shelf":7' in str(raw.hget("{sb}:binding", CROCS.id))


async def test_what_has_no_slot_and_cannot_be_read_is_listed_too(browser: Browser, raw: redis.Redis) -> None:
    await written(browser, raw, is_placed=False)
    listed = (await browser.client.get("/admin/slots?bound=true", headers=ITSELF)).json()
    assert [(one["slot"], one["id"], one["state"]) for one in listed["slots"]] == [(None, CROCS.id, "failed")]
