"""A smaller answer is the beginning of a larger one: the property, over whatever a request can say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.search.artifact import Artifact
from slotbeam.search.options import SearchOptions
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import MAX_K, Answer, SearchRequest
from slotbeam.search.snapshot import PLACEMENTS, Snapshot
from slotbeam.types import Slot, Timings
from support.shop import make_kae, make_shop

ITEMS = 300
BOUND_WORDS = ("labubu", "crocs", "zorglub", "acme")
QUERIES = (*BOUND_WORDS, "mug", "red", "bolt", "for", "37", "number 12")
FILTERS: tuple[dict[str, Any], ...] = ({}, {"department": "toys"}, {"price": {"gte": 90}}, {"price": 7.0})
SEARCHES = st.builds(
    SearchOptions,
    scan_budget=st.sampled_from([1, 40, 200, 4096]),
    step_rows=st.sampled_from([0, 20, 4096]),
    beam_width=st.sampled_from([None, None, 1, 8, 350]),
    candidates=st.sampled_from([5, 40, 2000]),
    items_per_sid=st.sampled_from([None, 1, 3]),
    lexical_candidates=st.sampled_from([0, 10]),
    weight_vector=st.sampled_from([0.0, 0.05]),
    weight_lexical=st.sampled_from([0.0, 2.0]),
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """300 items on few SIDs; log-probabilities are rounded, so that ties are common."""
    return make_shop(tmp_path_factory.mktemp("shop"), ITEMS, coarse=True)


def binding(number: int, word: str, items: Iterable[int], placement: str) -> Bound:
    slot = Slot(number % 3, make_kae().codebook.reserved(number % 3)[number // 3])
    return Bound(f"b{number}", slot, (word,), tuple(f"i{item:03d}" for item in items), placement)


@st.composite
def bindings(draw: st.DrawFn) -> tuple[Bound, ...]:
    words = draw(st.lists(st.sampled_from(BOUND_WORDS), unique=True, max_size=4))
    items = st.sets(st.integers(0, ITEMS + 5), min_size=1, max_size=120)
    placements = st.sampled_from(PLACEMENTS)
    return tuple(binding(number, word, draw(items), draw(placements)) for number, word in enumerate(words))


SHARED = (binding(0, "labubu", range(100), "only"), binding(1, "crocs", range(50, 60), "only"))
"""Ten items of both come first, whatever the scores of the others."""


def ask(artifact: Artifact, bound: tuple[Bound, ...], query: str, **request: Any) -> Answer:
    return retrieve(Snapshot(artifact, build_overlay(artifact, bound)), SearchRequest(query, **request), Timings())


@settings(max_examples=150)
@given(
    search=SEARCHES,
    bound=bindings(),
    query=st.lists(st.sampled_from(QUERIES), min_size=1, max_size=5).map(" ".join),
    sizes=st.lists(st.one_of(st.integers(1, 40), st.integers(1, MAX_K)), min_size=2, max_size=4, unique=True),
    wanted=st.sampled_from(FILTERS),
    width=st.sampled_from([None, None, None, 1, 64]),
    use_bindings=st.sampled_from([True, True, False]),
    seen=st.lists(st.sampled_from(["i001", "i150", "nowhere"]), max_size=2).map(tuple),
)
@example(SearchOptions(), (), "red mug", [24, 240], {}, None, True, ())
@example(SearchOptions(), SHARED, "labubu crocs", [1, 9, 10, 11, 50], {}, None, True, ())
def test_a_smaller_answer_is_the_beginning_of_a_larger_one(
    shop: Artifact,
    search: SearchOptions,
    bound: tuple[Bound, ...],
    query: str,
    sizes: list[int],
    wanted: dict[str, Any],
    width: int | None,
    use_bindings: bool,
    seen: tuple[str, ...],
) -> None:
    """Items, order, scores and all else that is said of an item."""
    asked = replace(shop, options=search)
    request = {"filter": wanted, "beam_width": width, "use_bindings": use_bindings, "recent_item_ids": seen}
    whole = ask(asked, bound, query, k=MAX_K, **request)
    scores = [hit.score for hit in whole.hits]
    assert scores == sorted(scores, reverse=True)
    assert len({hit.row for hit in whole.hits}) == len(whole.hits)
    for k in sizes:
        answer = ask(asked, bound, query, k=k, **request)
        assert answer.hits == whole.hits[:k]
        assert answer.applied == whole.applied


@settings(max_examples=60)
@given(
    budget=st.sampled_from([1, 40, 200]),
    step=st.sampled_from([0, 20]),
    query=st.sampled_from(["mug", "red mug", "nothing red", "bolt lamp 37"]),
    k=st.integers(1, 200),
    wanted=st.sampled_from(FILTERS),
)
def test_an_answer_holds_k_items_where_so_many_pass_and_the_budget_is_no_smaller(
    shop: Artifact, budget: int, step: int, query: str, k: int, wanted: dict[str, Any]
) -> None:
    asked = replace(shop, options=SearchOptions(scan_budget=budget, step_rows=step, lexical_candidates=0))
    count = int(shop.catalog.passing(wanted).count(np.array([0]), np.array([ITEMS]))[0])
    hits = ask(asked, (), query, k=k, filter=wanted).hits
    assert min(k, count, budget) <= len(hits) <= min(k, count)
