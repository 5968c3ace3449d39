"""Every route of the control plane asks for a token."""

from __future__ import annotations

import hashlib
import json

import httpx
import pytest

from slotbeam.settings import Settings

ROUTES = [
    ("GET", "/admin/slots"),
    ("GET", "/admin/slots/1-4"),
    ("POST", "/admin/slots"),
    ("PUT", "/admin/slots/1-4"),
    ("PATCH", "/admin/slots/1-4"),
    ("DELETE", "/admin/slots/1-4"),
    ("GET", "/admin/replicas"),
    ("GET", "/admin/audit"),
    ("GET", "/admin/suggestions"),
    ("POST", "/admin/suggestions/labubu:accept"),
    ("POST", "/admin/suggestions/labubu:dismiss"),
]


async def test_the_list_of_routes_is_complete(admin: httpx.AsyncClient) -> None:
    paths = (await admin.get("/openapi.json")).json()["paths"]
    found = {
        (method.upper(), path.replace("{slot}", "1-4").replace("{word}", "labubu"))
        for path, on in paths.items()
        for method in on
    }
    assert {pair for pair in found if pair[1].startswith("/admin")} == set(ROUTES)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_good_token_nothing_is_told(admin: httpx.AsyncClient, method: str, path: str) -> None:
    answers = []
    for value in (None, "Bearer x", "Bearer " + "y" * 32, "Basic dDp0", b"Bearer \xd0\xba"):
        headers = {} if value is None else {"authorization": value}
        del admin.headers["authorization"]
        answers.append(await admin.request(method, path, headers=headers))
        admin.headers["authorization"] = "restored"
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].headers["www-authenticate"].startswith("Bearer")


async def test_a_token_that_may_only_read_cannot_write(admin: httpx.AsyncClient, settings: Settings) -> None:
    row = {"name": "reader", "sha256": hashlib.sha256(b"r" * 32).hexdigest(), "scopes": ["slots:read"]}
    (settings.data_dir / "tokens.json").write_text(json.dumps({"tokens": [row]}))
    admin.headers["authorization"] = "Bearer " + "r" * 32
    assert (await admin.get("/admin/slots")).status_code == 200
    for method, path in ROUTES:
        if method != "GET":
            response = await admin.request(method, path, json={})
            assert response.status_code == 403
            assert "slots:write is needed" in response.json()["detail"]
