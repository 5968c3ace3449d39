"""Bodies that are not plain, finite, bounded UTF-8 JSON are refused with the reason."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request

from slotbeam.api.http import bodies
from slotbeam.api.http.bodies import parse_json
from slotbeam.errors import BodyError, RequestTimeout, TooLarge, UnsupportedMedia

BAD: list[tuple[str, bytes, str]] = [
    ("empty", b"", "empty"),
    ("blank", b" \n", "empty"),
    ("trailing text", b"{} x", "Extra data"),
    ("two values", b"{}{}", "Extra data"),
    ("duplicate keys", b'{"a": 1, "b": 2, "a": 3}', '"a" appears twice'),
    ("nested duplicate keys", b'{"a": [{"b": 1, "b": 1}]}', '"b" appears twice'),
    ("byte order mark", b"\xef\xbb\xbf{}", "byte order mark"),
    ("UTF-16", '{"a": 1}'.encode("utf-16"), "UTF-16"),
    ("UTF-16 without mark", '{"a": 1}'.encode("utf-16-le"), "UTF-16"),
    ("invalid UTF-8", b'{"a": "\xff"}', "not UTF-8"),
    ("surrogate in UTF-8", b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
    ("deep lists", b"[" * 100_000 + b"]" * 100_000, "nested deeper"),
    ("deep objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested deeper"),
    ("unclosed depth", b"[" * 100_000, "nested deeper"),
    ("NaN", b'{"k": NaN}', "NaN"),
    ("Infinity", b'{"k": -Infinity}', "Infinity"),
    ("1e999", b'{"k": 1e999}', "too large"),
    ("huge integer", b'{"k": ' + b"9" * 5000 + b"}", "5000 digits"),
    ("integer of 65 bits", b'{"k": 18446744073709551616}', "64 bits"),
    ("lone surrogate", b'{"query": "\\ud800"}', "surrogate"),
    ("lone surrogate key", b'{"\\udc00": 1}', "surrogate"),
    ("single quotes", b"{'a': 1}", "not JSON"),
    ("control character", b'{"a": "\n"}', "not JSON"),
]


@pytest.mark.parametrize(("raw", "reason"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_body_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(BodyError, match=reason):
        parse_json(raw)


@pytest.mark.parametrize(
    "raw", [b"null", b"[]", b'{"a": "\\ud83d\\ude00"}', b'{"a": [1, 2.5, true, null, "x"]}', b"1e300"]
)
def test_plain_json_is_read(raw: bytes) -> None:
    parse_json(raw)


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    assert parse_json(b'{"a": "' + b"[" * 1000 + b'"}') == {"a": "[" * 1000}


def test_many_shallow_objects_are_read() -> None:
    assert parse_json(b"[" + b",".join([b'{"a": ["b"]}'] * 1000) + b"]") == [{"a": ["b"]}] * 1000


def request_of(chunks: list[bytes], headers: dict[str, str]) -> Request:
    sent = iter([{"type": "http.request", "body": c, "more_body": True} for c in chunks])

    async def receive() -> dict[str, object]:
        return next(sent, {"type": "http.request", "body": b"", "more_body": False})

    raw = [(k.encode(), v.encode()) for k, v in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


JSON = {"content-type": "application/json"}


async def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(TooLarge, match="100 bytes"):
        await bodies.read_json(request_of([], JSON | {"content-length": "101"}), 100)


async def test_a_chunked_body_is_refused_when_it_passes_the_limit() -> None:
    with pytest.raises(TooLarge):
        await bodies.read_json(request_of([b" " * 60] * 1000, JSON), 100)


async def test_a_body_within_the_limit_is_read() -> None:
    assert await bodies.read_json(
        request_of([b'{"a"', b": 1}"], {"content-type": "application/json; charset=UTF-8"}), 100
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=utf-16"},
        JSON | {"content-encoding": "gzip"},
    ],
)
async def test_another_content_type_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedMedia):
        await bodies.read_json(request_of([b"{}"], headers), 100)


async def test_a_body_that_stalls_is_given_up() -> None:
    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        raise AssertionError

    raw = [(b"content-type", b"application/json")]
    request = Request({"type": "http", "method": "POST", "headers": raw}, receive)
    with pytest.raises(RequestTimeout, match=r"within 0\.01 s"):
        await bodies.read_json(request, 100, timeout_s=0.01)
