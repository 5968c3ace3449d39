"""What the shape of a query does to its answer: what is excluded comes last, what is said of a price may filter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.catalog.item import Item
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import Answer, SearchRequest
from slotbeam.search.shape import read_shape
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Slot, Timings
from support.shop import BRANDS, COLORS, ENTITIES, make_shop

COLAS = [
    Item(id="c1", title="cola with sugar", fields={"price": 5.0}),
    Item(id="c2", title="cola sugar free", fields={"price": 60.0}),
    Item(id="c3", title="cola without sugar", fields={"price": 7.0}),
    Item(id="c4", title="tea without sugar", fields={"price": 9.0}),
    Item(id="c5", title="cola classic", fields={"price": 4.0}),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    directory = tmp_path_factory.mktemp("shop")
    return make_shop(directory, extra=COLAS, coarse=True, weight_lexical=2.0, weight_vector=0.0)


def ask(shop: Artifact, query: str, *bound: Bound, **request: object) -> Answer:
    snapshot = Snapshot(shop, build_overlay(shop, bound), revision=len(bound))
    return retrieve(snapshot, SearchRequest(query, **{"k": 1000, **request}), Timings())  # type: ignore[arg-type]


def titles(shop: Artifact, answer: Answer) -> list[str]:
    return shop.catalog.titles.take(answer.hits.rows)


def bind(shop: Artifact, word: str, ids: list[str]) -> Bound:
    return Bound("b-1", Slot(1, shop.kae.codebook.reserved(1)[0]), (word,), tuple(ids), "top")


@pytest.mark.parametrize("query", ["lamp -red", "lamp without red", "lamp not red"])
def test_items_of_what_is_excluded_come_behind_all_others_and_none_is_lost(shop: Artifact, query: str) -> None:
    answer, plain = ask(shop, query), ask(shop, "lamp")
    named = ["red" in title.split() for title in titles(shop, answer)]
    assert any(named)
    assert named == sorted(named)
    assert answer.reading.text == "lamp"
    assert sorted(answer.hits.rows.tolist()) == sorted(plain.hits.rows.tolist())
    others = [hit.row for hit, is_red in zip(answer.hits, named, strict=True) if not is_red]
    assert others == [row for row in plain.hits.rows.tolist() if row in others], "these are ranked as without the words"
    assert (np.diff(answer.hits.scores) <= 0).all()


@pytest.mark.parametrize("k", [1, 3, 10, 40])
def test_fewer_items_are_the_first_of_more(shop: Artifact, k: int) -> None:
    many, few = ask(shop, "lamp -red"), ask(shop, "lamp -red", k=k)
    assert list(few.hits) == list(many.hits)[:k]


def test_an_item_that_says_it_is_without_is_none_of_what_is_excluded(shop: Artifact) -> None:
    answer = ask(shop, "cola without sugar")
    shown = titles(shop, answer)
    assert answer.reading.excluded == ("sugar",)
    assert answer.reading.text == "cola without sugar", "items say so of themselves"
    colas = [title for title in shown if title.startswith("cola")]
    assert colas[0] == "cola without sugar"
    assert colas[-1] == "cola with sugar"
    assert shown[-1] == "cola with sugar"


def test_a_bound_word_in_an_exclusion_does_not_fire_and_others_do_at_their_places(shop: Artifact) -> None:
    labubu = bind(shop, "labubu", ["i001", "i002"])
    assert ask(shop, "labubu lamp", labubu).applied
    assert not ask(shop, "lamp -labubu", labubu).applied
    assert not ask(shop, "lamp without labubu", labubu).applied
    (applied,) = ask(shop, "lamp -red labubu", labubu).applied
    assert applied.span == (10, 16)
    sugar = bind(shop, "sugar", ["i001"])
    assert not ask(shop, "cola without sugar", sugar).applied
    (applied,) = ask(shop, "cola without sugar", bind(shop, "without sugar", ["i001"])).applied
    assert applied.span == (5, 18), "the whole may be bound"


def test_a_query_that_only_excludes_is_read_as_words(shop: Artifact) -> None:
    answer = ask(shop, "-red")
    assert (answer.reading.text, answer.reading.excluded) == ("-red", ())
    assert [hit.row for hit in answer.hits] == [hit.row for hit in ask(shop, "-red").hits]


def test_a_price_is_applied_only_when_that_is_asked_for(shop: Artifact) -> None:
    proposed, applied = ask(shop, "cola under 50"), ask(shop, "cola under 50", interpret=True)
    assert [each.filter for each in proposed.reading.filters] == [{"price": {"lt": 50}}]
    assert proposed.reading.filters == applied.reading.filters
    assert (proposed.reading.text, applied.reading.text) == ("cola under 50", "cola")
    prices = shop.catalog.fields["price"].values
    assert max(prices[proposed.hits.rows]) >= 50 > max(prices[applied.hits.rows])
    pasted = ask(shop, "cola", filter=proposed.reading.filters[0].filter)
    assert [hit.row for hit in pasted.hits] == [hit.row for hit in applied.hits]


def test_a_proposed_filter_goes_with_that_of_the_request(shop: Artifact) -> None:
    answer = ask(shop, "cola under 50", interpret=True, filter={"price": {"gte": 5}})
    prices = shop.catalog.fields["price"].values[answer.hits.rows]
    assert len(prices)
    assert ((prices >= 5) & (prices < 50)).all()


def test_explain_says_what_was_excluded(shop: Artifact) -> None:
    facts = ask(shop, "lamp -red or so", explain=True).facts
    assert (facts["canonical"], facts["excluded"]) == ("lamp -red or so", ["red"])


WORDS = st.sampled_from([*ENTITIES, *BRANDS, *COLORS, "for", "new", "5", "t-shirt", "12 cm"])


@given(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), st.booleans())
def test_a_query_without_these_shapes_is_read_unchanged(shop: Artifact, query: str, interpret: bool) -> None:
    shape = read_shape(Snapshot(shop), query, interpret)
    assert (shape.text, shape.open_text, shape.excluded, shape.filters) == (query, query, (), ())
    assert shape.typed((0, len(query))) == (0, len(query))


SHAPED = st.sampled_from(
    ["-red", "without", "not", "sugar", "or", "lamp", "under 50", "< 5 €", "-", "labubu", '-"', ","]
)


@given(st.lists(SHAPED, min_size=1, max_size=8).map(" ".join), st.booleans())
def test_no_shape_leaves_an_empty_text_and_every_place_is_that_of_its_character(
    shop: Artifact, query: str, interpret: bool
) -> None:
    query = normalize(query)
    shape = read_shape(Snapshot(shop, build_overlay(shop, [bind(shop, "labubu", ["i001"])])), query, interpret)
    assert shape.text
    assert shape.text == normalize(shape.text)
    assert len(shape.open_text) == len(shape.text)
    for at, char in enumerate(shape.text):
        start, end = shape.typed((at, at + 1))
        assert query[start:end] == char
