"""Filters: what is refused says where and why, alone and in a batch; what is kept is compared exactly."""

from __future__ import annotations

from itertools import product
from typing import Any

import httpx
import pytest

from slotbeam.catalog.fields import Field, Fields
from slotbeam.catalog.filters import read_filter
from slotbeam.errors import FilterError

BOUNDS = ("gte", "gt", "lte", "lt")

WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("an unknown field", {"colour": "red"}, "filter.colour", "is an unknown field; allowed: department, price"),
    ("a text for a number", {"price": "cheap"}, "filter.price", "is a string; it is a number field"),
    ("a number for a text", {"department": 3}, "filter.department", "is a number; it is a keyword field"),
    ("null", {"price": None}, "filter.price", "is null"),
    (
        "a bound that is none",
        {"price": {"above": 3}},
        "filter.price",
        "has an unknown bound above; allowed: gte, gt, lte",
    ),
    ("a field that is nearly one", {"prise": 3}, "filter.prise", "is an unknown field (did you mean price?); allowed"),
    ("an operator of others", {"or": []}, "filter.or", "allowed: department, price; or any, not, field"),
    ("a wrong bound inside", {"any": [{"price": 1}, {"price": {"gte": "x"}}]}, "filter.any.1.price.gte", "is a string"),
    ("a wrong not", {"department": {"not": 3}}, "filter.department.not", "is a number; it is a keyword field"),
    ("a not of nothing", {"not": {}}, "filter.not", "is empty; give at least one field"),
    ("a not of a value", {"not": "toys"}, "filter.not", "is a string; give an object"),
    ("any of nothing", {"any": []}, "filter.any", "is an empty list; give a list of filters"),
    ("any that is no list", {"any": {"price": 1}}, "filter.any", "is an object; give a list of filters"),
    (
        "an existence that is none",
        {"price": {"exists": "yes"}},
        "filter.price.exists",
        "is a string; give true or false",
    ),
    ("an operator as a field", {"field": {"any": []}}, "filter.field.any", "is an unknown field; allowed: department"),
    ("a wrong bound of many", {"price": [1, {"gte": "x"}]}, "filter.price.1.gte", "is a string; give a number"),
    ("true for a number", {"price": True}, "filter.price", "is a boolean; it is a number field"),
    ("a bound of text", {"price": {"gte": "3"}}, "filter.price.gte", "is a string; give a number"),
    ("bounds on a text", {"department": {"gte": 3}}, "filter.department", "bounds are for numbers"),
    ("no bound", {"price": {}}, "filter.price", "has no bounds; allowed: gte, gt, lte, lt"),
    ("no value", {"price": []}, "filter.price", "is an empty list"),
    ("a list in a list", {"price": [[3]]}, "filter.price", "holds a list in a list"),
    ("a wrong value of many", {"price": [3, "x"]}, "filter.price.1", "is a string"),
    ("one bound twice", {"price": {"gt": 1, "gte": 1}}, "filter.price", "has both gte and gt; give one of them"),
    (
        "nothing between",
        {"price": {"gte": 9, "lte": 3}},
        "filter.price",
        "is to be at least 9 and at most 3; no",
    ),
    ("an evil name", {"a\r\n\u202e" + "x" * 900: 1}, "filter.a\\r\\n\\u202e" + "x" * 60, "is an unknown field"),
]


@pytest.mark.parametrize(("wanted", "field", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
async def test_a_wrong_filter_names_its_field_alone_and_in_a_batch(
    data: httpx.AsyncClient, wanted: dict[str, Any], field: str, says: str
) -> None:
    body = {"query": "mug", "filter": wanted}
    alone = await data.post("/retrieve", json=body)
    batch = await data.post("/retrieve:batch", json={"queries": [{"query": "mug"}, body]})
    for response, place in ((alone, field), (batch, f"queries.1.{field}")):
        assert response.status_code == 422
        problem = response.json()
        assert problem["type"] == "urn:slotbeam:problem:invalid-filter"
        [error] = problem["errors"]
        assert error["field"] == place
        assert says in error["message"]
        assert problem["detail"] == f"{place} {error['message']}"
        assert len(response.content) < 1000


def test_bounds_are_refused_when_two_are_on_one_side_or_no_number_is_within_them() -> None:
    numbers = [k / 4 for k in range(-4, 17)]
    fields = Fields({"price": Field.of(numbers)})
    for limits in product((None, 0, 1, 2), repeat=4):
        bounds = {name: limit for name, limit in zip(BOUNDS, limits, strict=True) if limit is not None}
        within = [
            all({"gte": x >= b, "gt": x > b, "lte": x <= b, "lt": x < b}[name] for name, b in bounds.items())
            for x in numbers
        ]
        twice = {"gte", "gt"} <= bounds.keys() or {"lte", "lt"} <= bounds.keys()
        if not bounds or twice or not any(within):
            with pytest.raises(FilterError, match=r"^filter\.price "):
                read_filter(fields, {"price": bounds})
        else:
            assert read_filter(fields, {"price": bounds})().tolist() == within


def test_a_list_holds_values_and_bounds() -> None:
    fields = Fields({"price": Field.of([1, 5, 9, None])})
    assert read_filter(fields, {"price": [5, {"gt": 8}]})().tolist() == [False, True, True, False]


async def test_a_keyword_is_compared_exactly_case_and_all(data: httpx.AsyncClient) -> None:
    async def count(department: str) -> int:
        answer = await data.post("/retrieve", json={"query": "mug", "filter": {"department": department}})
        return len(answer.json()["items"])

    assert await count("home") > 0
    assert [await count(other) for other in ("Home", "HOME", " home", "home ", "none such")] == [0] * 5
