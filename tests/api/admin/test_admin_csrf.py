"""A page of another site can do nothing with the control plane, whatever its visitor's browser sends along."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from slotbeam.api.http.problems import EVERY
from slotbeam.settings import Settings

TOKEN = "t" * 32
BODY = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i003"]}}
WRITES = [
    ("POST", "/admin/slots"),
    ("PUT", "/admin/slots/1-4"),
    ("PATCH", "/admin/slots/1-4"),
    ("DELETE", "/admin/slots/1-4"),
    ("POST", "/admin/suggestions/labubu:accept"),
    ("POST", "/admin/suggestions/labubu:dismiss"),
]
FORMS: dict[str, dict[str, Any]] = {
    "text/plain": {"content": json.dumps(BODY), "headers": {"content-type": "text/plain"}},
    "no type": {"content": json.dumps(BODY)},
    "urlencoded": {"data": {**{k: str(v) for k, v in BODY.items()}, "access_token": TOKEN, "token": TOKEN}},
    "multipart": {"files": {"words": ("f", b"labubu")}, "data": {"access_token": TOKEN}},
    "json in another type": {
        "content": json.dumps(BODY),
        "headers": {"content-type": "text/plain; application/json"},
    },
}


@pytest.fixture
async def visitor(unmoved: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that was told the token in every place but the one that counts."""
    kept = unmoved.headers.copy()
    del unmoved.headers["authorization"]
    unmoved.headers["origin"] = "https://evil.example"
    unmoved.headers["cookie"] = f"token={TOKEN}; Authorization=Bearer {TOKEN}; access_token={TOKEN}"
    yield unmoved
    unmoved.headers = kept


def untouched(response: httpx.Response) -> None:
    told = {name.lower() for name in response.headers}
    assert "set-cookie" not in told
    assert not [name for name in told if name.startswith("access-control-")]


@pytest.mark.parametrize("form", FORMS)
async def test_a_form_of_another_site_is_refused_with_a_token_in_cookie_query_or_body(
    visitor: httpx.AsyncClient, form: str
) -> None:
    for method, path in WRITES:
        for query in ("", f"?token={TOKEN}", f"?access_token={TOKEN}", f"?authorization=Bearer%20{TOKEN}"):
            response = await visitor.request(method, path + query, **FORMS[form])
            assert response.status_code == 401, (method, path, query)
            untouched(response)


@pytest.mark.parametrize("form", FORMS)
async def test_what_a_form_can_send_is_refused_even_with_the_token_in_its_place(
    unmoved: httpx.AsyncClient, form: str
) -> None:
    for method, path in WRITES[:3]:
        assert (await unmoved.request(method, path, **FORMS[form])).status_code == 415
    listed = await unmoved.get("/admin/slots")
    assert set(listed.json()["counts"]) == {"free"}


@pytest.mark.parametrize(("method", "path"), [*WRITES, ("GET", "/admin/slots"), ("GET", "/admin/audit")])
async def test_a_preflight_is_promised_nothing(visitor: httpx.AsyncClient, method: str, path: str) -> None:
    asks = {"access-control-request-method": method, "access-control-request-headers": "authorization,content-type"}
    response = await visitor.options(path, headers=asks)
    assert response.status_code == 405
    untouched(response)
    untouched(await visitor.request(method, path, headers={"authorization": f"Bearer {TOKEN}"}))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "CROSS-SITE", "made-up"])
async def test_an_edit_that_a_browser_sends_for_another_site_is_refused_whatever_its_token(
    admin: httpx.AsyncClient, settings: Settings, site: str
) -> None:
    admin.headers["sec-fetch-site"] = site
    for method, path in WRITES:
        response = await admin.request(method, path, json=BODY)
        assert response.status_code == 403
        assert "another site" in response.json()["detail"]
    assert (await admin.get("/admin/slots")).status_code == 200
    rows = [json.loads(line) for line in (settings.data_dir / "audit.jsonl").read_text().splitlines()]
    assert [row["why"] for row in rows] == ["site"] * len(WRITES) + [None]
    assert 'outcome="site"} 6.0' in (await admin.get("/metrics")).text


@pytest.mark.parametrize("site", ["none", "same-origin"])
async def test_an_edit_from_the_same_origin_is_taken(admin: httpx.AsyncClient, site: str) -> None:
    response = await admin.post("/admin/slots", json=BODY, headers={"sec-fetch-site": site})
    assert response.status_code == 201


async def test_every_answer_under_admin_is_not_to_be_stored_framed_or_guessed_at(admin: httpx.AsyncClient) -> None:
    asked = [("GET", "/admin/slots"), ("GET", "/admin/nothing"), ("PUT", "/admin/slots"), ("GET", "/admin")]
    for method, path in [*asked, *WRITES]:
        response = await admin.request(method, path)
        assert response.headers.get_list("cache-control") == ["no-store"], path
        for name, value in EVERY:
            assert response.headers.get_list(name.decode()) == [value.decode()]
    assert "cache-control" not in (await admin.get("/livez")).headers
