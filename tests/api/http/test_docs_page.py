"""`/docs`: Swagger UI from files of its own, under a policy of its own, on both planes and without a token."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import FastAPI

from slotbeam.api.admin import create_admin_app
from slotbeam.api.http.docs import POLICY
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings

TYPES = {"swagger-ui.css": "text/css; charset=utf-8", "swagger-ui-bundle.js": "text/javascript; charset=utf-8"}


class Page(HTMLParser):
    """What a page loads, and what is a script or a style in itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.loads += [str(value) for name, value in attrs if name in ("src", "href")]
        self.inline += [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        if self.inside in ("script", "style") and data.strip():
            self.inline.append(data)


@pytest.fixture(params=["data plane", "control plane"])
def client(request: pytest.FixtureRequest, bound_shop: Snapshot, settings: Settings) -> httpx.AsyncClient:
    """Asks a plane that was never started: neither a store nor a token is needed."""
    app: FastAPI
    if request.param == "data plane":
        app = create_data_app(settings, holder=Holder(bound_shop))
    else:
        app = create_admin_app(settings, bound_shop.artifact)
    return httpx.AsyncClient(verify=False, transport=httpx.ASGITransport(app), base_url="http://t")


@pytest.fixture
def settings(tmp_path: object) -> Settings:
    return Settings(data_dir=tmp_path)


async def test_the_page_and_all_that_it_loads_is_there_of_the_right_type_and_in_no_document(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    loads = [url for url in Page(page.text).loads if url != "data:,"]
    assert {url.rpartition("/")[2] for url in loads} == {*TYPES, "start.js"}
    for url in loads:
        found = await client.get(urljoin("/docs", url))
        assert (found.status_code, found.headers["x-content-type-options"]) == (200, "nosniff")
        assert found.headers["content-type"] == TYPES.get(url.rpartition("/")[2], "text/javascript; charset=utf-8")
        assert found.headers["content-length"] == str(found.num_bytes_downloaded)
        assert (await client.head(urljoin("/docs", url))).status_code == 200
    assert not [path for path in (await client.get("/openapi.json")).json()["paths"] if path.startswith("/docs")]


async def test_the_page_shows_the_document_of_its_own_plane(client: httpx.AsyncClient) -> None:
    [url] = re.findall(r'url: "([^"]+)"', (await client.get("/docs/start.js")).text)
    document = (await client.get(urljoin("/docs", url))).json()
    assert f"<title>{document['info']['title']}</title>" in (await client.get("/docs")).text


async def test_the_page_runs_nothing_that_is_not_a_file_of_this_origin(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.headers.get_list("content-security-policy") == [POLICY]
    rules = {rule.split()[0]: rule.split()[1:] for rule in POLICY.split("; ")}
    assert rules.pop("img-src") == ["'self'", "data:"]
    assert rules["default-src"] == ["'none'"]
    assert all(sources in (["'none'"], ["'self'"]) for sources in rules.values())
    found = Page(page.text)
    assert found.inline == []
    assert not [url for url in found.loads if "//" in url]
    script = (await client.get("/docs/start.js")).text
    assert "//" not in script
    assert "validatorUrl: null" in script
    assert "persistAuthorization: false" in script


async def test_nothing_else_may_run_anything_and_a_404_names_a_page_that_exists(client: httpx.AsyncClient) -> None:
    for path in ("/docs/redoc.standalone.js", "/docs/.../x", "/docs/%2e%2e/app.py", "/docs/", "/nothing", "/livez"):
        other = await client.get(path)
        assert other.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'", path
        assert other.status_code == (200 if path == "/livez" else 404)
    named = re.findall(r"/docs\b", (await client.get("/nothing")).json()["detail"])
    assert [(await client.get(path)).status_code for path in named] == [200]


async def test_the_bodies_that_it_begins_with_are_answered(data: httpx.AsyncClient) -> None:
    paths = (await data.get("/openapi.json")).json()["paths"]
    for path in ("/retrieve", "/retrieve:batch"):
        body = paths[path]["post"]["requestBody"]["content"]["application/json"]["example"]
        answer = await data.post(path, json=body)
        assert answer.status_code == 200
        assert all(len(each["items"]) == 10 for each in answer.json().get("answers", [answer.json()]))
