"""Tests of item fields as rows of a form: they are read back as they were, and what they cannot say is not lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.api.page.conditions import rows_of_test, rows_of_weighed, weighed_of
from slotbeam.api.page.conditions import test_of as read_test
from slotbeam.api.page.forms import Form
from slotbeam.api.page.rules import filled, rule_form
from slotbeam.catalog.fields import Fields
from slotbeam.catalog.filters import read_filter
from slotbeam.errors import FieldError

FIELDS = Fields.of([{"brand": "zenvia", "price": 7.5, "on_sale": True}])
KINDS = {name: field.kind for name, field in FIELDS.items()}
HELD: Mapping[str, Any] = {"words": ["mug"], "etag": "x", "state": "active"}

words = st.text(min_size=1, max_size=8)
numbers = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6)
values = {"brand": words, "price": numbers, "on_sale": st.booleans()}


def conditions(field: str) -> st.SearchStrategy[Any]:
    plain = values[field] | st.lists(values[field], min_size=1, max_size=3)
    known = st.just({"exists": True}) | st.just({"exists": False}) | plain.map(lambda value: {"not": value})
    within = st.fixed_dictionaries({}, optional=dict.fromkeys(("gte", "lte", "gt"), numbers))
    return plain | known | (within.filter(bool) if field == "price" else known)


tests = st.fixed_dictionaries({}, optional={name: conditions(name) for name in values}).filter(bool)
nested = st.lists(tests, min_size=1, max_size=2).map(lambda some: {"any": some}) | tests.map(lambda one: {"not": one})


def read(form: Form) -> dict[str, Any]:
    return rule_form(lambda: KINDS).body(form, HELD)


@given(tests | nested, st.lists(st.tuples(tests | nested, st.floats(0.01, 100)), max_size=3))
def test_a_rule_that_is_opened_and_saved_says_what_it_said(test: dict[str, Any], weighed: list[Any]) -> None:
    boost = [{"test": one, "weight": weight} for one, weight in weighed]
    view = {**HELD, "filter": test, "boost": boost, "metadata": {"banner": "free", "redirect": "/sale"}}
    body = read(filled(view))
    assert [plain(one) for one in (body["filter"], body["boost"], body["when"])] == [plain(test), plain(boost), None]
    assert (body["metadata"], body["bury"]) == (view["metadata"], [])


def plain(value: Any) -> Any:
    """A list of one value is that value, and 7.0 is 7."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        alone = len(value) == 1 and not isinstance(value[0], dict)
        return plain(value[0]) if alone else [plain(one) for one in value]
    return value


@given(tests)
def test_what_rows_say_is_a_filter_of_the_catalog(test: dict[str, Any]) -> None:
    rows = rows_of_test("filter", test)
    if rows is not None:
        found = read_test(rows, "filter", KINDS)
        assert found is not None
        try:
            expected = read_filter(FIELDS, test)()
        except Exception as error:  # bounds that contradict each other are refused either way
            with pytest.raises(type(error)):
                read_filter(FIELDS, found)
        else:
            assert read_filter(FIELDS, found)().tolist() == expected.tolist()


def row(name: str, field: str, how: str, value: str, weight: str = "", number: int = 0) -> dict[str, str]:
    parts = {"field": field, "is": how, "value": value, "weight": weight}
    return {f"{name}-{part}-{number}": text for part, text in parts.items()}


def test_rows_are_read_as_people_type_them() -> None:
    form = {**row("boost", "brand", "is", " Zenvia , adidas "), **row("boost", "price", "lte", "20", "1.5", 3)}
    assert weighed_of(form, "boost", KINDS) == [
        {"test": {"brand": ["Zenvia", "adidas"]}, "weight": 1.0},
        {"test": {"price": {"lte": 20}}, "weight": 1.5},
    ]
    between = {**row("filter", "price", "gte", "10"), **row("filter", "price", "lte", "20.5", "", 1)}
    assert read_test(between, "filter", KINDS) == {"price": {"gte": 10, "lte": 20.5}}
    assert read_test(row("when", "on_sale", "is", "Yes"), "when", KINDS) == {"on_sale": True}
    assert read_test(row("when", "", "is", "left over"), "when", KINDS) is None


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (row("filter", "brand", "is", " "), "does not say what brand is compared with"),
        (row("filter", "price", "gte", "1, 2"), "compares price with 2 values"),
        (row("filter", "price", "like", "1"), "compares price in a way that is not known; known: is, is not"),
        ({**row("filter", "brand", "is", "a"), **row("filter", "brand", "is", "b", "", 1)}, "two things of brand"),
        ({**row("filter", "price", "is", "1"), **row("filter", "price", "gte", "1", "", 1)}, "two things of price"),
        (row("boost", "brand", "is", "a", "much"), "has a weight that is no number: much"),
        ({**row("boost", "brand", "is", "a"), "boost": "[]"}, "is said twice"),
        ({"metadata-banner": "free", "metadata": "{}"}, "is said twice"),
        ({"bury": "{"}, "is not JSON"),
    ],
)
def test_a_row_that_cannot_be_read_says_why(form: Form, said: str) -> None:
    with pytest.raises(FieldError, match=said):
        read(form)


def test_what_rows_cannot_say_is_shown_as_json() -> None:
    apart = [{"test": {"brand": "a", "price": 1}, "weight": 2}, {"test": {"brand": "a, b"}, "weight": 1}]
    for weighed in ([apart[0]], [apart[1]], [{"test": {"any": [{"brand": "a"}]}, "weight": 1}]):
        assert rows_of_weighed("boost", weighed) is None
    form = filled({**HELD, "boost": apart, "metadata": {"banner": 7}})
    assert (form["boost"][:9], form["metadata"]) == ('[{"test":', '{"banner":7}')
