"""Pages of other origins: those that the setting names may ask what frontends need, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from slotbeam.api.http.problems import EVERY
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.errors import SetupError
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings, read_settings
from support.clients import AppClient, client_of

SHOP, OTHER = "https://shop.example", "https://evil.example"
PUBLIC = ("/retrieve", "/retrieve:batch", "/events", "/v1/retrieve", "/v1/retrieve:batch", "/v1/events")
OWN = ("/livez", "/info", "/metrics", "/openapi.json", "/docs", "/nothing", "/v1/nothing")


@pytest.fixture
async def open_to_shop(bound_shop: Snapshot, tmp_path: Path) -> AsyncIterator[AppClient]:
    settings = Settings(data_dir=tmp_path, cors_origins=f"{SHOP}, http://localhost:3000")
    async with client_of(create_data_app(settings, holder=Holder(bound_shop))) as client:
        yield client


def preflight(origin: str, method: str = "POST", headers: str = "content-type") -> dict[str, str]:
    return {"origin": origin, "access-control-request-method": method, "access-control-request-headers": headers}


def told(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("path", PUBLIC)
async def test_a_page_of_a_named_origin_is_told_that_it_may_ask(open_to_shop: AppClient, path: str) -> None:
    for origin in (SHOP, "http://localhost:3000"):
        answer = await open_to_shop.options(path, headers=preflight(origin, headers="content-type,x-asker"))
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST"
        assert {"content-type", "if-none-match", "x-asker"} <= {
            name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")
        }
        assert "access-control-allow-credentials" not in answer.headers
        assert all(answer.headers[name.decode()] == value.decode() for name, value in EVERY)


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (preflight(OTHER), "origin"),
        (preflight(SHOP + ":8443"), "origin"),
        (preflight("null"), "origin"),
        (preflight(SHOP, method="DELETE"), "method"),
        (preflight(SHOP, headers="authorization"), "headers"),
    ],
)
async def test_what_may_not_be_asked_is_refused_and_says_what_may(
    open_to_shop: AppClient, asked: dict[str, str], what: str
) -> None:
    answer = await open_to_shop.options("/retrieve", headers=asked)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:slotbeam:problem:forbidden")
    assert answer.json()["detail"].startswith(f"Disallowed CORS {what}; allowed: origins of SLOTBEAM_CORS_ORIGINS")
    assert told(answer) == {}


async def test_a_page_reads_answers_and_refusals_and_the_headers_that_it_needs(open_to_shop: AppClient) -> None:
    for answer, status in (
        (await open_to_shop.post("/retrieve", json={"query": "mug"}, headers={"origin": SHOP}), 200),
        (await open_to_shop.get("/v1/retrieve?q=mug", headers={"origin": SHOP}), 200),
        (await open_to_shop.post("/retrieve", json={"query": "mug", "k": 0}, headers={"origin": SHOP}), 422),
        (await open_to_shop.post("/events", content="x" * 40, headers={"origin": SHOP}), 415),
        (await open_to_shop.get("/retrieve", headers={"origin": SHOP, "x": "y" * 40_000}), 431),
    ):
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == SHOP
        exposed = "Server-Timing, X-Bindings-Revision, ETag, Retry-After"
        assert answer.headers["access-control-expose-headers"] == exposed
        assert "Origin" in answer.headers["vary"].split(", ")


async def test_caches_keep_answers_of_origins_apart_and_other_pages_read_none(open_to_shop: AppClient) -> None:
    for headers in ({}, {"origin": OTHER}):
        answer = await open_to_shop.get("/retrieve?q=mug", headers=headers)
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers
        assert "Origin" in answer.headers["vary"].split(", ")


async def test_a_confirmed_answer_is_read_as_the_answer_was(open_to_shop: AppClient) -> None:
    tag = (await open_to_shop.get("/retrieve?q=mug")).headers["etag"]
    again = await open_to_shop.get("/retrieve?q=mug", headers={"origin": SHOP, "if-none-match": tag})
    assert (again.status_code, again.headers["access-control-allow-origin"]) == (304, SHOP)
    assert again.headers["vary"] == "Accept-Encoding, Origin"


@pytest.mark.parametrize("path", OWN)
async def test_what_is_for_operators_is_no_other_page_s(open_to_shop: AppClient, path: str) -> None:
    assert told(await open_to_shop.get(path, headers={"origin": SHOP})) == {}
    asked = await open_to_shop.options(path, headers=preflight(SHOP, "GET"))
    assert asked.status_code in (404, 405)
    assert told(asked) == {}


async def test_a_star_is_any_origin(bound_shop: Snapshot, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, cors_origins="*")
    async with client_of(create_data_app(settings, holder=Holder(bound_shop))) as client:
        for answer in (
            await client.options("/retrieve", headers=preflight(OTHER)),
            await client.post("/retrieve", json={"query": "mug"}, headers={"origin": OTHER}),
        ):
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", PUBLIC)
async def test_without_the_setting_no_page_is_told_anything(data: httpx.AsyncClient, path: str) -> None:
    assert (asked := await data.options(path, headers=preflight(SHOP))).status_code == 405
    assert told(asked) == told(await data.post(path, json={}, headers={"origin": SHOP})) == {}


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        (None, ()),
        ("*", ("*",)),
        ("https://shop.example", ("https://shop.example",)),
        ("https://a.example,http://b:8080", ("https://a.example", "http://b:8080")),
        (" http://[::1]:3000 , https://xn--bcher-kva.example ", ("http://[::1]:3000", "https://xn--bcher-kva.example")),
    ],
)
def test_origins_are_read_as_browsers_write_them(given: str | None, origins: tuple[str, ...]) -> None:
    assert read_settings(cors_origins=given).origins == origins


@pytest.mark.parametrize(
    "wrong",
    [
        *("shop.example", "https://", "https://shop.example/", "https://shop.example/search", "https://Shop.example"),
        *("https://shop.example:443", "http://shop.example:80", "https://*.example", "ftp://shop.example", "null", ","),
        *("https://bücher.example", "https://user@shop.example", "https://shop.example:0", "https://shop.example:x"),
    ],
)
@pytest.mark.parametrize("beside", ["", "https://fine.example, "])
def test_what_no_browser_would_send_is_refused_at_the_start_and_named(wrong: str, beside: str) -> None:
    first = wrong.split(",")[0]
    with pytest.raises(SetupError) as error:
        read_settings(cors_origins=beside + wrong)
    assert f"SLOTBEAM_CORS_ORIGINS holds {first!r}: an origin is http(s)://host" in str(error.value)


def test_a_star_beside_an_origin_is_refused() -> None:
    with pytest.raises(SetupError, match="any origin is \\* alone"):
        read_settings(cors_origins="https://shop.example,*")
