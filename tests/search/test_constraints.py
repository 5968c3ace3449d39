"""What a request may ask of the items, all at once: filter, exclusion, collapse, order and facets, with bindings.

The oracle is the plain answer of all items: what is asked for is made of it by plain lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.catalog.fields import Fields
from slotbeam.catalog.item import Item
from slotbeam.errors import FieldError
from slotbeam.search.arrange import arrange
from slotbeam.search.artifact import Artifact
from slotbeam.search.facets import MAX_FACET_VALUES, count_facets
from slotbeam.search.options import SearchOptions
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import MAX_K, Answer, SearchRequest, SortKey
from slotbeam.search.snapshot import PLACEMENTS, Placement, Snapshot
from slotbeam.types import Hits, Slot, Timings
from support.shop import BRANDS, COLORS, ENTITIES, make_kae, make_shop

NAMES = ("family", "price", "sale", "department")
BOUND_WORDS = ("labubu", "crocs", "zorglub")
KEYS = st.builds(SortKey, st.sampled_from(NAMES), st.booleans())


def variants(n: int) -> list[Item]:
    """Items of few families, some of which say nothing of a field."""
    rng = np.random.default_rng(5)
    made = []
    for i in range(n):
        fields: dict[str, Any] = {
            "family": f"f{rng.integers(12)}",
            "price": float(rng.integers(1, 9)),
            "sale": bool(rng.integers(2)),
        }
        title = " ".join(str(rng.choice(words)) for words in (COLORS, BRANDS, ENTITIES))
        kept = {name: value for name, value in fields.items() if rng.random() < 0.8}
        made.append(Item(f"v{i:03d}", title, fields=kept, popularity=float(rng.integers(5))))
    return made


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"), 40, coarse=True, extra=variants(120))


@st.composite
def bindings(draw: st.DrawFn) -> tuple[Bound, ...]:
    words = draw(st.lists(st.sampled_from(BOUND_WORDS), unique=True, max_size=3))
    items, placements = st.sets(st.integers(0, 125), min_size=1, max_size=40), st.sampled_from(PLACEMENTS)
    reserved = make_kae().codebook.reserved
    return tuple(
        Bound(f"b{n}", Slot(n, reserved(n)[0]), (word,), tuple(f"v{i:03d}" for i in draw(items)), draw(placements))
        for n, word in enumerate(words)
    )


def ask(artifact: Artifact, bound: tuple[Bound, ...], query: str, **request: Any) -> Answer:
    return retrieve(Snapshot(artifact, build_overlay(artifact, bound)), SearchRequest(query, **request), Timings())


def fields_of(artifact: Artifact) -> list[dict[str, Any]]:
    """The fields of each row, as they were given."""
    rows = np.arange(len(artifact.catalog))
    columns = {name: field.at(rows).said() for name, field in artifact.catalog.fields.items()}
    return [{name: values[row] for name, values in columns.items()} for row in rows]


def collapsed(rows: Iterable[int], values: list[dict[str, Any]], name: str) -> list[int]:
    seen, shown = set[Any](), []
    for row in rows:
        value = values[row][name]
        if value is None or value not in seen:
            shown.append(row)
            seen.add(value)
    return shown


def ordered(rows: list[int], values: list[dict[str, Any]], keys: Iterable[SortKey], first: set[int]) -> list[int]:
    for key in reversed(list(keys)):  # each sort keeps what those before it made
        there = [row for row in rows if values[row][key.field] is not None]
        there.sort(key=lambda row, name=key.field: values[row][name], reverse=key.descending)  # type: ignore[misc]
        rows = there + [row for row in rows if values[row][key.field] is None]
    return [row for row in rows if row in first] + [row for row in rows if row not in first]


FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"price": {"exists": True, "not": {"gte": 5}}},
    {"any": [{"sale": True}, {"department": "toys"}]},
    {"not": {"family": ["f1", "f2"], "sale": True}},
)


@settings(max_examples=150)
@given(
    bound=bindings(),
    query=st.lists(st.sampled_from([*BOUND_WORDS, "mug", "red", "acme", "9"]), max_size=3).map(
        lambda words: " ".join(["mug", *words])
    ),
    wanted=st.sampled_from(FILTERS),
    excluded=st.sets(st.integers(0, 130), max_size=30),
    collapse=st.sampled_from([None, *NAMES]),
    keys=st.lists(KEYS, max_size=3).map(tuple),
    k=st.integers(1, 200),
)
@example((), "red mug", {}, set(), "family", (SortKey("price"),), 7)
def test_an_answer_is_the_plain_one_less_what_is_excluded_collapsed_and_sorted_and_cut_at_k(
    shop: Artifact,
    bound: tuple[Bound, ...],
    query: str,
    wanted: dict[str, Any],
    excluded: set[int],
    collapse: str | None,
    keys: tuple[SortKey, ...],
    k: int,
) -> None:
    ids = (*(f"v{i:03d}" for i in excluded), "nowhere")
    request = {"filter": wanted, "exclude_ids": ids}
    plain = ask(shop, bound, query, k=MAX_K, **request)
    out = set(shop.catalog.rows_of(ids)[0])
    rows = [hit.row for hit in plain.hits]
    passing = set(shop.catalog.passing(wanted).rows(np.array([0]), np.array([len(shop.catalog)])).tolist())
    assert not out & set(rows), "an item that is excluded does not come"
    full = ask(shop, bound, query, k=MAX_K, filter=wanted)
    placements = {one.placement for one in bound if one.words[0] in query.split()}
    strongest = next((each for each in PLACEMENTS if each in placements), Placement.TOP)
    if strongest != Placement.BLEND:
        assert rows == [hit.row for hit in full.hits if hit.row not in out], "nor does it change the others' order"
    if strongest != Placement.ONLY:
        assert set(rows) == passing - out

    values = fields_of(shop)
    held = {hit.row for hit in plain.hits if hit.bindings} if strongest != Placement.BLEND else set[int]()
    expected = rows if collapse is None else collapsed(rows, values, collapse)
    if keys:
        expected = ordered(expected, values, keys, held)
    answer = ask(shop, bound, query, k=k, collapse=collapse, sort=keys, facets=NAMES, **request)
    assert [hit.row for hit in answer.hits] == expected[:k]
    by_row = {hit.row: hit for hit in plain.hits}
    assert list(answer.hits) == [by_row[row] for row in expected[:k]]

    assert answer.facets["counted"] == len(rows)
    for name in NAMES:
        facet, own = answer.facets["facets"][name], [values[row][name] for row in rows]
        there = [value for value in own if value is not None]
        assert (facet["count"], facet["missing"]) == (len(there), own.count(None))
        if name == "price":
            assert [facet.get("min"), facet.get("max")] == ([min(there), max(there)] if there else [None, None])
        else:
            most = sorted(Counter(there).items(), key=lambda pair: (-pair[1], pair[0]))
            assert [(each["value"], each["count"]) for each in facet["values"]] == most


@settings(max_examples=60)
@given(
    bound=bindings(),
    budget=st.sampled_from([1, 20, 60]),
    step=st.sampled_from([0, 10]),
    width=st.sampled_from([None, None, 4]),
    collapse=st.sampled_from([None, "family"]),
    keys=st.lists(KEYS, max_size=2).map(tuple),
    excluded=st.sets(st.integers(0, 119), max_size=60),
    sizes=st.lists(st.integers(1, 170), min_size=2, max_size=4),
)
def test_a_smaller_answer_begins_a_larger_one_and_bound_items_come_first_whatever_is_asked(
    shop: Artifact,
    bound: tuple[Bound, ...],
    budget: int,
    step: int,
    width: int | None,
    collapse: str | None,
    keys: tuple[SortKey, ...],
    excluded: set[int],
    sizes: list[int],
) -> None:
    narrow = replace(shop, options=SearchOptions(scan_budget=budget, step_rows=step, lexical_candidates=5))
    request = {
        "beam_width": width,
        "collapse": collapse,
        "sort": keys,
        "exclude_ids": tuple(f"v{i:03d}" for i in excluded),
        "filter": {"not": {"price": 3.0}},
    }
    whole = ask(narrow, bound, "labubu crocs zorglub red", k=MAX_K, **request)
    for k in sizes:
        assert ask(narrow, bound, "labubu crocs zorglub red", k=k, **request).hits == whole.hits[:k]
    brought = [bool(hit.bindings) for hit in whole.hits]
    if all(each.placement != "blend" for each in bound):
        assert brought == sorted(brought, reverse=True)
    prices = fields_of(shop)
    assert all(prices[hit.row]["price"] != 3.0 for hit in whole.hits)


@given(budget=st.integers(1, 40), k=st.integers(1, 160), excluded=st.sets(st.integers(0, 119)))
@settings(max_examples=60)
def test_what_is_excluded_takes_nothing_of_the_budget(shop: Artifact, budget: int, k: int, excluded: set[int]) -> None:
    narrow = replace(shop, options=SearchOptions(scan_budget=budget, step_rows=0, lexical_candidates=0))
    hits = ask(narrow, (), "red mug", k=k, exclude_ids=tuple(f"v{i:03d}" for i in excluded)).hits
    assert len(hits) == min(k, budget, len(shop.catalog) - len(excluded))


def many(n: int) -> tuple[Hits, Fields]:
    rng = np.random.default_rng(n)
    fields = Fields.of([{"price": float(rng.integers(9)), "family": f"f{rng.integers(n // 2)}"} for _ in range(n)])
    sids, unheld = np.zeros((n, 1), np.int32), np.zeros((n, 0), np.bool_)
    return Hits(rng.permutation(n), np.arange(n, 0.0, -1), sids, None, unheld), fields


def test_sorting_chooses_among_the_thousand_best_so_that_no_cheap_item_that_fits_badly_comes_first() -> None:
    hits, fields = many(3000)
    request = SearchRequest("mug", k=5, sort=(SortKey("price"),))
    assert request.ranked == MAX_K
    shown = arrange(hits, fields, request, Placement.TOP)
    prices = fields["price"].values
    best = hits.rows[:MAX_K]
    assert shown.rows.tolist() == best[np.argsort(prices[best], kind="stable")][:5].tolist()


def test_a_thousand_values_are_collapsed_of_all_candidates_before_the_best_of_them_are_sorted() -> None:
    hits, fields = many(3000)
    values = [
        {"family": int(code), "price": price}
        for code, price in zip(fields["family"].values, fields["price"].values, strict=True)
    ]
    request = SearchRequest("mug", k=MAX_K, collapse="family", sort=(SortKey("price", descending=True),))
    shown = arrange(hits, fields, request, Placement.TOP)
    first = collapsed(hits.rows.tolist(), values, "family")[:MAX_K]
    assert len(first) == MAX_K
    assert shown.rows.tolist() == ordered(first, values, request.sort, set())


def test_a_facet_lists_the_most_frequent_values_and_equal_ones_in_their_own_order() -> None:
    words = [f"w{i:02d}" for i in range(60) for _ in range(1 + i % 3)]
    facet = count_facets(Fields.of([{"word": word} for word in words]), ["word"], np.arange(len(words)))["facets"][
        "word"
    ]
    most = sorted(Counter(words).items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_FACET_VALUES]
    assert facet["values"] == [{"value": value, "count": count} for value, count in most]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"fields": ("price", "prise")}, r'^fields\.1 "prise" is an unknown field \(did you mean price\?\); allowed: '),
        ({"facets": ("color",)}, r'^facets\.0 "color" is an unknown field; allowed: department, family, price, sale$'),
        ({"collapse": "model"}, r'^collapse "model" is an unknown field'),
        ({"sort": (SortKey("price"), SortKey("cost"))}, r'^sort\.1\.field "cost" is an unknown field'),
    ],
)
def test_a_field_that_the_catalog_does_not_have_is_refused_with_those_that_it_has(
    shop: Artifact, request_: dict[str, Any], message: str
) -> None:
    with pytest.raises(FieldError, match=message):
        ask(shop, (), "mug", **request_)
