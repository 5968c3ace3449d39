"""Whatever others wrote into the store, no answer of the control plane is a 500."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import redis

from slotbeam.bindings.binding import encode_items, state_digest
from support.clients import AppClient
from support.live import make_binding
from support.replies import fields

BODY = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i001"]}}
CROCS = make_binding("crocs", category="brand", items=encode_items(["i003"])[0])
SLOTS = ("slots", "slots?state=failed", "slots/1-4", f"slots/{CROCS.id}", "slots.csv", "slots.json")
READS = (*(f"/admin/{path}" for path in (*SLOTS, "replicas", "audit", "suggestions")), "/metrics", "/readyz", "/livez")

DOCUMENTS: dict[str, bytes] = {
    "nothing": b"",
    "no UTF-8": b"\xff\xfe",
    "null": b"null",
    "a list": b"[[]]",
    "NaN": b'{"revision": NaN, "failed": {}, "fingerprint": NaN}',
    "text as numbers": b'{"revision": "7", "failed": [], "fingerprint": 7}',
    "300 digits": b'{"revision": 1' + b"0" * 300 + b', "failed": {}, "fingerprint": ""}',
    "5 000 digits": b'{"revision": 1' + b"0" * 5000 + b', "failed": {}, "fingerprint": ""}',
    "a lone surrogate": b'{"revision": 1, "failed": {"b_aaaaaaaaaa": "\\ud800"}, "state": "\\ud800"}',
    "values in values": b'{"revision": 1, "failed": {"b_aaaaaaaaaa": {}}, "state": {}, "at": []}',
    "100 k levels": b"[" * 100_000,
    "300 levels": b'{"revision": 1, "failed": {}, "x": ' + b"[" * 300 + b"]" * 300 + b"}",
}
REFUSALS = {
    f"urn:slotbeam:problem:{name}"
    for name in ("not-found", "store-unavailable", "idempotency-key-reused", "store-error")
}


def forge(raw: redis.Redis, record: bytes, items: bytes = encode_items(["i003"])[1]) -> None:
    """A revision whose digests are true, by somebody who can compute them as well as slotbeam can."""
    state = state_digest({CROCS.id: record})
    raw.hset("{sb}:binding", CROCS.id, record)
    raw.hset("{sb}:meta", mapping={"rev": "1", "state": state, "count": "1"})
    entry = {"op": "bind", "actor": "x", "at": "1", "epoch": str(raw.hget("{sb}:meta", "epoch")), "state": state}
    raw.xadd("{sb}:log", dict((entry | {"changes": "[]"}).items()), id="1-0")
    raw.set(f"{{sb}}:items:{CROCS.items}", items)


def in_log(raw: redis.Redis, document: bytes) -> None:
    at = str(10**18 - 1)
    raw.xadd("{sb}:log", {"at": at, "changes": document, "op": document[:80], "state": b"\xff"}, id="1-0")


PLACES: dict[str, Callable[[redis.Redis, bytes], Any]] = {
    "a heartbeat": lambda raw, document: raw.set("{sb}:replica:other", document),
    "the log": in_log,
    "an idempotency record": lambda raw, document: raw.hset("{sb}:idem", "the-key", document),
    "published counts": lambda raw, document: raw.set("{sb}:stats:other", document),
    "a dismissed word": lambda raw, document: raw.hset("{sb}:dismissed", document[:80], document),
    "a record": forge,
    "an item list": lambda raw, document: forge(raw, CROCS.record(), document),
    "the epoch": lambda raw, document: raw.hset("{sb}:meta", "epoch", document),
    "the revision": lambda raw, document: raw.hset("{sb}:meta", "rev", document),
}


async def ask_everything(admin: httpx.AsyncClient) -> None:
    """Every read, and writes, one with a key that may be taken: each is done, or refused with a problem."""
    answers = [await admin.get(path) for path in READS]
    answers.append(await admin.post("/admin/slots", json=BODY, headers={"idempotency-key": "the-key"}))
    answers.append(await admin.post("/admin/slots?dry_run=true", json={**BODY, "words": ["lafufu"]}))
    for answer in answers:
        if answer.status_code not in (200, 201):
            assert answer.json()["type"] in REFUSALS, (answer.url, answer.text)


@pytest.mark.parametrize("place", PLACES)
async def test_what_cannot_be_read_breaks_no_answer(admin: AppClient, raw: redis.Redis, place: str) -> None:
    assert (await admin.get("/admin/slots")).status_code == 200
    beginning = fields(str, raw.hgetall("{sb}:meta"))
    for document in DOCUMENTS.values():
        raw.flushall()
        raw.hset("{sb}:meta", mapping=dict(beginning.items()))
        PLACES[place](raw, document)
        await asyncio.wait_for(admin.plane.watcher.sync(), 20)
        await ask_everything(admin)
    assert (await admin.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"starts_at": 10**20}, {"created_at": 253_402_300_800_000}, {"created_at": -(10**20)}, {"revision": 10**30},
     {"item_count": 10**30}, {"owner": "\ud800"}, {"words": ["\ud800"]}, {"category": "nope"}],
    ids=str,
)  # fmt: skip
async def test_a_forged_record_with_true_digests_breaks_no_answer(
    admin: AppClient, raw: redis.Redis, change: dict[str, Any]
) -> None:
    data = {**json.loads(CROCS.record()), **change}
    forge(raw, json.dumps(data, sort_keys=True, separators=(",", ":")).encode())
    await asyncio.wait_for(admin.plane.watcher.sync(), 20)
    await ask_everything(admin)
