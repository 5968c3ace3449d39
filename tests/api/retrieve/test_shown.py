"""What an answer shows on request: fields, facets, one item of each value, another order; and what is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from slotbeam.search.artifact import Artifact

EVERYTHING: dict[str, Any] = {
    "query": "labubu mug",
    "k": 20,
    "filter": {"price": {"not": {"lt": 10}}},
    "exclude_ids": ["i003", "nowhere"],
    "fields": ["price", "department"],
    "facets": ["department", "price"],
    "collapse": "price",
    "sort": [{"field": "price", "order": "desc"}, {"field": "department"}],
}


async def test_fields_facets_collapse_and_sort_are_answered_together(data: httpx.AsyncClient, shop: Artifact) -> None:
    response = await data.post("/retrieve", json=EVERYTHING)
    assert response.status_code == 200, response.text
    answer = response.json()
    items = answer["items"]
    prices = [item["fields"]["price"] for item in items]
    sources = [item["source"] for item in items]
    assert len(items) == len(set(prices)) == 20
    assert sources == sorted(sources), "what is bound stays first"
    bound = sources.count("binding")
    assert prices[bound:] == sorted(prices[bound:], reverse=True)
    assert min(prices) >= 10
    assert "i003" not in [item["id"] for item in items]
    department, price = answer["facets"]["department"], answer["facets"]["price"]
    assert answer["counted"] == department["count"] + department["missing"] == price["count"]
    assert {each["value"] for each in department["values"]} == {"home", "toys"}
    assert price["min"] >= 10
    row = shop.catalog.row_of(items[0]["id"])
    assert row is not None
    assert float(shop.catalog.fields["price"].values[row]) == prices[0]


async def test_what_is_not_asked_for_is_not_in_the_answer(data: httpx.AsyncClient) -> None:
    answer = (await data.post("/retrieve", json={"query": "mug"})).json()
    assert not {"facets", "counted"} & answer.keys()
    assert not any("fields" in item for item in answer["items"])


@pytest.mark.parametrize(
    ("wrong", "kind", "place", "says"),
    [
        ({"fields": ["prise"]}, "invalid-field", "fields.0", '"prise" is an unknown field (did you mean price?)'),
        ({"facets": ["price", "hue"]}, "invalid-field", "facets.1", "allowed: department, price"),
        ({"collapse": "model"}, "invalid-field", "collapse", "allowed: department, price"),
        ({"sort": [{"field": "cost"}]}, "invalid-field", "sort.0.field", "allowed: department, price"),
        ({"fields": ["price"] * 33}, "invalid-input", "fields", "at most 32 items"),
        ({"facets": ["price"] * 9}, "invalid-input", "facets", "at most 8 items"),
        ({"sort": [{"field": "price"}] * 4}, "invalid-input", "sort", "at most 3 items"),
        ({"sort": [{"field": "price", "order": "up"}]}, "invalid-input", "sort.0.order", "'asc' or 'desc'"),
        ({"exclude_ids": ["i001"] * 1001}, "invalid-input", "exclude_ids", "at most 1000 items"),
        ({"exclude_ids": [""]}, "invalid-input", "exclude_ids.0", "at least 1 character"),
    ],
)
async def test_what_cannot_be_shown_is_refused_by_its_place_alone_and_in_a_batch(
    data: httpx.AsyncClient, wrong: dict[str, Any], kind: str, place: str, says: str
) -> None:
    body = {"query": "mug", **wrong}
    alone = await data.post("/retrieve", json=body)
    batch = await data.post("/retrieve:batch", json={"queries": [{"query": "mug"}, body]})
    for response, where in ((alone, place), (batch, f"queries.1.{place}")):
        assert response.status_code == 422
        problem = response.json()
        assert problem["type"] == f"urn:slotbeam:problem:{kind}"
        [error] = problem["errors"]
        assert error["field"] == where
        assert says in error["message"]


async def test_facets_of_a_query_of_which_nothing_is_known_count_nothing(data: httpx.AsyncClient) -> None:
    response = await data.post("/retrieve", json={"query": "qwertyuiop", "facets": ["price", "department"]})
    assert response.status_code == 200, response.text
    answer = response.json()
    assert (answer["items"], answer["counted"]) == ([], 0)
    assert answer["facets"] == {
        "price": {"count": 0, "missing": 0},
        "department": {"count": 0, "missing": 0, "values": []},
    }
