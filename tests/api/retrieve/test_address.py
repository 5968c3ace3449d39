"""GET /retrieve: the answer of the same POST, under a tag that stands until something changes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from slotbeam.api.retrieve.address import STANDS_S, tag_of
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.api.retrieve.schemas import RetrieveBody
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from support.clients import client_of

SAME: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"q": "Red  MUG"}, {"query": "red mug"}),
    ({"q": "blue labubu", "k": "5"}, {"query": "blue labubu", "k": 5}),
    ({"q": "blue labubu", "use_bindings": "false"}, {"query": "blue labubu", "use_bindings": False}),
    (
        {"q": "mug", "filter": '{"department": "toys"}', "fields": "department", "facets": "department"},
        {"query": "mug", "filter": {"department": "toys"}, "fields": ["department"], "facets": ["department"]},
    ),
    (
        {"q": "red mugg", "spelling": "off", "interpret": "true"},
        {"query": "red mugg", "spelling": "off", "interpret": True},
    ),
    ({"q": "zqxv", "fallback": "popular", "k": "3"}, {"query": "zqxv", "fallback": "popular", "k": 3}),
    ({"q": "mug", "collapse": "department"}, {"query": "mug", "collapse": "department"}),
]


def told(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return {name: value for name, value in response.json().items() if name != "request_id"}


@pytest.mark.parametrize(("address", "body"), SAME)
async def test_an_address_is_answered_as_the_body_that_says_the_same(
    data: httpx.AsyncClient, address: dict[str, str], body: dict[str, Any]
) -> None:
    assert told(await data.get("/retrieve", params=address)) == told(await data.post("/retrieve", json=body))


async def test_pages_turn_by_address(data: httpx.AsyncClient) -> None:
    first = (await data.get("/retrieve", params={"q": "mug", "k": "2", "cursor": "*"})).json()
    second = (await data.get("/retrieve", params={"q": "mug", "k": "2", "cursor": first["next"]})).json()
    whole = (await data.post("/retrieve", json={"query": "mug", "k": 4})).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [item["id"] for item in whole["items"]]


async def test_an_answer_that_is_there_is_confirmed_without_being_decoded(data: httpx.AsyncClient) -> None:
    first = await data.get("/retrieve", params={"q": "Red  mug"})
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, no-cache"
    for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = await data.get("/retrieve", params={"q": "red mug"}, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert "server-timing" not in again.headers
    counted = (await data.get("/metrics")).text
    assert 'slotbeam_retrieve_requests_total{outcome="unchanged"} 4.0' in counted
    assert 'slotbeam_retrieve_requests_total{outcome="ok"} 1.0' in counted


async def test_a_tag_of_another_request_does_not_confirm(data: httpx.AsyncClient) -> None:
    tag = (await data.get("/retrieve", params={"q": "red mug"})).headers["etag"]
    others: list[dict[str, str]] = [
        {"q": "blue mug"},
        {"q": "red mug", "k": "5"},
        {"q": "red mug", "fields": "department"},
    ]
    for other in others:
        assert (await data.get("/retrieve", params=other, headers={"if-none-match": tag})).status_code == 200


async def test_an_edit_ends_what_a_tag_stands_for(bound_shop: Snapshot, tmp_path: Path) -> None:
    holder = Holder(bound_shop)
    async with client_of(create_data_app(Settings(data_dir=tmp_path), holder=holder)) as client:
        tag = (await client.get("/retrieve", params={"q": "mug"})).headers["etag"]
        for changed in (
            replace(bound_shop, revision=8),
            replace(bound_shop, active="c2"),
            replace(bound_shop, epoch="e2"),
        ):
            holder.current = changed
            now = await client.get("/retrieve", params={"q": "mug"}, headers={"if-none-match": tag})
            assert now.status_code == 200
            assert now.headers["etag"] != tag
        holder.current = bound_shop
        assert (await client.get("/retrieve", params={"q": "mug"}, headers={"if-none-match": tag})).status_code == 304


def test_a_tag_ends_long_before_the_request_id_of_its_answer_does(bound_shop: Snapshot) -> None:
    body, begun = RetrieveBody(query="mug"), 1000 * STANDS_S
    first, last, after = (tag_of(bound_shop, body, (), at) for at in (begun, begun + STANDS_S - 1, begun + STANDS_S))
    assert first == last != after


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ({}, "q"),
        ({"q": " "}, "q"),
        ({"q": "x" * 300}, "q"),
        ({"q": "mug", "k": "0"}, "k"),
        ({"q": "mug", "k": "+5"}, "k"),
        ({"q": "mug", "query": "mug"}, "query"),
        ({"q": "mug", "explain": "true"}, "explain"),
        ({"q": "mug", "filter": "department:toys"}, "filter"),
        ({"q": "mug", "filter": '{"a": NaN}'}, "filter"),
        ({"q": "mug", "filter": "[]"}, "filter"),
        ({"q": "mug", "filter": '{"nowhere": 1}'}, "filter.nowhere"),
        ({"q": "mug", "fields": "department,"}, "fields.1"),
        ({"q": "mug", "fields": "nowhere"}, "fields.0"),
        ({"q": "mug", "cursor": "AQAB"}, "cursor"),
        ({"q": "mug", "spelling": "maybe"}, "spelling"),
    ],
)
async def test_what_is_wrong_is_named_as_it_stands_in_the_address(
    data: httpx.AsyncClient, address: dict[str, str], place: str
) -> None:
    refused = await data.get("/retrieve", params=address)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [place], json.dumps(refused.json())


async def test_a_missing_query_and_a_filter_that_is_no_json_say_so(data: httpx.AsyncClient) -> None:
    assert (await data.get("/retrieve")).json()["detail"] == '"q" is missing, and required'
    refused = (await data.get("/retrieve", params={"q": "mug", "filter": "price"})).json()
    assert (refused["type"], refused["detail"][:18]) == ("urn:slotbeam:problem:invalid-filter", "filter is not JSON")
