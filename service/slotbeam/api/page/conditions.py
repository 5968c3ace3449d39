"""Tests of item fields as rows of a form: a field, how it is compared, and with what.

What rows cannot say (`any`, `not` of a whole filter, a value with a comma) is said as JSON, in a field of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slotbeam.api.page.forms import Form, text_of, typed
from slotbeam.catalog.fields import FieldKind
from slotbeam.errors import FieldError

Test = Mapping[str, Any]
"""A filter, as `slotbeam.catalog.filters` reads it."""

IS, IS_NOT, PRESENT = "is", "not", "exists"
COMPARED = {IS: "is", IS_NOT: "is not", "gte": "is at least", "lte": "is at most", PRESENT: "is known"}
"""How a field may be compared in a row."""
ROWS = 16
"""Rows at most; a form shows one more than are filled."""

_PARTS = ("field", "is", "value", "weight")


def weighed_of(form: Form, name: str, kinds: Mapping[str, FieldKind]) -> list[dict[str, Any]]:
    """Return the tests and weights that the rows of `name` say, one each. Raises `FieldError`: one says no test."""
    return [
        {"test": {field: _condition(name, field, how, value, kinds)}, "weight": _weight(name, weight)}
        for field, how, value, weight in _rows(form, name)
    ]


def test_of(form: Form, name: str, kinds: Mapping[str, FieldKind]) -> dict[str, Any] | None:
    """Return the one test that the rows of `name` say together, None where they are empty. Raises `FieldError`."""
    found: dict[str, Any] = {}
    for field, how, value, _ in _rows(form, name):
        condition = _condition(name, field, how, value, kinds)
        bounds = found.get(field, {})
        is_bounds = isinstance(condition, dict) and isinstance(bounds, dict)
        if field in found and not (is_bounds and condition.keys().isdisjoint(bounds)):
            raise FieldError(name, f"says two things of {field}; several values go into one row, with commas between")
        found[field] = {**bounds, **condition} if is_bounds else condition
    return found or None


def rows_of_weighed(name: str, weighed: Sequence[Mapping[str, Any]]) -> Form | None:
    """Return the rows that say `weighed`; None where rows cannot."""
    rows: list[tuple[str, str, str, str]] = []
    for one in weighed:
        said = _said(one["test"])
        if said is None or len(said) != 1:
            return None
        rows.append((*said[0], text_of(one["weight"])))
    return _named(name, rows)


def rows_of_test(name: str, test: Test) -> Form | None:
    """Return the rows that say `test`; None where rows cannot."""
    said = _said(test)
    return None if said is None else _named(name, [(*row, "") for row in said])


def _rows(form: Form, name: str) -> list[tuple[str, str, str, str]]:
    rows = [[form.get(f"{name}-{part}-{i}", "").strip() for part in _PARTS] for i in range(ROWS)]
    return [(field, how, value, weight) for field, how, value, weight in rows if field]


def _named(name: str, rows: Sequence[tuple[str, str, str, str]]) -> Form | None:
    if len(rows) > ROWS:
        return None
    return {f"{name}-{part}-{i}": text for i, row in enumerate(rows) for part, text in zip(_PARTS, row, strict=True)}


def _condition(name: str, field: str, how: str, text: str, kinds: Mapping[str, FieldKind]) -> Any:
    if how == PRESENT:
        return {PRESENT: True}
    if how not in COMPARED:
        raise FieldError(name, f"compares {field} in a way that is not known; known: {', '.join(COMPARED.values())}")
    values = [typed(one.strip(), kinds.get(field)) for one in text.split(",") if one.strip()]
    if not values:
        raise FieldError(name, f"does not say what {field} is compared with")
    if how in ("gte", "lte") and len(values) > 1:
        raise FieldError(name, f"compares {field} with {len(values)} values; a bound is one")
    value = values if len(values) > 1 else values[0]
    return value if how == IS else {how: value}


def _weight(name: str, text: str) -> float:
    try:
        return float(text or "1")
    except ValueError:
        raise FieldError(name, f"has a weight that is no number: {text[:40]}") from None


def _said(test: Test) -> list[tuple[str, str, str]] | None:
    """Return field, comparison and value of each condition; None where a row cannot say one."""
    rows: list[tuple[str, str, str]] = []
    for field, condition in test.items():
        pairs = condition.items() if isinstance(condition, Mapping) else [(IS, condition)]
        for how, wanted in pairs:
            values = wanted if isinstance(wanted, list) else [wanted]
            texts = [_text(value) for value in values]
            many = len(texts) > 1 and how in ("gte", "lte")
            if how not in COMPARED or many or None in texts or (how == PRESENT and wanted is not True):
                return None
            rows.append((field, how, "" if how == PRESENT else ", ".join(text for text in texts if text)))
    return rows if all(isinstance(condition, dict | list | str | int | float) for condition in test.values()) else None


def _text(value: Any) -> str | None:
    """Return a value as a row says it; None where it would be read as something else."""
    if isinstance(value, str):
        return value if value and value == value.strip() and "," not in value else None
    return text_of(value) if isinstance(value, int | float) else None
