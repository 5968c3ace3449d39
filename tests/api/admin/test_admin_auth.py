"""Every route of the control plane asks for a token."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from slotbeam.access.tokens import TokenFile
from slotbeam.settings import Settings

ROUTES = [
    ("GET", "/admin/slots"),
    ("GET", "/admin/slots/1-4"),
    ("POST", "/admin/slots"),
    ("PUT", "/admin/slots/1-4"),
    ("PATCH", "/admin/slots/1-4"),
    ("DELETE", "/admin/slots/1-4"),
    ("GET", "/admin/slots.csv"),
    ("GET", "/admin/slots.json"),
    ("POST", "/admin/slots:import"),
    ("GET", "/admin/rules"),
    ("POST", "/admin/rules"),
    ("GET", "/admin/rules/b_aaaa"),
    ("PUT", "/admin/rules/b_aaaa"),
    ("PATCH", "/admin/rules/b_aaaa"),
    ("DELETE", "/admin/rules/b_aaaa"),
    ("GET", "/admin/replicas"),
    ("GET", "/admin/audit"),
    ("GET", "/admin/audit/items"),
    ("GET", "/admin/queries"),
    ("GET", "/admin/suggestions"),
    ("POST", "/admin/suggestions/labubu:accept"),
    ("POST", "/admin/suggestions/labubu:dismiss"),
    ("GET", "/admin/items"),
    ("POST", "/admin/items:batch"),
    ("GET", "/admin/items/B07"),
    ("PUT", "/admin/items/B07"),
    ("PATCH", "/admin/items/B07"),
    ("DELETE", "/admin/items/B07"),
    ("POST", "/admin/revisions/7:revert"),
    ("GET", "/admin/indexes"),
    ("POST", "/admin/indexes/spring:activate"),
    ("POST", "/admin/indexes/spring:rollback"),
]


async def test_the_list_of_routes_is_complete(admin: httpx.AsyncClient) -> None:
    paths = (await admin.get("/openapi.json")).json()["paths"]
    found = {
        (
            method.upper(),
            path.replace("{slot}", "1-4")
            .replace("{word}", "labubu")
            .replace("{item_id}", "B07")
            .replace("{index}", "spring")
            .replace("{rule}", "b_aaaa")
            .replace("{revision}", "7"),
        )
        for path, on in paths.items()
        for method in on
    }
    assert {pair for pair in found if pair[1].startswith("/admin")} == set(ROUTES)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_good_token_nothing_is_told(unmoved: httpx.AsyncClient, method: str, path: str) -> None:
    answers = []
    good = unmoved.headers.pop("authorization")
    for value in (None, b"Bearer x", b"Bearer " + b"y" * 32, b"Basic dDp0", b"Bearer \xd0\xba"):
        headers = {} if value is None else {b"authorization": value}
        answers.append(await unmoved.request(method, path, headers=headers))
    unmoved.headers["authorization"] = good
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].headers["www-authenticate"].startswith("Bearer")


async def test_a_token_that_may_only_read_cannot_write(admin: httpx.AsyncClient, settings: Settings) -> None:
    _, secret = TokenFile(settings.data_dir).create("reader", ["slots:read", "items:read", "indexes:read"], None, 0)
    admin.headers["authorization"] = f"Bearer {secret}"
    assert (await admin.get("/admin/slots")).status_code == 200
    for method, path in ROUTES:
        if method != "GET":
            response = await admin.request(method, path, json={})
            assert response.status_code == 403
            kind = next((name for name in ("items", "indexes") if f"/{name}" in path), "slots")
            scope = f"{kind}:write"
            assert f"{scope} is needed" in response.json()["detail"]


def audited(settings: Settings, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (settings.data_dir / name).read_text().splitlines()]


async def test_every_attempt_leaves_one_entry_in_the_audit(admin: httpx.AsyncClient, settings: Settings) -> None:
    made, secret = TokenFile(settings.data_dir).create("reader", ["slots:read", "items:read", "indexes:read"], None, 0)
    for authorization in (None, "Bearer x", admin.headers["authorization"], f"Bearer {secret}"):
        if authorization is None:
            del admin.headers["authorization"]
        else:
            admin.headers["authorization"] = authorization
        for method, path in ROUTES:
            await admin.request(method, path)
    await admin.get("/livez")
    unknown = audited(settings, "audit-unknown.jsonl")
    assert [(row["why"], row["method"], row["path"]) for row in unknown] == [
        (why, *route) for why in ("missing", "unknown") for route in ROUTES
    ]
    assert {(row["outcome"], row["status"], row["token"]) for row in unknown} == {("refused", 401, None)}
    known = audited(settings, "audit.jsonl")
    assert [(row["token"], row["method"], row["path"]) for row in known] == [
        (token, *route) for token in ("admin", made.id) for route in ROUTES
    ]
    for row in known:
        assert row["outcome"] == ("accepted" if row["status"] < 400 else "refused")
        assert (row["why"] == "scope") == (row["token"] == made.id and row["scope"].endswith(":write"))
    metrics = (await admin.get("/metrics")).text
    assert f'slotbeam_admin_attempts_total{{outcome="missing"}} {len(ROUTES)}.0' in metrics
    assert "slotbeam_admin_audit_failures_total 0.0" in metrics


async def test_a_token_that_is_used_too_often_is_told_when_to_come_back(plane: Any, settings: Settings) -> None:
    async with plane(settings=settings.model_copy(update={"admin_rate": 1}), clock=lambda: 1000.0) as client:
        answers = [await client.get("/admin/slots") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert answers[-1].headers["retry-after"] == "1"
        assert answers[-1].json()["type"] == "urn:slotbeam:problem:rate-limited"
        assert (await client.get("/readyz")).status_code == 200
