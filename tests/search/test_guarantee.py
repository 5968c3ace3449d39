"""Guaranteed activation, no collateral: whole queries of bound words, misspellings and base words against an oracle.

The oracle knows by construction which bindings a query triggers, and from plain sets what each answer has to hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.catalog.inmemory import write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog
from slotbeam.language.boundaries import is_cjk
from slotbeam.search.artifact import Artifact
from slotbeam.search.options import SearchOptions
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import Answer, SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.trie.build import build_trie
from slotbeam.types import Slot, Timings
from support.models import PrefixModel
from support.shop import SidInputs, make_kae, make_shop

ITEMS = 60
LIMIT = 4
PLACES = ((0, 0), (1, 0), (1, 1), (2, 0), (2, 1))
"""(position, n-th reserved slot) of the five bindings."""

ALIASES = (
    ("labubu", "拉布布", "ラブブ"),
    ("crocs", "洞洞鞋", "крокс"),
    ("zorglub home", "佐格"),
    ("acme", "ใหม่"),  # one that the dictionary knows as a brand
    ("usb c hub", "集线器"),
)
NEAR = (("labub", "lababu", "labuub"), ("crogs", "crocks", "corcs"), (), (), ())
"""One edit from the first alias; a miss counts only where the binding opted in."""

BASE = ("mug", "red", "bolt", "for", "新款", "挂件", "lamp")
FILTERS: tuple[dict[str, Any], ...] = ({}, {"department": "toys"}, {"price": {"gte": 50}}, {"price": 1000.0})


@dataclass(frozen=True)
class Case:
    """A query and the bindings in force; `triggered` are their numbers in the order of the query."""

    query: str
    bound: tuple[Bound, ...]
    triggered: tuple[int, ...]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"), ITEMS, weight_lexical=2.0)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    near = [draw(st.booleans()) for _ in ALIASES]
    bound = tuple(
        Bound(
            f"b{number}",
            Slot(position, make_kae().codebook.reserved(position)[nth]),
            ALIASES[number],
            tuple(f"i{item:03d}" for item in sorted(draw(st.sets(st.integers(0, ITEMS + 5), min_size=1, max_size=25)))),
            draw(st.sampled_from(["top", "blend", "only"])),
            near[number],
        )
        for number, (position, nth) in enumerate(PLACES)
    )
    kinds = draw(st.lists(st.sampled_from(["bound", "base", "near", "bound"]), min_size=1, max_size=9))
    # In a text with kana, Chinese characters are read as Japanese: words of Chinese are then not glued together.
    japanese = draw(st.booleans())
    text, alone, triggered = "", False, list[int]()
    for kind in kinds:
        number = draw(st.integers(0, len(ALIASES) - 1))
        if kind == "base" or (kind == "near" and not NEAR[number]):
            piece, opens = draw(st.sampled_from(BASE)), False
        elif kind == "bound":
            piece, opens = draw(st.sampled_from([a for a in ALIASES[number] if japanese or a != "ラブブ"])), True
        else:
            piece, opens = draw(st.sampled_from(NEAR[number])), near[number]
        touching = (
            bool(text) and not alone and not japanese and kind != "near" and (is_cjk(piece[0]) or is_cjk(text[-1]))
        )
        glued = touching and draw(st.booleans())
        text = text + piece if glued else f"{text} {piece}".strip()
        alone = kind == "near"  # a misspelling is a token of its own
        if opens and number not in triggered:
            triggered.append(number)
    return Case(text, bound, tuple(triggered))


def ask(shop: Artifact, case: Case, bound: Sequence[Bound], **request: Any) -> Answer:
    snapshot = Snapshot(shop, build_overlay(shop, bound), revision=1)
    return retrieve(snapshot, SearchRequest(case.query, **request), Timings())


def rows_of(shop: Artifact, bound: Bound, wanted: dict[str, Any]) -> set[int]:
    """The binding's items that exist and pass, found one by one."""
    department, price = shop.catalog.fields["department"], shop.catalog.fields["price"]
    kept = set()
    for name in bound.item_ids:
        row = shop.catalog.row_of(name)
        if row is None:
            continue
        assert department.keywords is not None
        here, cost = department.keywords[int(department.values[row])], float(price.values[row])
        if "department" in wanted and here != wanted["department"]:
            continue
        limit = wanted.get("price")
        if isinstance(limit, dict) and cost < limit["gte"]:
            continue
        if isinstance(limit, float) and cost != limit:
            continue
        kept.add(row)
    return kept


def interleaved(bound: Sequence[int], base: Sequence[int]) -> Iterator[int]:
    seen = set[int]()
    for pair in zip_longest(bound, base):
        for row in pair:
            if row is not None and row not in seen:
                seen.add(row)
                yield row


@settings(max_examples=80)
@given(case=cases(), k=st.integers(1, 80), width=st.sampled_from([None, None, 1, 60]), wanted=st.sampled_from(FILTERS))
def test_every_placement_holds_what_it_promises_and_the_rest_is_the_base_answer(
    shop: Artifact, case: Case, k: int, width: int | None, wanted: dict[str, Any]
) -> None:
    request = {"k": k, "beam_width": width, "filter": wanted}
    answer = ask(shop, case, case.bound, **request)
    applied = case.triggered[:LIMIT]
    assert [one.id for one in answer.applied] == [f"b{number}" for number in applied]

    held = [rows_of(shop, case.bound[number], wanted) for number in applied]
    union = set[int]().union(*held)
    base = [hit.row for hit in ask(shop, case, (), **request).hits]
    rows = [hit.row for hit in answer.hits]
    chosen = [case.bound[number] for number in applied]
    order = [name for name in ("only", "top", "blend") if any(one.placement == name for one in chosen)]
    placement = order[0] if order else "top"

    assert len(set(rows)) == len(rows) <= k
    assert [hit.score for hit in answer.hits] == sorted((hit.score for hit in answer.hits), reverse=True)
    brought = [hit for hit in answer.hits if hit.source == "binding"]
    for hit in answer.hits:
        assert list(hit.bindings) == [f"b{number}" for number, own in zip(applied, held, strict=True) if hit.row in own]
        assert hit.source == ("binding" if hit.bindings else "model")
    first = min(k, len(union))
    if placement == "only":
        assert len(rows) == first
        assert set(rows) <= union
    elif placement == "top":
        assert len(brought) == first
        assert set(rows[:first]) <= union
        assert [hit.source for hit in answer.hits[:first]] == ["binding"] * first
        assert rows[first:] == [row for row in base if row not in set(rows[:first])][: k - first]
    else:
        only = [Bound(b.id, b.slot, b.words, b.item_ids, "only", b.near_miss) for b in case.bound]
        alone = [hit.row for hit in ask(shop, case, only, **request).hits]
        assert rows == list(interleaved(alone, base))[:k]


@settings(max_examples=40)
@given(case=cases(), k=st.integers(1, 80), wanted=st.sampled_from(FILTERS))
def test_a_query_that_triggers_nothing_is_answered_to_the_last_bit_as_if_nothing_was_bound(
    shop: Artifact, case: Case, k: int, wanted: dict[str, Any]
) -> None:
    quiet = [bound for number, bound in enumerate(case.bound) if number not in case.triggered]
    request = {"k": k, "filter": wanted}
    assert ask(shop, case, quiet, **request) == ask(shop, case, (), **request)
    assert ask(shop, case, case.bound, use_bindings=False, **request) == ask(shop, case, (), **request)


@pytest.mark.parametrize("alias", ALIASES[0])
@pytest.mark.parametrize("form", ["{}", "new {} mug", "{}挂件", "新款{}", "x新款{}挂件y", "“{}”", "({})!", "{},mug"])
def test_every_alias_brings_the_items_in_every_surrounding(shop: Artifact, alias: str, form: str) -> None:
    bound = Bound("b0", Slot(1, shop.kae.codebook.reserved(1)[0]), ALIASES[0], ("i003", "i007"))
    case = Case(form.format(alias), (bound,), (0,))
    answer = ask(shop, case, case.bound, k=10)
    assert [one.word for one in answer.applied] == [alias]
    assert {shop.catalog.ids[hit.row] for hit in answer.hits[:2]} == {"i003", "i007"}


@pytest.mark.parametrize("query", ["labubus", "xlabubu", "lab2ubu", "лabubu"])
def test_a_part_of_another_word_brings_nothing(shop: Artifact, query: str) -> None:
    bound = Bound("b0", Slot(1, shop.kae.codebook.reserved(1)[0]), ALIASES[0], ("i003",))
    case = Case(query, (bound,), ())
    assert ask(shop, case, case.bound, k=10) == ask(shop, case, (), k=10)


MANY = 50_001
SIZES = (1, 2, 99, 100, 101, 1000, 1001, 50_000)


@pytest.fixture(scope="module")
def mall(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """50 001 items on 95 SIDs: a binding may hold any number of them."""
    directory, kae = tmp_path_factory.mktemp("mall"), make_kae()
    items = [
        Item(f"p{number:05d}", f"thing {number % 7}", fields={"even": number % 2 == 0}, popularity=float(number % 11))
        for number in range(MANY)
    ]
    number = np.arange(MANY)
    sids = np.stack([1 + number % 5, number % 4, number // 5 % 4], axis=1)
    kinds = write_catalog(directory, items, sids)
    return Artifact(
        directory=directory,
        manifest={"name": "mall", "fields": kinds},
        kae=kae,
        inputs=SidInputs(),  # type: ignore[arg-type]  # only `build` is ever asked
        model=PrefixModel(kae.codebook.sizes, 0),
        trie=build_trie(sids),
        catalog=Catalog.load(directory, kinds),
        options=SearchOptions(scan_budget=1000),
    )


@pytest.mark.parametrize("size", SIZES)
def test_a_binding_of_any_size_fills_the_answer_with_its_items(mall: Artifact, size: int) -> None:
    step = 1 if size > MANY // 7 else 7
    ids = [f"p{number * step % MANY:05d}" for number in range(size)]
    held = {mall.catalog.row_of(name) for name in ids}
    assert len(held) == size
    even = {row for row in held if row is not None and int(mall.catalog.ids[row][1:]) % 2 == 0}
    slot = Slot(1, mall.kae.codebook.reserved(1)[0])
    for placement in ("top", "only"):
        bound = Bound("b0", slot, ("labubu",), tuple(ids), placement)
        snapshot = Snapshot(mall, build_overlay(mall, [bound]), revision=1)
        for k in sorted({1, 100, min(size, 1000), 1000}):
            for wanted, passing in (({}, held), ({"even": True}, even)):
                request = SearchRequest("new labubu mug", k=k, filter=wanted)
                hits = retrieve(snapshot, request, Timings()).hits
                first = min(k, len(passing))
                assert {hit.row for hit in hits[:first]} <= passing
                assert [hit.source for hit in hits] == ["binding"] * first + ["model"] * (len(hits) - first)
                assert len({hit.row for hit in hits}) == len(hits) == (first if placement == "only" else k)


def test_four_large_bindings_share_an_answer(mall: Artifact) -> None:
    """12 000 items each. Items that more of the matched bindings hold come first, and each comes once."""
    reserved = [Slot(position, mall.kae.codebook.reserved(position)[nth]) for position, nth in PLACES[:4]]
    words = ("one", "two", "three", "four")
    bound = [
        Bound(f"b{n}", reserved[n], (word,), tuple(f"p{i:05d}" for i in range(n * 100, n * 100 + 12_000)))
        for n, word in enumerate(words)
    ]
    snapshot = Snapshot(mall, build_overlay(mall, bound), revision=1)
    hits = retrieve(snapshot, SearchRequest("one two three four", k=1000), Timings()).hits
    assert len({hit.row for hit in hits}) == 1000
    assert {hit.source for hit in hits} == {"binding"}
    counts = [len(hit.bindings) for hit in hits]
    assert counts == sorted(counts, reverse=True)
    for hit in hits:
        number = int(mall.catalog.ids[hit.row][1:])
        assert list(hit.bindings) == [f"b{n}" for n in range(4) if n * 100 <= number < n * 100 + 12_000]
