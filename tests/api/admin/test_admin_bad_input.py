"""Bad input of the control plane: each with its status and problem type, in a dry run and for good; nothing changes."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from slotbeam.api.admin import create_admin_app
from slotbeam.bindings.binding import MAX_ITEMS
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from support.clients import AppClient, client_of, ready
from support.live import NOW, Clock

BODY: dict[str, Any] = {"words": ["labubu", "拉布布"], "category": "brand", "items": {"ids": ["i001", "i002"]}}
JSON = {"content-type": "application/json"}

FIELDS: list[tuple[str, dict[str, Any], int, str, str]] = [
    ("no words", {"words": []}, 422, "invalid-input", "at least 1"),
    ("an empty word", {"words": [""]}, 422, "invalid-binding", "no visible character"),
    ("a zero-width word", {"words": ["\u200b\u2060"]}, 422, "invalid-binding", "no visible character"),
    ("an invisible letter", {"words": ["\u3164"]}, 422, "invalid-binding", "no visible character"),
    ("signs only", {"words": ["=+-@"]}, 422, "invalid-binding", "no letter, digit or symbol"),
    ("private use", {"words": ["\ue000"]}, 422, "invalid-binding", "no letter, digit or symbol"),
    ("a long word", {"words": ["x" * 65]}, 422, "invalid-binding", "65 characters in canonical form"),
    ("a word that grows", {"words": ["\ufdfa" * 60]}, 422, "invalid-binding", "in canonical form; at most 64"),
    ("10 k combining marks", {"words": ["a" + "\u0301" * 10_000]}, 422, "invalid-input", "at most 1280"),
    ("33 words", {"words": [f"w{i}" for i in range(33)]}, 422, "invalid-input", "at most 32"),
    ("text as words", {"words": "labubu"}, 422, "invalid-input", "words"),
    ("a number as word", {"words": [1]}, 422, "invalid-input", "words.0"),
    ("Cyrillic inside Latin", {"words": ["lаbubu"]}, 422, "invalid-binding", "mixes Cyrillic and Latin"),
    ("Armenian inside Latin", {"words": ["labսbս"]}, 422, "invalid-binding", "mixes Armenian and Latin"),
    ("an unknown category", {"category": "brands"}, 422, "invalid-input", "is not a category; one of entity"),
    ("a slot that is not reserved", {"slot": "1-1"}, 422, "invalid-binding", "1-4 to 1-65543"),
    ("a slot of another position", {"slot": "0-6"}, 422, "invalid-binding", "1-4 to 1-65543"),
    ("a slot after the last", {"slot": "1-65544"}, 422, "invalid-binding", "1-4 to 1-65543"),
    ("a slot of 62 digits", {"slot": "1-" + "9" * 62}, 422, "invalid-input", "slot"),
    ("a slot of 5 000 digits", {"slot": "1-" + "9" * 5000}, 422, "invalid-input", "slot"),
    ("no slot", {"slot": "x"}, 422, "invalid-input", "position-index"),
    ("other digits", {"slot": "1-٤"}, 422, "invalid-input", "position-index"),
    ("no items", {"items": {}}, 422, "invalid-binding", "no item was named"),
    ("unknown items", {"items": {"ids": ["nope"]}}, 422, "invalid-binding", "none of the 1 item ids"),
    ("an empty item id", {"items": {"ids": [""]}}, 422, "invalid-input", "items.ids.0"),
    ("no item matches", {"items": {"match": True}}, 422, "invalid-binding", "no item's text holds"),
    ("50 001 items", {"items": {"ids": ["i001"] * 50_001}}, 422, "invalid-input", "at most 50000"),
    ("match as text", {"items": {"match": "yes"}}, 422, "invalid-input", "items.match: must be true"),
    ("match as a number", {"items": {"match": 1}}, 422, "invalid-input", 'items.match: must be true, false or "live"'),
    ("a list as items", {"items": ["i001"]}, 422, "invalid-input", "items"),
    ("an unknown placement", {"placement": "bottom"}, 422, "invalid-input", "placement"),
    ("an end in the past", {"ends_at": "2020-01-01T00:00:00Z"}, 422, "invalid-binding", "in the past"),
    ("an end in ten years", {"ends_at": "2037-01-15T08:00:00Z"}, 422, "invalid-binding", "five years"),
    ("an end in year 9999", {"ends_at": "9999-12-31T23:59:59-23:59"}, 422, "invalid-input", "is no time"),
    ("an end without offset", {"ends_at": "2030-01-01T00:00:00"}, 422, "invalid-input", "neither an offset nor a zone"),
    ("an end that is none", {"ends_at": "tomorrow"}, 422, "invalid-input", "is no time"),
    ("an end as a number", {"ends_at": 1_900_000_000}, 422, "invalid-input", "ends_at"),
    ("an end before the start", {"starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}, 422,
     "invalid-binding", "not after starts_at"),
    ("a NUL in the owner", {"owner": "a\x00b"}, 422, "invalid-input", "control"),
    ("an escape code in the reason", {"reason": "\x1b[2J"}, 422, "invalid-input", "control"),
    ("an override in the reason", {"reason": "a\u202eb"}, 422, "invalid-input", "control"),
    ("a long reason", {"reason": "x" * 300}, 422, "invalid-input", "at most 256"),
    ("an unknown field", {"surprise": 1}, 422, "invalid-input", "surprise: unknown field; allowed: words"),
    ("near_miss as a number", {"near_miss": 1}, 422, "invalid-input", "near_miss"),
    ("a bound word", {"words": ["new", "crocs"]}, 409, "word-taken", "crocs"),
    ("its full-width twin", {"words": ["ｃｒｏｃｓ"]}, 409, "word-taken", "crocs"),
    ("its zero-width twin", {"words": ["cro\u200bcs"]}, 409, "word-taken", "crocs"),
    ("its twin with a filler", {"words": ["cro\u3164cs"]}, 409, "word-taken", "crocs"),
    ("its twin with a selector", {"words": ["crocs\U000e0100"]}, 409, "word-taken", "crocs"),
    ("its capitals", {"words": ["CROCS"]}, 409, "word-taken", "crocs"),
    ("its Cyrillic twin", {"words": ["сосоа"]}, 409, "word-taken", "looks like"),
    ("its Greek twin", {"words": ["cοcοα"]}, 409, "word-taken", "looks like"),
    ("its twin in small capitals", {"words": ["ᴄoᴄoa"]}, 409, "word-taken", "looks like"),
    ("a twin by casefold", {"words": ["STRASSE"]}, 409, "word-taken", "strasse"),
    ("a twin with a dotless i", {"words": ["cıtrus"]}, 409, "word-taken", "looks like"),
    ("a taken slot", {"slot": "1-4"}, 409, "slot-taken", 'slot 1-4 is bound to "crocs" (revision 1)'),
]  # fmt: skip

RAW: list[tuple[str, bytes, int, str]] = [
    ("empty", b"", 400, "malformed-body"),
    ("null", b"null", 422, "invalid-input"),
    ("a list", b"[]", 422, "invalid-input"),
    ("trailing text", b"{} x", 400, "malformed-body"),
    ("a byte order mark", b"\xef\xbb\xbf{}", 400, "malformed-body"),
    ("UTF-16", "{}".encode("utf-16"), 400, "malformed-body"),
    ("5 000 digits", b'{"words": ' + b"9" * 5000 + b"}", 400, "malformed-body"),
    ("a gzip bomb", gzip.compress(b" " * 20_000_000), 400, "malformed-body"),
    ("a key twice", b'{"words": ["a"], "words": ["b"]}', 400, "malformed-body"),
    ("NaN", b'{"words": NaN}', 400, "malformed-body"),
    ("1e999", b'{"words": 1e999}', 400, "malformed-body"),
    ("a lone surrogate", b'{"words": ["a\\ud800"]}', 400, "malformed-body"),
    ("a lone surrogate in a reason", b'{"reason": "a\\udfff"}', 400, "malformed-body"),
    ("invalid UTF-8", b'{"words": ["\xff"]}', 400, "malformed-body"),
    ("100 k levels", b'{"words": ' + b"[" * 100_000, 400, "malformed-body"),
    ("20 MB", b" " * 20_000_000, 413, "too-large"),
]

REQUESTS: list[tuple[str, str, dict[str, str], int, str, str]] = [
    ("an unknown wait", "wait=some", {}, 422, "invalid-input", "allowed: all, none"),
    ("a wait of an hour", "wait=all&timeout=1h", {}, 422, "invalid-input", "0 to 60 s"),
    ("a wait of NaN", "wait=all&timeout=nan", {}, 422, "invalid-input", "0 to 60 s"),
    ("a long wait", "wait=all&timeout=61", {}, 422, "invalid-input", "0 to 60 s"),
    ("dry_run maybe", "dry_run=maybe", {}, 422, "invalid-input", "true, false"),
    ("an empty key", "", {"idempotency-key": ""}, 422, "invalid-input", "1 to 64"),
    ("a key of 65", "", {"idempotency-key": "k" * 65}, 422, "invalid-input", "1 to 64"),
    ("a key with a space", "", {"idempotency-key": "a b"}, 422, "invalid-input", "1 to 64"),
    ("a key that is not ASCII", "", {"idempotency-key": "\xe9"}, 422, "invalid-input", "1 to 64"),
    ("a key used with another body", "", {"idempotency-key": "crocs"}, 409, "idempotency-key-reused", "key"),
    ("a compressed body", "", {"content-encoding": "gzip"}, 415, "unsupported-media-type", "uncompressed"),
    ("another content type", "", {"content-type": "text/csv"}, 415, "unsupported-media-type", "application/json"),
]

PATHS = [
    "1-" + "9" * 5000,
    "9" * 5000,
    "1-1",
    "3-0",
    "-1-4",
    "1-4-1",
    "b_",
    "b_" + "a" * 5000,
    "b_%00",
    "1-%D9%A4",
    "x",
]


@pytest.fixture(scope="module")
async def standing(shop: Artifact, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AppClient]:
    """A control plane of 2027 on a store of its own; "crocs", "cocoa", "straße" and "citrus" are on slot 1-4."""
    directory = tmp_path_factory.mktemp("bad")
    store = EmbeddedStore(directory)
    settings = Settings(data_dir=directory, redis_url=store.start(), admin_token=SecretStr("t" * 32))
    app = create_admin_app(settings, shop, clock=Clock(NOW))
    async with client_of(app) as client:
        client.headers["authorization"] = "Bearer " + "t" * 32
        await ready(client)
        body = {**BODY, "words": ["crocs", "cocoa", "straße", "citrus"]}
        made = await client.post("/admin/slots", json=body, headers={"idempotency-key": "crocs"})
        assert (made.status_code, made.json()["slot"]) == (201, "1-4")
        yield client
    store.stop()


def problem_of(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["detail"].isprintable()
    return response.status_code, document["type"].removeprefix("urn:slotbeam:problem:")


@pytest.mark.parametrize(
    ("change", "status", "problem", "says"), [row[1:] for row in FIELDS], ids=[row[0] for row in FIELDS]
)
async def test_a_bad_field_is_a_problem(
    unmoved: httpx.AsyncClient, change: dict[str, Any], status: int, problem: str, says: str
) -> None:
    for query in ("", "?dry_run=true"):
        response = await unmoved.post(f"/admin/slots{query}", json={**BODY, **change})
        assert problem_of(response) == (status, problem)
        assert says in response.json()["detail"]
        assert ("holder" in response.json()) == (status == 409)


@pytest.mark.parametrize(("body", "status", "problem"), [row[1:] for row in RAW], ids=[row[0] for row in RAW])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_bad_body_is_a_problem(
    unmoved: httpx.AsyncClient, method: str, body: bytes, status: int, problem: str
) -> None:
    path = "/admin/slots" if method == "POST" else "/admin/slots/1-4"
    response = await unmoved.request(method, path, content=body, headers={**JSON, "if-match": "*"})
    assert problem_of(response) == (status, problem)


@pytest.mark.parametrize(
    ("query", "headers", "status", "problem", "says"), [row[1:] for row in REQUESTS], ids=[row[0] for row in REQUESTS]
)
async def test_a_bad_parameter_or_header_is_a_problem(
    unmoved: httpx.AsyncClient, query: str, headers: dict[str, str], status: int, problem: str, says: str
) -> None:
    sent = {**JSON, **headers}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
    response = await unmoved.post(f"/admin/slots?{query}", content=json.dumps(BODY).encode(), headers=raw)
    assert problem_of(response) == (status, problem)
    assert says in response.json()["detail"]


@pytest.mark.parametrize("address", PATHS, ids=lambda text: text[:12])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_a_slot_that_cannot_be_is_a_problem(unmoved: httpx.AsyncClient, method: str, address: str) -> None:
    body = {"PUT": BODY, "PATCH": {"owner": "x"}}.get(method)
    response = await unmoved.request(method, f"/admin/slots/{address}", json=body, headers={"if-match": "*"})
    status, problem = problem_of(response)
    assert (status, problem) in {(422, "invalid-input"), (422, "invalid-binding"), (404, "not-found")}
    assert (status == 404) == address.startswith("b_")
    assert len(response.content) < 1000


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("tag", "status", "problem"),
    [(None, 428, "precondition-required"), ('"b_aaaa.1"', 412, "stale-revision"), ("", 412, "stale-revision"),
     ("\xff", 412, "stale-revision"), ('"' * 5000, 412, "stale-revision")],
    ids=["missing", "stale", "empty", "bytes", "long"],
)  # fmt: skip
async def test_an_edit_without_the_current_etag_is_a_problem(
    unmoved: httpx.AsyncClient, method: str, tag: str | None, status: int, problem: str
) -> None:
    body = {"PUT": BODY, "PATCH": {"owner": "x"}}.get(method)
    headers = {} if tag is None else {b"if-match": tag.encode("latin-1")}
    response = await unmoved.request(method, "/admin/slots/1-4", json=body, headers=headers)
    assert problem_of(response) == (status, problem)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_an_earlier_request_with_its_key_hides_no_missing_etag(admin: httpx.AsyncClient, method: str) -> None:
    await admin.post("/admin/slots", json=BODY)
    body, key = {"PUT": BODY, "PATCH": {"owner": "x"}}.get(method), {"idempotency-key": "edit-1"}
    done = await admin.request(method, "/admin/slots/1-4", json=body, headers={**key, "if-match": "*"})
    again = await admin.request(method, "/admin/slots/1-4", json=body, headers=key)
    assert done.status_code == 200
    assert problem_of(again) == ((404, "not-found") if method == "DELETE" else (428, "precondition-required"))


@pytest.mark.parametrize("match", [True, "live"])
async def test_a_match_of_too_many_items_is_a_problem_with_the_count(unmoved: httpx.AsyncClient, match: object) -> None:
    items = {"ids": [f"n{number}" for number in range(MAX_ITEMS)], "match": match}
    response = await unmoved.post("/admin/slots", json={**BODY, "words": ["red"], "items": items})
    assert problem_of(response) == (422, "invalid-binding")
    assert response.json()["count"] > MAX_ITEMS
    assert str(response.json()["count"]) in response.json()["detail"]


async def test_a_post_without_a_key_is_made_each_time_it_is_sent(admin: httpx.AsyncClient) -> None:
    assert (await admin.post("/admin/slots", json=BODY)).status_code == 201
    assert problem_of(await admin.post("/admin/slots", json=BODY)) == (409, "word-taken")


GOOD = b"Bearer " + b"t" * 32
TOKENS: list[tuple[str, list[bytes], int, str]] = [
    ("none", [], 401, "unauthorized"),
    ("empty", [b""], 401, "unauthorized"),
    ("no token", [b"Bearer "], 401, "unauthorized"),
    ("short", [b"Bearer t"], 401, "unauthorized"),
    ("one character too many", [GOOD + b"t"], 401, "unauthorized"),
    ("wrong", [b"Bearer " + b"y" * 32], 401, "unauthorized"),
    ("expired", [b"Bearer " + b"e" * 32], 401, "unauthorized"),
    ("not ASCII", ["Bearer кккккккккккккккк".encode()], 401, "unauthorized"),
    ("not UTF-8", [b"Bearer \xff\xfe" + b"t" * 30], 401, "unauthorized"),
    ("basic", [b"Basic " + b"t" * 32], 401, "unauthorized"),
    ("twice", [GOOD, GOOD], 401, "unauthorized"),
    ("two", [GOOD, b"Bearer x"], 401, "unauthorized"),
    ("two in one", [GOOD + b", " + GOOD], 401, "unauthorized"),
    ("a hundred thousand characters", [b"Bearer " + b"t" * 30_000], 401, "unauthorized"),
    ("another scope", [b"Bearer " + b"r" * 32], 403, "forbidden"),
]


@pytest.mark.parametrize(("sent", "status", "problem"), [row[1:] for row in TOKENS], ids=[row[0] for row in TOKENS])
async def test_a_bad_token_is_a_problem_and_never_told(
    unmoved: AppClient, sent: list[bytes], status: int, problem: str
) -> None:
    rows = [
        {"name": "reader", "sha256": hashlib.sha256(b"r" * 32).hexdigest(), "scopes": ["slots:read"]},
        {
            "name": "old",
            "sha256": hashlib.sha256(b"e" * 32).hexdigest(),
            "scopes": ["slots:write"],
            "expires_at": NOW / 1000 - 1,
        },
    ]
    (unmoved.plane.settings.data_dir / "tokens.json").write_text(json.dumps({"tokens": rows}))
    good = unmoved.headers.pop("authorization")
    try:
        headers = [(b"authorization", value) for value in sent]
        response = await unmoved.post("/admin/slots", json=BODY, headers=headers)
        without = await unmoved.post("/admin/slots", json=BODY)
    finally:
        unmoved.headers["authorization"] = good
    assert problem_of(response) == (status, problem)
    if status == 401:
        assert response.content == without.content
        assert response.headers["www-authenticate"].startswith("Bearer")
    assert "tttt" not in response.text


ODD = ["=1+1", "+1", "-1", "@SUM(A1)", "{{7*7}}", "<script>", "'; DROP TABLE x; --", "<eos>", "(a+)+$", '"', "拉布布"]


async def test_odd_text_is_kept_as_it_is(admin: httpx.AsyncClient) -> None:
    made = await admin.post("/admin/slots", json=BODY)
    for text in ODD:
        form = {"reason": text, "owner": text}
        made = await admin.patch("/admin/slots/1-4", json=form, headers={"if-match": made.headers["etag"]})
        assert made.status_code == 200
        kept = await admin.get("/admin/slots/1-4")
        assert (kept.json()["reason"], kept.json()["owner"]) == (text, text)
        assert kept.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "q", ["%00", "%ff", "%ed%a0%80", "%0d%0aX-Evil:1", "a" * 20_000, "(a%2B)%2B$", "%EF%B7%BA" * 256]
)
async def test_any_search_for_slots_is_answered(unmoved: httpx.AsyncClient, q: str) -> None:
    response = await unmoved.get(f"/admin/slots?q={q}")
    assert response.status_code == 200
    assert "x-evil" not in response.headers


async def test_another_method_is_a_problem_that_names_every_right_one(unmoved: httpx.AsyncClient) -> None:
    response = await unmoved.delete("/admin/slots")
    assert problem_of(response) == (405, "method-not-allowed")
    assert response.headers["allow"] == "GET, HEAD, POST"
    assert "it takes GET, HEAD, POST" in response.json()["detail"]


@pytest.mark.parametrize("query", ["state=", "position=", "state=bound", "position=%00"])
async def test_a_filter_that_means_nothing_is_a_problem(unmoved: httpx.AsyncClient, query: str) -> None:
    assert problem_of(await unmoved.get(f"/admin/slots?{query}")) == (422, "invalid-input")


async def test_a_bad_key_is_a_problem_also_where_nothing_would_be_written(unmoved: httpx.AsyncClient) -> None:
    response = await unmoved.post("/admin/suggestions/crocs:accept", headers={"idempotency-key": "a b"})
    assert problem_of(response) == (422, "invalid-input")
    assert "Idempotency-Key" in response.json()["detail"]
