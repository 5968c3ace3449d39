"""Filters: which items may be answered. docs/http.md has the grammar for callers; in short:

    filter     = {field: condition, …, "any": [filter, …], "not": filter, "field": {field: condition, …}}
    condition  = value | bounds | [value or bounds, …]
    bounds     = {"gte": n, "gt": n, "lte": n, "lt": n, "exists": true or false, "not": condition}

All entries of an object have to hold, and one element of a list. An item without a value has no value that a filter
names and is within no bounds; `not` is the complement of what is in it, so that it holds for such an item.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import reduce
from typing import Any

import numpy as np

from slotbeam.catalog.fields import Field, FieldKind, Fields
from slotbeam.catalog.item import FieldValue
from slotbeam.errors import FilterError
from slotbeam.types import BoolArray

MAX_CONDITIONS = 64
"""In all: what is said of a field, and each object in a list of that."""
MAX_LEVELS = 8
"""Of `any`, `not` and `field` inside each other."""
MAX_VALUES = 256
"""Elements of one list."""

Test = Callable[[], BoolArray]
"""A part of a filter, checked: (N,) which items pass it."""

COMPARED = {"gte": np.greater_equal, "gt": np.greater, "lte": np.less_equal, "lt": np.less}
_SAYS = {"gte": "at least", "gt": "above", "lte": "at most", "lt": "below"}
_FITS: dict[FieldKind, tuple[type, ...]] = {
    FieldKind.BOOL: (bool,),
    FieldKind.NUMBER: (int, float),
    FieldKind.KEYWORD: (str,),
}
_ALLOWED = {
    FieldKind.BOOL: "true or false",
    FieldKind.NUMBER: 'a number or {"gte": …, "lte": …}',
    FieldKind.KEYWORD: "a string",
}
"""What a filter may say of a field, of each kind."""
_KINDS = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    type(None): "null",
}


def read_filter(fields: Fields, wanted: Mapping[str, Any], place: str = "filter") -> Test:
    """Check a whole filter, and return what runs it.

    Args:
        fields: of the catalog.
        wanted: the filter, as JSON has it.
        place: where in the request it is, for messages.

    Raises:
        FilterError: it names no field, does not fit the field's kind, or is larger than a filter may be.
    """
    return _FilterReader(fields).filter(place, wanted, 0)


class _FilterReader:
    """Reads one filter. A place is where in the request a part of it is, e.g. `filter.any.1.price.gte`."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._conditions = 0

    def filter(self, place: str, wanted: Any, level: int, operators: bool = True) -> Test:
        if level > MAX_LEVELS:
            raise FilterError(place, f"is nested too deep; any, not and field go {MAX_LEVELS} levels deep at most")
        if not isinstance(wanted, Mapping):
            raise FilterError(place, f"is {_kind_of(wanted)}; give an object: field → condition")
        if not wanted:
            raise FilterError(place, "is empty; give at least one field, or leave it out")
        tests: list[Test] = []
        for name, inner in wanted.items():
            here = f"{place}.{_shown(name)}"
            if operators and name == "any":
                tests.append(self._any(here, inner, level + 1))
            elif operators and name == "not":
                tests.append(_complement(self.filter(here, inner, level + 1)))
            elif operators and name == "field":
                tests.append(self.filter(here, inner, level + 1, operators=False))
            elif name in self._fields:
                tests.append(self._condition(here, self._fields[name], inner, level))
            else:
                raise FilterError(here, unknown_field(name, self._fields, "; or any, not, field" if operators else ""))
        return _all(tests)

    def _any(self, place: str, filters: Any, level: int) -> Test:
        if not isinstance(filters, list) or not filters:
            given = "an empty list" if filters == [] else _kind_of(filters)
            raise FilterError(place, f"is {given}; give a list of filters, one of which has to hold")
        return _one_of([self.filter(f"{place}.{i}", each, level) for i, each in enumerate(filters)])

    def _condition(self, place: str, field: Field, wanted: Any, level: int) -> Test:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise FilterError(place, f"is one too many; a filter has at most {MAX_CONDITIONS} conditions in all")
        if level > MAX_LEVELS:
            raise FilterError(place, f"is nested too deep; not goes {MAX_LEVELS} levels deep at most")
        if isinstance(wanted, Mapping):
            return self._bounds(place, field, wanted, level)
        if not isinstance(wanted, list):
            _check_value(place, field, wanted)
            return lambda: field.holds([wanted])
        if not wanted:
            raise FilterError(place, "is an empty list; give at least one value or leave the field out")
        if len(wanted) > MAX_VALUES:
            raise FilterError(place, f"has {len(wanted)} values; at most {MAX_VALUES} are allowed")
        if any(isinstance(each, list) for each in wanted):
            raise FilterError(place, "holds a list in a list; give values or bounds")
        values: list[FieldValue] = []
        tests: list[Test] = []
        for i, each in enumerate(wanted):
            if isinstance(each, Mapping):
                tests.append(self._condition(f"{place}.{i}", field, each, level))
            else:
                _check_value(f"{place}.{i}", field, each)
                values.append(each)
        return _one_of([*tests, lambda: field.holds(values)] if values else tests)

    def _bounds(self, place: str, field: Field, wanted: Mapping[str, Any], level: int) -> Test:
        if not wanted:
            raise FilterError(place, f"has no bounds; allowed: {', '.join(COMPARED)}, exists, not")
        tests: list[Test] = []
        for name, limit in wanted.items():
            here = f"{place}.{_shown(name)}"
            if name == "not":
                tests.append(_complement(self._condition(here, field, limit, level + 1)))
            elif name == "exists":
                if not isinstance(limit, bool):
                    raise FilterError(here, f"is {_kind_of(limit)}; give true or false")
                tests.append(_presence(field, limit))
            elif name not in COMPARED:
                known = f"allowed: {', '.join(COMPARED)}, exists, not"
                raise FilterError(place, f"has an unknown bound {_shown(name)}; {known}")
            elif field.kind is not FieldKind.NUMBER:
                raise FilterError(place, f"has bounds, but it is a {field.kind} field; bounds are for numbers")
            elif isinstance(limit, bool) or not isinstance(limit, int | float):
                raise FilterError(here, f"is {_kind_of(limit)}; give a number")
            else:
                tests.append(_within(field, name, limit))
        _refuse_contradiction(place, wanted)
        return _all(tests)


def unknown_field(name: str, known: Sequence[str] | Mapping[str, Any], further: str = "") -> str:
    """Say of a name that it is no field, which one may have been meant, and which there are."""
    near = get_close_matches(name[:64], known, 1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"is an unknown field{meant}; allowed: {', '.join(known) or 'none'}{further}"


def _all(tests: Sequence[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda: reduce(np.logical_and, (test() for test in tests))


def _one_of(tests: Sequence[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda: reduce(np.logical_or, (test() for test in tests))


def _complement(test: Test) -> Test:
    return lambda: ~test()


def _presence(field: Field, wanted: bool) -> Test:
    return lambda: field.present if wanted else ~field.present


def _within(field: Field, bound: str, limit: float) -> Test:
    return lambda: np.asarray(COMPARED[bound](field.values, limit))


def _check_value(place: str, field: Field, value: Any) -> None:
    """Refuse a value that is not of the field's kind; true is no number. Raises `FilterError`."""
    if not isinstance(value, _FITS[field.kind]) or (isinstance(value, bool) and field.kind is not FieldKind.BOOL):
        raise FilterError(
            place, f"is {_kind_of(value)}; it is a {field.kind} field: give {_ALLOWED[field.kind]}, or a list"
        )


def _refuse_contradiction(place: str, bounds: Mapping[str, Any]) -> None:
    """Refuse two bounds on one side, and bounds that no number can be within. Raises `FilterError`."""
    for loose, strict in (("gte", "gt"), ("lte", "lt")):
        if loose in bounds and strict in bounds:
            raise FilterError(place, f"has both {loose} and {strict}; give one of them")
    low, high = (next((bound for bound in pair if bound in bounds), None) for pair in (("gte", "gt"), ("lte", "lt")))
    if low and high:
        least, most = bounds[low], bounds[high]
        if least > most or (least == most and (low, high) != ("gte", "lte")):
            raise FilterError(
                place, f"is to be {_SAYS[low]} {least} and {_SAYS[high]} {most}; no number is: give {low} below {high}"
            )


def _shown(name: str) -> str:
    """Return a field's name as a part of a place: of bounded length and visible."""
    text = name[:64]
    return text if text.isprintable() else ascii(text)[1:-1]


def _kind_of(value: Any) -> str:
    return _KINDS.get(type(value), "an object")
