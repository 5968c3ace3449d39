"""What boosts and buries of many rules come to, and which items of a binding count: against plain sums and tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.bindings.spec import json_of, json_text
from slotbeam.catalog.filters import read_filter
from slotbeam.kae.matcher import Matcher
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import MAX_K, Answer, SearchRequest
from slotbeam.search.rules.matching import Rules
from slotbeam.search.rules.rule import Rule, Trigger, Weighted
from slotbeam.search.snapshot import EMPTY_OVERLAY, Overlay, Snapshot
from slotbeam.types import Slot, Timings
from support.cases import CASES
from support.shop import make_shop

ITEMS = 120
TESTS: tuple[dict[str, Any], ...] = ({"department": "toys"}, {"price": {"gte": 50}}, {"price": {"lt": 20}})
IDS = st.integers(0, ITEMS + 3).map(lambda number: f"i{number:03d}")
WEIGHTS = st.sampled_from([0.25, 0.5, 1.0, 1.5, 4.0])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"), ITEMS, weight_lexical=2.0, coarse=True)


def ask(shop: Artifact, query: str, overlay: Overlay = EMPTY_OVERLAY, **request: Any) -> Answer:
    return retrieve(Snapshot(shop, overlay), SearchRequest(query, k=MAX_K, **request), Timings())


def scores(shop: Artifact, answer: Answer) -> dict[str, float]:
    return {shop.catalog.ids[hit.row]: hit.score for hit in answer.hits}


def passes(shop: Artifact, item: str, *filters: Any) -> bool:
    row = shop.catalog.row_of(item)
    return row is not None and all(bool(read_filter(shop.catalog.fields, each)()[row]) for each in filters if each)


weighed = st.lists(st.builds(Weighted, st.sampled_from(TESTS), WEIGHTS), max_size=3).map(tuple)
weighing = st.lists(
    st.builds(
        Rule,
        id=st.integers(0, 9).map("r{}".format),
        words=st.sampled_from([(), ("mug",), ("red",), ("red mug",), ("zorglub",)]),
        boost=weighed,
        bury=weighed,
        created_at=st.integers(0, 2),
    ),
    max_size=4,
    unique_by=lambda rule: rule.id,
)


@settings(max_examples=max(100, CASES // 10))
@given(
    rules=weighing,
    query=st.sampled_from(["red mug", "mug", "zorglub", "lamp"]),
    only=st.booleans(),
    wanted=st.sampled_from([{}, *TESTS]),
)
def test_of_every_rule_that_applies_an_item_gains_and_loses_and_then_its_score_decides(
    shop: Artifact, rules: Sequence[Rule], query: str, only: bool, wanted: dict[str, Any]
) -> None:
    """In the base, and among the items of a binding."""
    items = tuple(f"i{number:03d}" for number in range(0, ITEMS, 7))
    slot = Slot(1, shop.kae.codebook.reserved(1)[0])
    overlay = build_overlay(shop, [Bound("b0", slot, ("mug", "red"), items, "only")] if only else [])
    plain = scores(shop, ask(shop, query, overlay, filter=wanted))
    gains = [
        (sign * one.weight, one.test)
        for rule in rules
        if not rule.words or Matcher(rule.words, shop.folding).find(query)
        for sign, each in ((1, rule.boost), (-1, rule.bury))
        for one in each
    ]
    expected = {
        item: score + sum(gain for gain, test in gains if passes(shop, item, test)) for item, score in plain.items()
    }
    found = scores(shop, ask(shop, query, replace(overlay, rules=Rules.of(shop, rules)), filter=wanted))
    assert found == pytest.approx(expected, abs=1e-9)
    assert list(found.values()) == sorted(found.values(), reverse=True)


bound = st.lists(
    st.tuples(
        st.lists(IDS, min_size=1, max_size=12, unique=True),
        st.sampled_from(["top", "blend", "only"]),
        st.sampled_from(list(Trigger)),
        st.lists(st.sampled_from(["bolt", "mugs"]), max_size=1),
        st.booleans(),
        st.sampled_from([None, *TESTS]),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=max(100, CASES // 10))
@given(
    told=bound,
    words=st.lists(st.sampled_from(["labubu", "lamps", "zorglub", "bolt", "mug", "12"]), min_size=1, max_size=3),
    wanted=st.sampled_from([{}, *TESTS]),
    excluded=st.lists(IDS, max_size=2),
    positions=st.lists(IDS, max_size=2, unique=True),
)
def test_of_a_binding_those_items_count_that_pass_its_test_where_its_word_triggers(
    shop: Artifact,
    told: Sequence[Any],
    words: Sequence[str],
    wanted: dict[str, Any],
    excluded: Sequence[str],
    positions: Sequence[str],
) -> None:
    """And as many come as pass, whatever else goes before them."""
    query, reserved = " ".join(words), shop.kae.codebook.reserved(1)
    every = [
        Bound(
            *(f"b{n}", Slot(1, reserved[n]), (("labubu", "lamp", "zorglub")[n],), tuple(ids), placement),
            exact=exact,
            trigger=trigger,
            unless=tuple(unless),
            when=json_text(when),
        )
        for n, (ids, placement, trigger, unless, exact, when) in enumerate(told)
    ]
    rules = [Rule(id="r", positions=tuple(positions), words=("12",))] if positions else []
    answer = ask(
        shop,
        query,
        replace(build_overlay(shop, every), rules=Rules.of(shop, rules)),
        filter=wanted,
        exclude_ids=tuple(excluded),
    )
    fired = {one.id: one for one in every if fires(shop, one, query)}
    assert {one.id for one in answer.applied} == set(fired)
    own = {
        one.id: {
            item for item in one.item_ids if item not in excluded and passes(shop, item, wanted, json_of(one.when))
        }
        for one in fired.values()
    }
    first = [item for item in positions if rules and "12" in words and item not in excluded]
    first = [item for item in first if passes(shop, item, wanted)]
    shown = {shop.catalog.ids[hit.row]: hit for hit in answer.hits}
    assert list(shown)[: len(first)] == first
    assert set().union(*own.values()) <= set(shown)
    for item, hit in shown.items():
        holders = {binding for binding, items in own.items() if item in items}
        assert set(hit.bindings) == holders
        assert hit.source == ("rule" if item in first else "binding" if holders else "model")
    behind = [hit.source for item, hit in shown.items() if item not in first]
    strongest = min((one.placement for one in fired.values()), key=["only", "top", "blend"].index, default="top")
    if strongest == "only":
        assert set(behind) <= {"binding"}
    elif strongest == "top":
        assert behind == sorted(behind)


def fires(shop: Artifact, one: Bound, query: str) -> bool:
    """Whether a word of a binding triggers it: by matchers of its own."""
    if one.unless and Matcher(one.unless, shop.folding).find(query):
        return False
    spans = [found[:2] for found in Matcher(one.words, shop.folding, one.words if one.exact else ()).find(query)]
    return bool(spans) and (one.trigger == "contains" or (0, len(query)) in spans)
