"""What programs of a shop meet: paths that stay, HEAD, and answers that are packed for who takes them so."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from slotbeam.api.retrieve.app import STABLE
from support.clients import AppClient

PACKED, PLAIN = {"accept-encoding": "gzip"}, {"accept-encoding": "identity"}
ASKED: list[tuple[str, str, Any, int]] = [
    ("POST", "/retrieve", {"query": "blue labubu", "k": 3}, 200),
    ("POST", "/retrieve", {"query": "mug", "k": 0}, 422),
    ("GET", "/retrieve?q=blue+labubu&k=3", None, 200),
    ("GET", "/retrieve?q=mug&kk=3", None, 422),
    ("POST", "/retrieve:batch", {"queries": [{"query": "mug"}]}, 200),
    ("POST", "/events", {"events": [{"request_id": "made up", "type": "view", "item_id": "i001"}]}, 422),
]


def said(response: httpx.Response) -> Any:
    """The answer without what names it alone."""
    document = response.json()
    for answer in (document, *document.get("answers", [])):
        answer.pop("request_id", None)
    return document


@pytest.mark.parametrize(("method", "path", "body", "status"), ASKED)
async def test_a_path_that_stays_is_answered_as_the_one_without_its_prefix(
    data: httpx.AsyncClient, method: str, path: str, body: Any, status: int
) -> None:
    plain, stable = [await data.request(method, prefix + path, json=body) for prefix in ("", "/v1")]
    assert plain.status_code == stable.status_code == status
    assert said(plain) == said(stable)
    assert plain.headers.get("etag") == stable.headers.get("etag")


async def test_every_route_of_searches_and_events_stays_and_the_document_tells_of_each_once(data: AppClient) -> None:
    routes = {(c.path, *sorted(c.methods or ())) for c in iter_route_contexts(data.app.routes) if c.path}
    stable = {(path.removeprefix(STABLE), *rest) for path, *rest in routes if path.startswith(STABLE)}
    assert stable == {route for route in routes if route[0].startswith(("/retrieve", "/events"))}
    assert not [path for path in (await data.get("/openapi.json")).json()["paths"] if path.startswith(STABLE)]


@pytest.mark.parametrize("path", ["/v1/livez", "/v1/info", "/v1/metrics", "/v1/docs", "/v1", "/v1/", "/v1/v1/retrieve"])
async def test_what_is_for_operators_has_no_second_path(data: httpx.AsyncClient, path: str) -> None:
    assert (await data.get(path)).status_code == 404


@pytest.mark.parametrize("prefix", ["", "/v1"])
async def test_another_method_is_told_all_that_a_path_takes(data: httpx.AsyncClient, prefix: str) -> None:
    for path, allowed in (("/retrieve", "GET, HEAD, POST"), ("/retrieve:batch", "POST"), ("/events", "POST")):
        refused = await data.delete(prefix + path)
        assert (refused.status_code, refused.headers["allow"]) == (405, allowed)


async def test_head_of_a_search_says_what_get_would(data: httpx.AsyncClient) -> None:
    address = "/retrieve?q=blue+labubu&k=50"
    for headers in (PACKED, PLAIN):
        got, asked = await data.get(address, headers=headers), await data.head(address, headers=headers)
        assert (asked.status_code, asked.content) == (200, b"")
        assert set(asked.headers) == set(got.headers)
        for name in ("etag", "cache-control", "vary", "content-type", "x-bindings-revision"):
            assert asked.headers[name] == got.headers[name]
        assert asked.headers.get("content-encoding") == got.headers.get("content-encoding")
    known = await data.head(address, headers={"if-none-match": got.headers["etag"]})
    assert (known.status_code, known.headers["etag"]) == (304, got.headers["etag"])
    assert (await data.head("/retrieve")).status_code == 422


async def test_an_answer_is_packed_for_who_takes_it_so_and_says_the_same(data: httpx.AsyncClient) -> None:
    body = {"query": "blue labubu", "k": 50}
    packed, plain = [await data.post("/retrieve", json=body, headers=headers) for headers in (PACKED, PLAIN)]
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert said(packed) == said(plain)
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*;q=0", False),
        ("*, gzip;q=0", False),
        ("identity, gzip;q=0.5", False),
        ("gzip;q=2", False),
        ("br, xgzip", False),
        ("", False),
        ("gzip;q=0.001", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("identity;q=0, *;q=0.5", True),
    ],
)
async def test_who_says_no_to_gzip_or_likes_plain_answers_better_gets_one(
    data: httpx.AsyncClient, accepted: str, packed: bool
) -> None:
    answer = await data.get("/openapi.json", headers={"accept-encoding": accepted})
    assert ("content-encoding" in answer.headers) == packed
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "openapi" in answer.json()


async def test_what_is_sent_is_of_the_length_that_it_says(data: httpx.AsyncClient) -> None:
    packed, plain = [await data.get("/openapi.json", headers=headers) for headers in (PACKED, PLAIN)]
    assert packed.num_bytes_downloaded == int(packed.headers["content-length"]) < len(packed.content)
    assert packed.content == plain.content


async def test_small_answers_and_metrics_are_sent_as_they_are(data: httpx.AsyncClient) -> None:
    for path in ("/livez", "/metrics", "/retrieve"):
        assert "content-encoding" not in (await data.get(path, headers=PACKED)).headers


async def test_a_tag_stands_for_an_answer_packed_or_not(data: httpx.AsyncClient) -> None:
    packed, plain = [await data.get("/retrieve?q=mug&k=50", headers=headers) for headers in (PACKED, PLAIN)]
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] == plain.headers["etag"]
    assert packed.headers["etag"].startswith("W/")
    for headers in (PACKED, PLAIN):
        known = {**headers, "if-none-match": packed.headers["etag"]}
        again = await data.get("/retrieve?q=mug&k=50", headers=known)
        assert (again.status_code, again.content, again.headers["vary"]) == (304, b"", "Accept-Encoding")
        assert "content-encoding" not in again.headers
