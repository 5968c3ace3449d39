"""An answer that knows its worth: what was understood, what each item carries, how sure all of it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.api.retrieve.answers import understood
from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.kae.matcher import Matcher
from slotbeam.search.artifact import Artifact
from slotbeam.search.calibration import BIAS, OF_ANSWER, OF_ITEM, Calibration
from slotbeam.search.options import SearchOptions
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import MAX_K, Answer, Fallback, SearchRequest, SortKey
from slotbeam.search.snapshot import Snapshot
from slotbeam.search.words import look_up
from slotbeam.types import Slot, Timings
from support.shop import BRANDS, COLORS, ENTITIES, make_kae, make_shop

GIBBERISH = ("qwertyuiop", "asdfgh", "xkcd jjvq", "йцукен", "ъъъ", "𝔵𝔶𝔷", "龘龘", "zzzz!", "aaaaaaaaaa", "-", "🦄")
IDS = tuple(f"i{number:03d}" for number in (3, 7, 11))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"), 200)


def labubu(placement: str = "top") -> Bound:
    return Bound("b0", Slot(1, make_kae().codebook.reserved(1)[0]), ("labubu",), IDS, placement)


def ask(artifact: Artifact, query: str, *bound: Bound, **request: Any) -> Answer:
    return retrieve(Snapshot(artifact, build_overlay(artifact, bound)), SearchRequest(query, **request), Timings())


def said(answer: Answer) -> dict[str, Any]:
    return understood(answer.reading, answer.words)


def matched(answer: Answer) -> Iterator[tuple[int, list[str]]]:
    """Yield the row of each hit, and the words that it is said to carry."""
    for hit in answer.hits:
        yield hit.row, [answer.words.words[number].text for number in hit.matched]


@pytest.mark.parametrize("query", GIBBERISH)
def test_gibberish_gets_nothing_and_the_answer_says_so(shop: Artifact, query: str) -> None:
    answer = ask(shop, query)
    assert len(answer.hits) == 0
    assert answer.confidence == 0
    assert said(answer)["known"] == []


@pytest.mark.parametrize("query", GIBBERISH)
def test_who_asks_for_popular_items_instead_gets_them_and_sees_that_they_are(shop: Artifact, query: str) -> None:
    popular = shop.catalog.popular.tolist()
    answer = ask(shop, query, fallback=Fallback.POPULAR, k=MAX_K)
    assert [hit.row for hit in answer.hits] == popular
    assert {hit.source for hit in answer.hits} == {"popular"}
    assert all(not hit.matched and hit.relevance is not None and hit.relevance < 0.01 for hit in answer.hits)
    toys = ask(shop, query, fallback=Fallback.POPULAR, k=MAX_K, filter={"department": "toys"})
    passing = shop.catalog.passing({"department": "toys"}).holds(np.array(popular))
    assert [hit.row for hit in toys.hits] == [
        row for row, passes in zip(popular, passing.tolist(), strict=True) if passes
    ]


def test_a_query_that_is_understood_needs_no_fallback(shop: Artifact) -> None:
    assert ask(shop, "red mug", fallback=Fallback.POPULAR) == ask(shop, "red mug")


@pytest.mark.parametrize("placement", ["top", "blend", "only"])
@pytest.mark.parametrize("query", ["labubu", "labubu qwertyuiop", "red labubu", "labubu mug 37"])
def test_bound_items_survive_every_cut(shop: Artifact, query: str, placement: str) -> None:
    for request in ({}, {"min_relevance": 1.0}, {"min_relevance": 1.0, "sort": (SortKey("price"),)}):
        answer = ask(shop, query, labubu(placement), k=MAX_K, **request)
        assert {shop.catalog.ids[hit.row] for hit in answer.hits if hit.source == "binding"} == set(IDS)
        assert all("labubu" in words for row, words in matched(answer) if shop.catalog.ids[row] in IDS)
    assert all(hit.source == "binding" for hit in answer.hits)


def test_nothing_stands_behind_the_items_of_a_bound_word_that_is_all_of_the_query(shop: Artifact) -> None:
    assert len(ask(shop, "labubu", labubu()).hits) == len(IDS)
    more = ask(shop, "labubu", labubu(), fallback=Fallback.POPULAR)
    assert [hit.source for hit in more.hits[:5]] == ["binding"] * 3 + ["popular"] * 2


queries = st.lists(
    st.sampled_from([*ENTITIES, *BRANDS, *COLORS, "mugs", "labubu", "37", "number", "zorglub"]), min_size=1, max_size=6
).map(" ".join)


@settings(max_examples=40)
@given(query=queries, least=st.floats(0, 1), k=st.integers(1, 60), bound=st.booleans(), collapse=st.booleans())
def test_min_relevance_keeps_the_order_of_the_rest_and_a_smaller_answer_its_beginning(
    shop: Artifact, query: str, least: float, k: int, bound: bool, collapse: bool
) -> None:
    bindings = [labubu()] if bound else []
    plain = ask(shop, query, *bindings, k=MAX_K)
    shown = {"collapse": "price"} if collapse else {}
    whole = ask(shop, query, *bindings, k=MAX_K, min_relevance=least, **shown)
    if not collapse:
        assert list(whole.hits) == [hit for hit in plain.hits if hit.bindings or (hit.relevance or 0) >= least]
    few = ask(shop, query, *bindings, k=k, min_relevance=least, **shown)
    assert few.hits == whole.hits[:k]
    assert few.confidence == whole.confidence == plain.confidence


@settings(max_examples=60)
@given(query=queries)
def test_what_an_item_is_said_to_carry_is_in_its_text_or_of_one_of_its_concepts(shop: Artifact, query: str) -> None:
    answer = ask(shop, query, k=MAX_K)
    known = said(answer)["known"]
    for row, words in matched(answer):
        text = shop.catalog.texts[row]
        read = shop.kae.encode(text.replace("\n", " | "))
        concepts = {match.concept for match in read.matches}
        for word in known:
            of_query = {m.concept for m in answer.encoded.matches if word in m.surface.split()}
            carried = bool(Matcher([word], shop.folding).find(text)) or bool(of_query & concepts)
            assert (word in words) == carried, (word, text)


weights = st.fixed_dictionaries({name: st.floats(0, 50) for name in OF_ITEM} | {BIAS: st.floats(-50, 50)})
evidence = st.lists(st.floats(0, 1), min_size=len(OF_ITEM), max_size=len(OF_ITEM)).map(np.array)


@given(weights=weights, evidence=evidence, name=st.sampled_from(OF_ITEM), more=st.floats(0, 1))
def test_relevance_is_a_probability_and_more_of_any_evidence_makes_it_no_smaller(
    weights: dict[str, float], evidence: np.ndarray[Any, Any], name: str, more: float
) -> None:
    richer = evidence.copy()
    richer[OF_ITEM.index(name)] += more
    relevance = Calibration(weights).relevance_of(np.stack([evidence, richer]))
    assert 0 <= relevance[0] <= relevance[1] <= 1


@settings(max_examples=40)
@given(query=queries)
def test_of_two_items_that_are_alike_but_for_one_word_the_one_that_carries_it_is_no_less_relevant(
    shop: Artifact, query: str
) -> None:
    alone = {"words": 5.0, BIAS: -2.0}
    answer = ask(replace(shop, options=SearchOptions(calibration=Calibration(alone))), query, k=MAX_K)
    hits = list(answer.hits)
    for one, other in pairwise(hits):
        if set(one.matched) >= set(other.matched):
            assert (one.relevance or 0) >= (other.relevance or 0)
        assert 0 <= (one.relevance or 0) <= 1


def test_an_artifact_without_a_calibration_has_the_defaults_and_one_that_names_some_has_these() -> None:
    assert SearchOptions.read({"scan_budget": 7}) == SearchOptions(scan_budget=7)
    own = SearchOptions.read({"calibration": {"relevance": {BIAS: 1.0}, "confidence": {"closeness": 2.0}}})
    assert own.calibration == Calibration({BIAS: 1.0}, {"closeness": 2.0})
    assert {*Calibration().relevance} <= {BIAS, *OF_ITEM}
    assert {*Calibration().confidence} <= {BIAS, *OF_ANSWER}


UNDERSTOOD = [
    # query, known, unknown, why
    ("red mug", "red mug", "", "both are in the dictionary"),
    ("Red  MUG", "red mug", "", "as normalised"),
    ("red mugs", "red mugs", "", "another spelling of a word of the dictionary"),
    ("mugs", "mugs", "", "alone, too"),
    ("red labubu", "red", "labubu", "nobody knows it, and it is not bound"),
    ("labubu", "", "labubu", "nothing is known"),
    ("labubu red", "red", "labubu", "the order is kept in each list"),
    ("thing", "thing", "", "the catalog has it, the dictionary does not"),
    ("things", "things", "", "an item has another spelling of it"),
    ("37", "37", "", "a number that an item carries"),
    ("number 37", "number 37", "", "words of descriptions"),
    ("number 9999", "number", "9999", "no item is so numbered"),
    ("numbers", "numbers", "", "folded"),
    ("3.7", "", "3.7", "a decimal number is one word, and another one than its parts"),
    ("usb c", "usb c", "", "two words of one surface"),
    ("usb-c", "usb c", "", "a hyphen parts words"),
    ("usb", "usb", "", "a part of a surface: items carry it"),
    ("acme bolt cobalt", "acme bolt cobalt", "", "three brands"),
    ("acmé", "acmé", "", "accents are folded"),
    ("acme's mug", "acmes mug", "", "an apostrophe between letters is none, and the ending is folded"),
    ("qwertyuiop", "", "qwertyuiop", "a run of keys"),
    ("mug qwertyuiop lamp", "mug lamp", "qwertyuiop", "between two known ones"),
    ("redlabubu", "", "redlabubu", "no compound in English"),
    ("red,mug;lamp", "red mug lamp", "", "punctuation parts words"),
    ("red_mug", "red mug", "", "so does an underscore"),
    ("кружка", "", "кружка", "another language"),
    ("red кружка", "red", "кружка", "in part"),
    ("拉布布", "", "拉布布", "a run of Chinese characters is one word"),
    ("mug拉布布", "mug", "拉布布", "and ends where another script begins"),
    ("for", "", "for", "a word that no item carries, however short"),
    ("mug for acme", "mug acme", "for", "likewise"),
    ("!!!", "", "", "no word at all"),
    ("🦄 mug", "mug", "", "a picture is no word"),
    ("mug mug", "mug mug", "", "each time that it stands there"),
    ("m u g", "m u g", "", "a word that is written apart"),
    ("blue red green", "blue red green", "", "three colours"),
]


@pytest.mark.parametrize(("query", "known", "unknown", "why"), UNDERSTOOD, ids=[row[0] for row in UNDERSTOOD])
def test_every_word_is_known_or_unknown(shop: Artifact, query: str, known: str, unknown: str, why: str) -> None:
    told = said(ask(shop, query))
    assert (told["known"], told["unknown"]) == (known.split(), unknown.split()), why
    assert (told["corrected"], told["filters"]) == ([], [])


BOUND = [
    ("labubu", "labubu", ""),
    ("red labubu", "red labubu", ""),
    ("labubu zorglub", "labubu", "zorglub"),
    ("labúbu", "labúbu", ""),
    ("labubus", "", "labubus"),
    ("xlabubu", "", "xlabubu"),
]


@pytest.mark.parametrize(("query", "known", "unknown"), BOUND)
def test_a_bound_word_is_known(shop: Artifact, query: str, known: str, unknown: str) -> None:
    told = said(ask(shop, query, labubu()))
    assert (told["known"], told["unknown"]) == (known.split(), unknown.split())


def test_a_rare_word_weighs_more_than_a_common_one_and_an_unknown_one_most(shop: Artifact) -> None:
    words = look_up(shop.kae.encode("mug 37 zorglub"), (), shop.catalog)
    common, rare, unknown = words.weights.tolist()
    assert 0 < common < rare < unknown == 1
