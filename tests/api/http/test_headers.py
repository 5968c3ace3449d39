"""What a browser is told, and what a page of another site cannot do."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from slotbeam.api.http.problems import EVERY, NO_STORE
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from support.clients import client_of

EXPECTED = {name.decode(): value.decode() for name, value in EVERY}
ASKED = [
    ("GET", "/livez", 200),
    ("GET", "/metrics", 200),
    ("GET", "/openapi.json", 200),
    ("POST", "/retrieve", 415),
    ("GET", "/retrieve", 422),
    ("PUT", "/retrieve", 405),
    ("OPTIONS", "/retrieve", 405),
    ("GET", "/nothing", 404),
]


def check(response: httpx.Response) -> None:
    for name, value in EXPECTED.items():
        assert response.headers.get_list(name) == [value]
    told = {name.lower() for name in response.headers}
    assert "set-cookie" not in told
    assert not [name for name in told if name.startswith("access-control-")]


def test_the_headers_are_the_strict_ones() -> None:
    assert EXPECTED["x-content-type-options"] == "nosniff"
    assert EXPECTED["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert EXPECTED["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(("method", "path", "status"), ASKED)
async def test_every_answer_of_the_data_plane_tells_browsers_to_run_nothing(
    data: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    origin = {"origin": "https://evil.example", "access-control-request-method": "POST", "cookie": "session=1"}
    response = await data.request(method, path, headers=origin)
    assert response.status_code == status
    check(response)


async def test_an_answer_and_a_refusal_of_the_guard_carry_them_too(data: httpx.AsyncClient) -> None:
    check(await data.post("/retrieve", json={"query": "labubu"}))
    refused = await data.get("/livez", headers={"x": "y" * 40_000})
    assert refused.status_code == 431
    check(refused)


async def test_a_bug_carries_them_too_and_is_not_stored(bound_shop: Snapshot, tmp_path: Path) -> None:
    app = create_data_app(Settings(data_dir=tmp_path), holder=Holder(bound_shop))

    @app.get("/bug")
    async def bug(request: Request) -> None:
        raise RuntimeError("a bug")

    async with client_of(app) as client:
        response = await client.get("/bug")
    assert response.status_code == 500
    check(response)
    assert response.headers[NO_STORE[0].decode()] == "no-store"
