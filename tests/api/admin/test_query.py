"""Query parameters: what a route's signature declares is what it takes, once each, on every route of both planes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from slotbeam.api.admin import create_admin_app
from slotbeam.api.http.query import declared_by
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from support.clients import AppClient

ROOT = Path(__file__).parent.parent.parent.parent
BODY = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i001"]}}
TOKEN = "t" * 32
PLACES = {"slot": "1-4", "word": "crocs", "name": "start.js", "item_id": "i001", "index": "spring", "rule": "b_aaaa"}
PLACES |= {"verb": "dismiss", "revision": "7", "one": "1-4"}


def placed(path: str) -> str:
    """A path of a route with a value for each of its parts."""
    return path.replace(":path}", "}").format(**PLACES)


def routes_of(app: FastAPI) -> Iterator[tuple[str, str, APIRoute]]:
    """Method, path and route of everything that `app` answers; nothing is served that is no `APIRoute`."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        assert isinstance(route, APIRoute), route
        assert context.path is not None
        assert route.methods is not None
        for method in sorted(route.methods):
            yield method, placed(context.path), route


def is_told(path: str) -> bool:
    """Whether the document tells of a path: the page is for people, and what is under /v1 is told of without it."""
    return path != "/" and not path.startswith(("/ops", "/v1"))


def problem(response: httpx.Response) -> dict[str, Any]:
    """The 422 `invalid-input`; HEAD has none to show."""
    assert response.status_code == 422, (response.request.method, response.request.url, response.text)
    if response.request.method == "HEAD":
        return {}
    document: dict[str, Any] = response.json()
    assert document["type"] == "urn:slotbeam:problem:invalid-input"
    return document


async def test_an_unknown_query_parameter_is_refused_on_every_route(
    data: httpx.AsyncClient, admin: httpx.AsyncClient, shop: Artifact, settings: Settings
) -> None:
    planes = ((data, create_data_app(settings, shop)), (admin, create_admin_app(settings, shop)))
    for client, app in planes:
        found = list(routes_of(app))
        assert {"/livez", "/readyz", "/metrics", "/info", "/openapi.json"} <= {path for _, path, _ in found}
        for method, path, route in found:
            said = problem(await client.request(method, f"{path}?dryrun=true", json=BODY))
            allowed = list(declared_by(route))
            assert method == "HEAD" or '"dryrun" is no query parameter' in said["detail"], (method, path)
            for name in allowed if method != "HEAD" else ():
                assert name in said["detail"].partition("allowed: ")[2].split(", "), (method, path)
            if not allowed and said:
                assert said["detail"].endswith(f"{path} takes none"), (method, path)
    assert (await admin.get("/admin/slots")).json()["revision"] == 0


async def test_a_query_parameter_that_is_no_list_and_given_twice_is_refused_on_every_route(
    admin: httpx.AsyncClient, shop: Artifact, settings: Settings
) -> None:
    for method, path, route in routes_of(create_admin_app(settings, shop)):
        for name in (name for name, schema in declared_by(route).items() if schema.get("type") != "array"):
            said = problem(await admin.request(method, f"{path}?{name}=1&{name}=2", json=BODY))
            assert method == "HEAD" or f'"{name}" is given more than once' in said["detail"], (method, path)


async def test_what_the_document_declares_is_what_every_route_takes(shop: Artifact, settings: Settings) -> None:
    for app in (create_data_app(settings, shop), create_admin_app(settings, shop)):
        document = {
            (method.upper(), placed(path)): {
                one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"
            }
            for path, operations in app.openapi()["paths"].items()
            for method, operation in operations.items()
        }
        told = [(method, path, route) for method, path, route in routes_of(app) if is_told(path)]
        taken = {(method, path): set(declared_by(route)) for method, path, route in told}
        assert {place: names for place, names in taken.items() if place in document or names} == document


def keys_sent(module: ast.Module) -> set[str]:
    """Every key of a dictionary that a call's `params=` names, or that is assigned to a name it names."""
    given = [node.value for node in ast.walk(module) if isinstance(node, ast.keyword) and node.arg == "params"]
    inside = [node for value in given for node in ast.walk(value)]
    names = {node.id for node in inside if isinstance(node, ast.Name)} | {"asked"}
    inside += [
        inner
        for node in ast.walk(module)
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id in names for to in node.targets)
        for inner in ast.walk(node.value)
    ]
    dicts = [node for node in inside if isinstance(node, ast.Dict)]
    return {str(key.value) for one in dicts for key in one.keys if isinstance(key, ast.Constant)}


def test_commands_send_only_declared_parameters(shop: Artifact, settings: Settings) -> None:
    declared = {name for _, _, route in routes_of(create_admin_app(settings, shop)) for name in declared_by(route)}
    sent: dict[str, set[str]] = {}
    commands = ROOT / "service" / "slotbeam" / "cli"
    for path in commands.rglob("*.py"):
        names = keys_sent(ast.parse(path.read_text(encoding="utf-8")))
        if names:
            sent[path.relative_to(commands).as_posix()] = names
    assert {"state", "position", "q"} <= sent["slots/list.py"]
    assert {"wait", "dry_run"} <= sent["slots/edits.py"]
    assert {"dry_run"} <= sent["slots/bind.py"]
    assert {"slots/import_.py", "slots/history.py", "suggestions.py"} <= set(sent)
    assert {name: names - declared for name, names in sent.items() if names - declared} == {}


async def test_a_misspelt_dry_run_commits_nothing(admin: httpx.AsyncClient, raw: redis.Redis) -> None:
    made = (await admin.post("/admin/slots", json=BODY)).json()
    tag = {"if-match": made["etag"]}
    before = raw.hget("{sb}:meta", "rev")
    for method, path in (
        *(("POST", "/admin/slots"), ("POST", "/admin/slots:import"), ("POST", "/admin/suggestions/crocs:accept")),
        *(("PUT", "/admin/slots/1-4"), ("PATCH", "/admin/slots/1-4"), ("DELETE", "/admin/slots/1-4")),
        ("POST", "/admin/suggestions/crocs:dismiss"),
    ):
        body = [{**BODY, "items": ["i001"]}] if path.endswith("import") else BODY
        for query in ("dryrun=true", "dry-run=1", "Dry_run=true", "dry_run=false&dry_run=true", "owner=me"):
            problem(await admin.request(method, f"{path}?{query}", json=body, headers=tag))
    problem(await admin.post("/admin/suggestions/crocs:dismiss?dry_run=true"))  # it would be read over: none is made
    assert raw.hget("{sb}:meta", "rev") == before
    assert not raw.exists("{sb}:dismissed")


async def test_who_has_no_token_learns_nothing_of_the_parameters(admin: httpx.AsyncClient) -> None:
    del admin.headers["authorization"]
    assert (await admin.post("/admin/slots?dryrun=true", json=BODY)).status_code == 401
    assert (await admin.get("/admin/slots?state=bound")).status_code == 401


async def test_the_audit_knows_whose_token_misspelt_a_parameter(admin: httpx.AsyncClient, settings: Settings) -> None:
    await admin.post("/admin/slots?dryrun=true", json=BODY)
    [*_, line] = (settings.data_dir / "audit.jsonl").read_text().splitlines()
    assert '"outcome": "refused"' in line
    assert '"token": "admin"' in line


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("dry_run=yes", 'dry_run is "yes"; allowed: true, false'),
        ("wait=some", 'wait is "some"; allowed: all, none'),
        ("timeout=61s", 'timeout is "61s"; allowed: 0 to 60 s, for example 5s or 500ms'),
        ("timeout=%EF%BC%95s", 'timeout is "５s"; allowed: 0 to 60 s, for example 5s or 500ms'),
        ("mode=replace", 'mode is "replace"; allowed: create, update'),
        ("zone=Mars/Base", 'zone is "Mars/Base"; allowed: IANA names such as Europe/Berlin, and UTC'),
        ("count=0", 'count is "0"; allowed: 1 to 1000'),
        ("count=1_0", 'count is "1_0"; allowed: 1 to 1000'),
        ("before=%2B5", 'before is "+5"; allowed: 1 to 18446744073709551615'),
        ("state=bound", 'state is "bound"; allowed: free, draft, scheduled, active, expired, failed'),
        ("position=3", 'position is "3"; allowed: 0 to 2'),
        ("wait=a&timeout=b", 'wait is "a"; allowed: all, none; timeout is "b"; allowed: 0 to 60 s'),
    ],
)
async def test_a_value_that_is_not_allowed_is_refused_with_what_is(
    unmoved: httpx.AsyncClient, query: str, detail: str
) -> None:
    method, path = "POST", "/admin/slots:import"
    if not query.startswith(("dry_run", "wait", "timeout", "mode", "zone")):
        method, path = "GET", "/admin/audit" if query.startswith(("count", "before")) else "/admin/slots"
    said = problem(await unmoved.request(method, f"{path}?{query}", json=[BODY] if method == "POST" else None))
    assert said["detail"].startswith(detail)
    assert [error["field"] for error in said["errors"]] == re.findall(r"(\w+)=", query)
    assert all(error["message"].startswith("allowed: ") and error["given"] for error in said["errors"])


@pytest.mark.parametrize("value", ["true", "TRUE", "1", "", "false", "False", "0"])
async def test_every_spelling_of_a_flag_is_taken(standing: httpx.AsyncClient, value: str) -> None:
    response = await standing.post(f"/admin/slots?dry_run={value}", json=BODY)
    assert response.status_code == (200 if value.lower() in ("true", "1", "") else 201)
    if response.status_code == 201:
        gone = await standing.delete(f"/admin/slots/{response.json()['id']}", headers={"if-match": "*"})
        assert gone.status_code == 200


@pytest.mark.parametrize(("client", "path"), [("data", "/info"), ("admin", "/admin/slots")])
async def test_a_refusal_tells_little_of_what_was_given(
    data: httpx.AsyncClient, admin: httpx.AsyncClient, client: str, path: str
) -> None:
    plane = {"data": data, "admin": admin}[client]
    for query in (
        f"?{'x' * 9000}=1",
        f"?token={TOKEN}",
        "?" + "&".join(f"x{number}=1" for number in range(2000)),
        "?%0d%0aX-Evil:%201=%1b[31m&%ff=%00",
        "?=nothing",
    ):
        response = await plane.get(path + query)
        said = problem(response)
        assert len(response.content) < 8000
        assert said["detail"].isprintable()
        assert TOKEN not in response.text
        assert "x-evil" not in response.headers
    for query in ("?", "?&&"):
        assert (await plane.get(path + query)).status_code == 200


async def test_head_is_answered_as_get_without_the_body_on_every_route(data: AppClient, admin: AppClient) -> None:
    for client in (data, admin):
        client.headers["accept-encoding"] = "gzip"
        paths = {path for method, path, _ in routes_of(client.app) if method == "GET"}
        assert {"/livez", "/readyz", "/metrics", "/info", "/openapi.json", "/docs"} <= paths
        for path in sorted(paths):
            asked, got = await client.head(path), await client.get(path)
            assert (asked.status_code, asked.content) == (got.status_code, b""), path
            assert set(asked.headers) == set(got.headers), path
            assert asked.headers.get("content-type") == got.headers.get("content-type"), path
            if not path.startswith(("/retrieve", "/v1")):
                refused = await client.post(path)
                if refused.status_code == 405:
                    assert {"GET", "HEAD"} <= set(refused.headers["allow"].split(", ")), path


async def test_what_the_control_plane_answers_is_not_packed(admin: AppClient) -> None:
    for path in ("/openapi.json", "/admin/slots", "/"):
        assert "content-encoding" not in (await admin.get(path, headers={"accept-encoding": "gzip"})).headers
