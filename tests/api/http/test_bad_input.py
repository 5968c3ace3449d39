"""Bad input of the data plane: each with its status, its problem type and what the answer says.

What is bad only as bytes on the wire is in test_guard.py, what is bad in an edit in admin/test_admin_bad_input.py.
"""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from support.clients import client_of

JSON = {"content-type": "application/json"}

BODY: list[tuple[str, bytes, int, str, str]] = [
    ("empty", b"", 400, "malformed-body", "empty"),
    ("null", b"null", 422, "invalid-input", "must be an object (given null)"),
    ("a list", b"[]", 422, "invalid-input", "must be an object (given a list of 0)"),
    ("a text", b'"mug"', 422, "invalid-input", "must be an object"),
    ("trailing text", b'{"query": "mug"} mug', 400, "malformed-body", "Extra data"),
    ("a key twice", b'{"query": "mug", "query": "cup"}', 400, "malformed-body", '"query" appears twice'),
    ("an escaped key twice", b'{"query": "mug", "\\u0071uery": "cup"}', 400, "malformed-body", "appears twice"),
    ("a byte order mark", b'\xef\xbb\xbf{"query": "mug"}', 400, "malformed-body", "byte order mark"),
    ("UTF-16", '{"query": "mug"}'.encode("utf-16"), 400, "malformed-body", "UTF-16"),
    ("UTF-16 without a mark", '{"query": "mug"}'.encode("utf-16-be"), 400, "malformed-body", "UTF-16"),
    ("invalid UTF-8", b'{"query": "\xff"}', 400, "malformed-body", "not UTF-8 (byte 11)"),
    ("overlong UTF-8", b'{"query": "\xc0\xaf"}', 400, "malformed-body", "not UTF-8"),
    ("nesting 100 k deep", b"[" * 100_000 + b"]" * 100_000, 400, "malformed-body", "nested deeper than 32"),
    ("nesting in a filter", b'{"filter": ' + b'{"a":' * 40 + b"1" + b"}" * 41, 400, "malformed-body", "nested deeper"),
    ("NaN", b'{"query": "mug", "k": NaN}', 400, "malformed-body", "NaN"),
    ("Infinity", b'{"query": "mug", "k": Infinity}', 400, "malformed-body", "Infinity"),
    ("NaN in a filter", b'{"query": "mug", "filter": {"price": -NaN}}', 400, "malformed-body", "not JSON"),
    ("1e999", b'{"query": "mug", "k": 1e999}', 400, "malformed-body", "too large"),
    ("1e999 in a filter", b'{"query": "mug", "filter": {"price": 1e999}}', 400, "malformed-body", "too large"),
    ("5 000 digits", b'{"query": "mug", "k": ' + b"9" * 5000 + b"}", 400, "malformed-body", "5000 digits"),
    ("20 MB", b" " * 20_000_000, 413, "too-large", "1048576 bytes"),
    ("20 MB of query", b'{"query": "' + b"a" * 20_000_000 + b'"}', 413, "too-large", "1048576 bytes"),
    ("a gzip bomb", gzip.compress(b" " * 20_000_000), 400, "malformed-body", "not"),
    ("an unknown field", b'{"query": "mug", "limit": 3}', 422, "invalid-input", "limit: unknown field; allowed: query"),
    ("a lone surrogate", b'{"query": "a\\ud800"}', 400, "malformed-body", "lone surrogate"),
    ("a lone surrogate in a key", b'{"query": "a", "\\udfff": 1}', 400, "malformed-body", "lone surrogate"),
    ("a lone surrogate in a wrong type", b'{"query": ["\\udc00"]}', 400, "malformed-body", "lone surrogate"),
    ("surrogates in the wrong order", b'{"query": "\\udc00\\ud800"}', 400, "malformed-body", "lone surrogate"),
    ("a NUL outside a text", b'{"query": "mug"}\x00', 400, "malformed-body", "not JSON"),
    ("a raw line end in a text", b'{"query": "a\r\nb"}', 400, "malformed-body", "not JSON"),
]  # fmt: skip

MEDIA: list[tuple[str, dict[str, str], str]] = [
    ("no content type", {}, "missing; send application/json"),
    ("a form", {"content-type": "application/x-www-form-urlencoded"}, "application/x-www-form-urlencoded"),
    ("text", {"content-type": "text/plain"}, "text/plain"),
    ("another charset", {"content-type": "application/json; charset=utf-16"}, "in UTF-8"),
    ("gzip", {**JSON, "content-encoding": "gzip"}, "uncompressed"),
    ("bytes in the type", {"content-type": "application/\x80\xff"}, "send application/json"),
]

FIELDS: list[tuple[str, dict[str, Any], str, str]] = [
    ("no query", {"query": ...}, "invalid-input", "query: is required"),
    ("a list as query", {"query": ["mug"]}, "invalid-input", "a valid string (given a list of 1)"),
    ("a number as query", {"query": 7}, "invalid-input", "query: Input should be a valid string (given 7)"),
    ("null as query", {"query": None}, "invalid-input", "query: Input should be a valid string (given null)"),
    ('k "10"', {"k": "10"}, "invalid-input", 'k: Input should be a valid integer (given "10")'),
    ("k true", {"k": True}, "invalid-input", "k: Input should be a valid integer (given true)"),
    ("k 10.0", {"k": 10.0}, "invalid-input", "k: Input should be a valid integer (given 10.0)"),
    ("k 0", {"k": 0}, "invalid-input", "k: Input should be greater than or equal to 1 (given 0)"),
    ("k -1", {"k": -1}, "invalid-input", "k: Input should be greater than or equal to 1 (given -1)"),
    ("k 10⁹", {"k": 10**9}, "invalid-input", "k: Input should be less than or equal to 1000 (given 1000000000)"),
    ("a beam of 0", {"beam_width": 0}, "invalid-input", "beam_width"),
    ("an empty query", {"query": ""}, "invalid-input", "no visible character"),
    ("spaces", {"query": " \t\n\u3000"}, "invalid-input", "no visible character"),
    ("zero-width only", {"query": "\u200b\u200d\ufeff\u2060"}, "invalid-input", "no visible character"),
    ("invisible letters only", {"query": "\u3164\u115f\U000e0101"}, "invalid-input", "no visible character"),
    ("controls only", {"query": "\x00\x07\x1b"}, "invalid-input", "no visible character"),
    ("a query too long", {"query": "x" * 257}, "invalid-input", "257 characters after normalisation"),
    ("U+FDFA × 256", {"query": "\ufdfa" * 256}, "invalid-input", "after normalisation"),
    ("10 k combining marks", {"query": "a" + "\u0301" * 10_000}, "invalid-input", "query"),
    ("8 k combining marks", {"query": "a" + "\u0301" * 8_000}, "invalid-input", "after normalisation"),
    ("an unknown user field", {"user": {"age": 3}}, "invalid-input", "age: unknown field; allowed: recent_q"),
    ("a history that is text", {"user": {"recent_queries": "pop"}}, "invalid-input", "user.recent_queries"),
    ("a history of numbers", {"user": {"recent_item_ids": [3]}}, "invalid-input", "user.recent_item_ids"),
    ("an unknown filter", {"filter": {"colour": "red"}}, "invalid-filter", "unknown field; allowed: department"),
    ("a filter of another type", {"filter": {"price": "cheap"}}, "invalid-filter", "filter.price"),
    ("an endless filter", {"filter": {"price": [1] * 1000}}, "invalid-filter", "at most 256"),
    ("use_bindings as text", {"use_bindings": "no"}, "invalid-input", "use_bindings"),
    ("a control in a key", {"a\r\n\x1b[31m": 1}, "invalid-input", "a\\r\\n\\x1b[31m: unknown field"),
    ("an override in a value", {"k": "\u202e01"}, "invalid-input", 'given "\\u202e01"'),
]  # fmt: skip

EVENTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("no id", {"request_id": ...}, "invalid-input", "events.0.request_id: is required"),
    ("an empty id", {"request_id": ""}, "invalid-input", "at least 1 character"),
    ("a number as id", {"request_id": 7}, "invalid-input", "a valid string (given 7)"),
    ("an id too long", {"request_id": "A" * 257}, "invalid-input", "at most 256 characters"),
    ("an id that was not issued", {"request_id": "A" * 47}, "unknown-request-id", "this service did not issue it"),
    ("an id of another service", {"request_id": "5f0cd1a60d3c4b0f"}, "unknown-request-id", "did not issue it"),
    ("an id in another script", {"request_id": "Ａ" * 47}, "unknown-request-id", "did not issue it"),
    ("a NUL as id", {"request_id": "\x00"}, "unknown-request-id", "did not issue it"),
    ("no type", {"type": ...}, "invalid-input", "events.0.type: is required"),
    ("another type", {"type": "wish"}, "invalid-input", "'cart' or 'order' (given \"wish\")"),
    ("a type in capitals", {"type": "Click"}, "invalid-input", "'cart' or 'order'"),
    ("no item", {"item_id": ...}, "invalid-input", "events.0.item_id: is required"),
    ("an empty item", {"item_id": ""}, "invalid-input", "at least 1 character"),
    ("an item too long", {"item_id": "x" * 257}, "invalid-input", "at most 256 characters"),
    ("a list as item", {"item_id": ["i003"]}, "invalid-input", "a valid string (given a list of 1)"),
    ("a rank below 0", {"rank": -1}, "invalid-input", "greater than or equal to 0 (given -1)"),
    ("a rank past every answer", {"rank": 1000}, "invalid-input", "less than 1000 (given 1000)"),
    ("a rank past this answer", {"rank": 5}, "invalid-input", "must be below 5, the k of this request"),
    ("a rank as text", {"rank": "3"}, "invalid-input", "a valid integer"),
    ("a rank as a fraction", {"rank": 3.0}, "invalid-input", "a valid integer (given 3.0)"),
    ("a rank of true", {"rank": True}, "invalid-input", "a valid integer (given true)"),
    ("an unknown field", {"query": "mug"}, "invalid-input", "0.query: unknown field; allowed: request_id"),
]  # fmt: skip

ODD: list[tuple[str, str]] = [
    ("a NUL", "\x00mug"),
    ("a header", "mug\r\nX-Evil: 1"),
    ("an escape code", "\x1b[31mmug"),
    ("a right-to-left override", "\u202emug"),
    ("private use", "\ue000\U000f0000"),
    ("not a character", "\ufffe\uffff mug"),
    ("casefold grows", "İß ŉ mug"),
    ("a formula", '=HYPERLINK("http://x","mug")'),
    ("plus", "+1 mug"),
    ("minus", "-1+1|cmd"),
    ("at", "@SUM(1)"),
    ("a slow pattern", "(a+)+$" + "a" * 60 + "!"),
    ("a template", "{{7*7}} ${7*7} <%= 7*7 %>"),
    ("a script", "<script>alert(1)</script>"),
    ("a query language", "'; DROP TABLE items; --"),
    ("special tokens", "<eos> <pad> <bos> <unk> [CLS] [SEP] </s>"),
    ("full width", "ｍｕｇ"),
    ("emoji of many parts", "👩\u200d👩\u200d👧\u200d👦" * 20),
]


def problem_of(response: httpx.Response) -> tuple[int, str]:
    """Status and type; every problem says the same status twice and nothing that a terminal would obey."""
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["detail"].isprintable()
    return response.status_code, document["type"].removeprefix("urn:slotbeam:problem:")


@pytest.fixture(scope="module")
async def standing(bound_shop: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """A data plane for all tests but the last: what is refused leaves nothing behind, as that one says."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("standing"))
    async with client_of(create_data_app(settings, holder=Holder(bound_shop))) as client:
        yield client


@pytest.mark.parametrize("path", ["/retrieve", "/retrieve:batch", "/events"])
@pytest.mark.parametrize(("raw", "status", "problem", "says"), [row[1:] for row in BODY], ids=[row[0] for row in BODY])
async def test_a_bad_body_is_a_problem(
    standing: httpx.AsyncClient, path: str, raw: bytes, status: int, problem: str, says: str
) -> None:
    if path != "/retrieve" and status == 422 and raw.startswith(b"{"):
        says = "queries" if path.endswith("batch") else "events"
    response = await standing.post(path, content=raw, headers=JSON)
    assert problem_of(response) == (status, problem)
    assert says in response.json()["detail"]


@pytest.mark.parametrize(("headers", "says"), [row[1:] for row in MEDIA], ids=[row[0] for row in MEDIA])
async def test_another_kind_of_body_is_a_problem(
    standing: httpx.AsyncClient, headers: dict[str, str], says: str
) -> None:
    sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    response = await standing.post("/retrieve", content=b'{"query": "mug"}', headers=sent)
    assert problem_of(response) == (415, "unsupported-media-type")
    assert says in response.json()["detail"]


async def test_chunks_past_the_limit_are_not_read_to_the_end(standing: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 200_000_000:
            sent += 100_000
            yield b" " * 100_000

    response = await standing.post("/retrieve", content=endless(), headers=JSON)
    assert problem_of(response) == (413, "too-large")
    assert response.json()["limit_bytes"] == 1_048_576
    assert sent <= 1_200_000


@pytest.mark.parametrize(("change", "problem", "says"), [row[1:] for row in FIELDS], ids=[row[0] for row in FIELDS])
async def test_a_bad_field_is_a_problem_alone_and_in_a_batch(
    standing: httpx.AsyncClient, change: dict[str, Any], problem: str, says: str
) -> None:
    body = {name: value for name, value in {"query": "mug", **change}.items() if value is not ...}
    alone = await standing.post("/retrieve", content=orjson.dumps(body), headers=JSON)
    assert problem_of(alone) == (422, problem)
    assert says in alone.json()["detail"]
    batch = await standing.post("/retrieve:batch", json={"queries": [{"query": "mug"}, body]})
    assert problem_of(batch) == (422, problem)


@pytest.mark.parametrize(("change", "problem", "says"), [row[1:] for row in EVENTS], ids=[row[0] for row in EVENTS])
async def test_a_bad_event_is_a_problem(
    standing: httpx.AsyncClient, change: dict[str, Any], problem: str, says: str
) -> None:
    request_id = (await standing.post("/retrieve", json={"query": "mug", "k": 5})).json()["request_id"]
    body = {"request_id": request_id, "type": "click", "item_id": "i003", **change}
    one = {name: value for name, value in body.items() if value is not ...}
    response = await standing.post("/events", content=orjson.dumps({"events": [one]}), headers=JSON)
    assert problem_of(response) == (422, problem)
    assert says in response.json()["detail"]


@pytest.mark.parametrize("count", [0, 65, 5000])
async def test_a_request_has_1_to_64_events(standing: httpx.AsyncClient, count: int) -> None:
    event = {"request_id": "A", "type": "click", "item_id": "i003"}
    response = await standing.post("/events", json={"events": [event] * count})
    assert problem_of(response) == (422, "invalid-input")
    assert response.json()["errors"][0]["field"] == "events"


@pytest.mark.parametrize("query", [row[1] for row in ODD], ids=[row[0] for row in ODD])
async def test_odd_text_is_answered_like_any_other(
    standing: httpx.AsyncClient, query: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    response = await standing.post("/retrieve", json={"query": query, "explain": True})
    assert response.status_code == 200
    assert "x-evil" not in response.headers
    assert response.json()["applied_bindings"] == []
    assert query not in caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "query",
    [
        *("ｌａｂｕｂｕ", "LABUBU", "ˡabubu™", "la\u200bbu\u00adbu", "labu\ufe0fbu", "labubu\U000e0100"),
        *("lab\u3164ubu", "labub\u2800u", "l\u2060abubu", "labubu\U000e0041", "la\u034fbubu", "labu\x00bu"),
    ],
)
async def test_what_normalises_to_a_bound_word_is_that_word(standing: httpx.AsyncClient, query: str) -> None:
    answer = (await standing.post("/retrieve", json={"query": query})).json()
    assert [applied["id"] for applied in answer["applied_bindings"]] == ["b_labubu"]


@pytest.mark.parametrize("query", ["lаbubu", "lαbubu", "1abubu", "labu bu", "labubux"])
async def test_what_only_looks_like_a_bound_word_is_not_that_word(standing: httpx.AsyncClient, query: str) -> None:
    answer = (await standing.post("/retrieve", json={"query": query})).json()
    assert answer["applied_bindings"] == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])
async def test_another_method_is_a_problem(standing: httpx.AsyncClient, method: str) -> None:
    response = await standing.request(method, "/retrieve")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    "path", ["/nowhere", "/retrieve/", "/retrieve%00", "/%ff", "//retrieve", "/../etc/passwd", "/a%0d%0ab"]
)
async def test_another_path_is_a_problem(standing: httpx.AsyncClient, path: str) -> None:
    assert problem_of(await standing.post(path, json={"query": "mug"})) == (404, "not-found")


async def test_after_all_this_the_answer_is_the_same(data: httpx.AsyncClient, bound_shop: Snapshot) -> None:
    before = (await data.post("/retrieve", json={"query": "mug"})).json()["items"]
    for _, raw, status, *_ in BODY:
        assert (await data.post("/retrieve", content=raw, headers=JSON)).status_code == status
    assert (await data.post("/retrieve", json={"query": "mug"})).json()["items"] == before
    metrics = (await data.get("/metrics")).text
    assert f'slotbeam_retrieve_requests_total{{outcome="invalid"}} {len(BODY)}.0' in metrics
    assert 'slotbeam_retrieve_requests_total{outcome="error"} 0.0' in metrics
