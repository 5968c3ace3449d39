"""Filters against the rows one by one: any filter that may be asked, over columns with missing values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from random import Random
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.catalog.fields import Fields
from slotbeam.catalog.filters import COMPARED, MAX_CONDITIONS, MAX_LEVELS, MAX_VALUES, read_filter
from slotbeam.catalog.passing import KeptSets, Passing
from slotbeam.errors import FilterError
from support.cases import CASES

Row = dict[str, Any]
Makes = Callable[[], Any]

VALUES: dict[str, list[Any]] = {
    "brand": ["acme", "bolt", "Acme", "zzz", ""],
    "price": [-1, 0, 2, 2.5, 7],
    "sale": [False, True],
    "not": ["any", "field"],
}
DEEP = 3


class Chooser(Random):
    """Chooses rows, and filters of all that the grammar has. Hypothesis takes ten times as long to choose as many."""

    def some(self, makers: Mapping[str, Makes], least: int = 1) -> Row:
        """Some of these members, `least` or more; only those are made."""
        return {name: makers[name]() for name in self.sample(sorted(makers), self.randint(least, len(makers)))}

    def rows(self) -> list[Row]:
        members = {field: partial(self.choice, values) for field, values in VALUES.items()}
        return [self.some(members, least=0) for _ in range(self.randint(1, 12))]

    def filter(self, levels: int = DEEP) -> Row:
        plain: dict[str, Makes] = {field: partial(self.condition, field) for field in ("brand", "price", "sale")}
        if self.random() < 0.2:
            return {"field": self.some({field: partial(self.condition, field) for field in VALUES})}
        if not levels or self.random() < 0.4:
            return self.some(plain)
        inner = partial(self.filter, levels - 1)
        plain["not"], plain["any"] = inner, lambda: [inner() for _ in range(self.randint(1, 3))]
        return self.some(plain)

    def condition(self, field: str, levels: int = DEEP) -> Any:
        if not levels or self.random() < 0.4:
            return self.choice(VALUES[field])
        if self.random() < 0.6:
            return self.bounds(field, levels)
        each = (partial(self.choice, VALUES[field]), partial(self.bounds, field, levels))
        return [self.choice(each)() for _ in range(self.randint(1, 3))]

    def bounds(self, field: str, levels: int) -> Row:
        either: dict[str, Makes] = {
            "exists": lambda: self.random() < 0.5,
            "not": partial(self.condition, field, levels - 1),
        }
        if field != "price":
            return self.some(either)
        low: Row = {self.choice(["gte", "gt"]): self.choice([-2, 0, 2])}
        high: Row = {self.choice(["lte", "lt"]): self.choice([2.5, 7])}
        return self.choice([low, high, low | high]) | self.some(either, least=0)


def passes(row: Row, wanted: Row, operators: bool = True) -> bool:
    """The grammar once more, for one item."""
    for name, inner in wanted.items():
        if operators and name == "any":
            held = any(passes(row, each) for each in inner)
        elif operators and name == "not":
            held = not passes(row, inner)
        elif operators and name == "field":
            held = passes(row, inner, operators=False)
        else:
            held = fits(row.get(name), inner)
        if not held:
            return False
    return True


def fits(value: Any, condition: Any) -> bool:
    if isinstance(condition, list):
        return any(fits(value, each) for each in condition)
    if not isinstance(condition, dict):
        return value is not None and bool(value == condition)
    for name, limit in condition.items():
        if name == "not":
            held = not fits(value, limit)
        elif name == "exists":
            held = (value is not None) == limit
        else:
            held = value is not None and bool(COMPARED[name](value, limit))
        if not held:
            return False
    return True


TYPED = [{"brand": "none has it", "price": 10**6, "sale": True, "not": "such"}]
"""One item more, so that every field is there, with its type."""


def test_a_filter_passes_the_items_that_it_describes_and_no_other() -> None:
    judged = 0
    for seed in count():
        choose = Chooser(seed)
        items, wanted = [*choose.rows(), *TYPED], choose.filter()
        try:
            mask = read_filter(Fields.of(items), wanted)()
        except FilterError as error:
            if not any(limit in error.message for limit in ("nested too deep", "conditions in all")):
                raise
            continue
        assert mask.tolist() == [passes(row, wanted) for row in items], (seed, wanted, items)
        judged += 1
        if judged == CASES:
            break


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.lists(st.none() | st.integers(0, 30), min_size=1))
def test_a_list_of_many_values_holds_for_any_of_them(wanted: list[int], column: list[int | None]) -> None:
    typed = [*column, 31]
    numbers = Fields.of([{} if value is None else {"n": float(value)} for value in typed])
    words = Fields.of([{} if value is None else {"n": f"w{value}"} for value in typed])
    expected = [value in wanted for value in typed]
    assert read_filter(numbers, {"n": list(wanted)})().tolist() == expected
    assert read_filter(words, {"n": [f"w{value}" for value in wanted]})().tolist() == expected


FIELDS = Fields.of([{"price": 5.0, "brand": "acme", "sale": True}, {}])


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"price": {"not": {"gte": 9}}}, [True, True]),
        ({"not": {"price": {"gte": 9}}}, [True, True]),
        ({"price": {"lt": 9}}, [True, False]),
        ({"price": {"exists": False}}, [False, True]),
        ({"brand": {"exists": True, "not": ["bolt", "cobalt"]}}, [True, False]),
        ({"any": [{"brand": "bolt"}, {"price": 5}]}, [True, False]),
        ({"sale": [True, False]}, [True, False]),
    ],
)
def test_an_item_without_a_value_passes_nothing_but_what_is_not_so(wanted: Row, expected: list[bool]) -> None:
    assert read_filter(FIELDS, wanted)().tolist() == expected


def nested(levels: int, operator: str) -> Row:
    wanted: Row = {"price": 5}
    for _ in range(levels):
        wanted = {"any": [wanted]} if operator == "any" else {operator: wanted}
    return wanted


def deep(levels: int) -> Row:
    condition: Any = 5
    for _ in range(levels):
        condition = {"not": condition}
    return {"price": condition}


def test_a_filter_may_be_as_large_as_is_said_and_no_larger() -> None:
    allowed: list[Row] = [
        {"any": [{"price": 5}] * MAX_CONDITIONS},
        {"price": [{"gte": 1}] * (MAX_CONDITIONS - 1)},
        nested(MAX_LEVELS, "not"),
        nested(MAX_LEVELS, "any"),
        deep(MAX_LEVELS),
        {"price": [5] * MAX_VALUES},
    ]
    for wanted in allowed:
        assert read_filter(FIELDS, wanted)().tolist() in ([True, False], [False, True])
    refused: list[tuple[Row, str]] = [
        ({"any": [{"price": 5}] * (MAX_CONDITIONS + 1)}, f"filter.any.{MAX_CONDITIONS}.price is one too many"),
        ({"price": [{"gte": 1}] * MAX_CONDITIONS}, f"filter.price.{MAX_CONDITIONS - 1} is one too many"),
        (nested(MAX_LEVELS + 1, "not"), "filter" + ".not" * (MAX_LEVELS + 1) + " is nested too deep"),
        (nested(MAX_LEVELS + 1, "any"), "filter" + ".any.0" * (MAX_LEVELS + 1) + " is nested too deep"),
        (deep(MAX_LEVELS + 1), "filter.price" + ".not" * (MAX_LEVELS + 1) + " is nested too deep"),
        ({"price": [5] * (MAX_VALUES + 1)}, "filter.price has 257 values; at most 256 are allowed"),
    ]
    for wanted, message in refused:
        with pytest.raises(FilterError) as error:
            read_filter(FIELDS, wanted)
        assert str(error.value).startswith(message)


def test_a_wrong_filter_is_refused_before_any_column_is_read() -> None:
    class Unread(Fields):
        def __getitem__(self, name: str) -> Any:
            field = super().__getitem__(name)
            return type(field)(field.kind, None, field.keywords)  # type: ignore[arg-type]

    with pytest.raises(FilterError, match=r"^filter\.any\.1\.colour is an unknown field"):
        read_filter(Unread(FIELDS), {"price": {"gte": 1}, "any": [{"sale": True}, {"colour": "red"}]})


def made(number: int) -> Passing:
    return Passing.of(np.arange(6400) % 7 == number)


def test_kept_sets_are_made_once_and_hold_no_more_bytes_than_they_may() -> None:
    each = made(0).nbytes + 1
    kept, asked = KeptSets(3 * each), list[bytes]()

    def ask(key: bytes) -> None:
        def make() -> Passing:
            asked.append(key)
            return made(key[0] % 7)

        got = kept.get(key, make)
        assert got.holds(np.arange(6400)).tolist() == made(key[0] % 7).holds(np.arange(6400)).tolist()
        assert kept.nbytes <= 3 * each

    for key in (b"a", b"b", b"a", b"c", b"a", b"d", b"a", b"c", b"b"):
        ask(key)
    assert asked == [b"a", b"b", b"c", b"d", b"b"], "the one least lately used goes"
    ask(b"x" * 9999)
    assert kept.nbytes == 0, "one that is too large is answered and not kept"


def test_threads_that_ask_for_the_same_sets_at_once_count_each_once() -> None:
    kept = KeptSets(10 * (made(0).nbytes + 1))
    threads = [
        Thread(target=lambda: [kept.get(bytes([n % 30]), lambda n=n: made(n % 7)) for n in range(300)])  # type: ignore[misc]
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.nbytes == sum(len(key) + passing.nbytes for key, passing in kept._held.items())
