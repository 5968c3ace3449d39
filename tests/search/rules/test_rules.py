"""Rules keep what they promise whatever a request asks: properties of whole answers, against plain models of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.catalog.filters import read_filter
from slotbeam.kae.matcher import Matcher
from slotbeam.search.artifact import Artifact
from slotbeam.search.paging import Shown
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import MAX_K, Answer, SearchRequest, SortKey
from slotbeam.search.rules.matching import Rules
from slotbeam.search.rules.rule import Rule, Trigger, Weighted
from slotbeam.search.snapshot import EMPTY_OVERLAY, Overlay, Snapshot
from slotbeam.types import Slot, Timings
from support.cases import CASES
from support.shop import make_kae, make_shop

ITEMS = 120
WORDS = ("mug", "red", "zorglub", "labubu", "red mug", "mugs", "gift set")
QUERY = (*WORDS, "lamp", "bolt", "for", "12")
FILTERS: tuple[dict[str, Any], ...] = ({"department": "toys"}, {"price": {"gte": 50}}, {"price": 1000.0})
IDS = st.integers(0, ITEMS + 3).map(lambda number: f"i{number:03d}")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"), ITEMS, weight_lexical=2.0, coarse=True)


@dataclass(frozen=True)
class Case:
    """What is asked, and beside which rules and bindings."""

    query: str
    rules: tuple[Rule, ...]
    bound: tuple[Bound, ...]
    request: dict[str, Any]


@st.composite
def rule(draw: st.DrawFn, number: int, rewriting: bool) -> Rule:
    words = tuple(draw(st.lists(st.sampled_from(WORDS), max_size=2, unique=True)))
    said: dict[str, Any] = {
        "positions": tuple(draw(st.lists(IDS, max_size=4, unique=True))),
        "hide": tuple(draw(st.lists(IDS, max_size=6))),
        "when": draw(st.sampled_from([None, None, *FILTERS])),
        "unless": tuple(draw(st.lists(st.sampled_from(["bolt", "lamp", "reds"]), max_size=1))),
        "trigger": draw(st.sampled_from([Trigger.CONTAINS, Trigger.CONTAINS, Trigger.WHOLE])),
    }
    if draw(st.booleans()):
        said["boost"] = (Weighted(draw(st.sampled_from(FILTERS)), 1.5),)
    if draw(st.booleans()):
        said["bury"] = (Weighted(draw(st.sampled_from(FILTERS)), 0.5),)
    if rewriting and words:
        kind = draw(st.sampled_from(["replace", "filter", "alias", ""]))
        if kind == "replace":
            said["replace"] = "blue lamp"
        elif kind == "filter":
            said["filter"] = FILTERS[0]
        elif kind == "alias":
            said |= {"alias": "chair", "two_way": draw(st.booleans())}
    return Rule(id=f"r{number}", words=words, created_at=draw(st.integers(0, 2)), **said)


@st.composite
def cases(draw: st.DrawFn, rewriting: bool = True) -> Case:
    query = " ".join(draw(st.lists(st.sampled_from(QUERY), min_size=1, max_size=4)))
    rules = tuple(draw(rule(number, rewriting)) for number in range(draw(st.integers(0, 4))))
    bound: tuple[Bound, ...] = ()
    if draw(st.booleans()):
        slot = Slot(1, make_kae().codebook.reserved(1)[0])
        items = tuple(sorted(draw(st.sets(IDS, min_size=1, max_size=20))))
        bound = (Bound("b0", slot, ("labubu",), items, draw(st.sampled_from(["top", "blend", "only"]))),)
    request = {
        "filter": draw(st.sampled_from([{}, {}, *FILTERS])),
        "exclude_ids": tuple(draw(st.lists(IDS, max_size=2))),
        "recent_item_ids": tuple(draw(st.lists(IDS, max_size=2))),
        "beam_width": draw(st.sampled_from([None, None, 8])),
        "collapse": draw(st.sampled_from([None, None, "price"])),
        "sort": draw(st.sampled_from([(), (), (SortKey("price"),)])),
        "min_relevance": draw(st.sampled_from([0.0, 0.0, 0.5])),
    }
    return Case(query, rules, bound, request)


def ask(shop: Artifact, case: Case, rules: Sequence[Rule] | None = None, **request: Any) -> Answer:
    overlay = replace(build_overlay(shop, case.bound), rules=Rules.of(shop, case.rules if rules is None else rules))
    return retrieve(Snapshot(shop, overlay), SearchRequest(case.query, **{**case.request, **request}), Timings())


def triggered(shop: Artifact, rule: Rule, query: str) -> tuple[int, int, int, str] | None:
    """Where a rule goes among those that a query triggers; None where it does not: by a matcher of its own."""

    def find(words: Sequence[str], text: str) -> list[tuple[int, int]]:
        return [(start, end) for start, end, _ in Matcher(words, shop.folding).find(text)]

    if rule.unless and find(rule.unless, query):
        return None
    if not rule.words:
        return MAX_K, 0, 0, rule.id
    words = [*rule.words, rule.alias] if rule.two_way else rule.words
    spans = [span for span in find(words, query) if rule.trigger == "contains" or span == (0, len(query))]
    return (spans[0][0], -spans[0][1], rule.created_at, rule.id) if spans else None


def passes(shop: Artifact, item: str, *filters: Any) -> bool:
    row = shop.catalog.row_of(item)
    return row is not None and all(bool(read_filter(shop.catalog.fields, each)()[row]) for each in filters if each)


@settings(max_examples=max(100, CASES // 10))
@given(case=cases(rewriting=False), k=st.integers(1, 40))
def test_hidden_items_are_nowhere_and_positioned_ones_come_first_in_order(shop: Artifact, case: Case, k: int) -> None:
    """Whatever is filtered, sorted, collapsed, excluded or bound, and whatever other rules say."""
    turns = sorted((turn, rule.id) for rule in case.rules if (turn := triggered(shop, rule, case.query)))
    by_id = {rule.id: rule for rule in case.rules}
    applied = [by_id[rule_id] for _, rule_id in turns]
    # A rule for every query goes behind the others, as they were given.
    applied = [r for r in applied if r.words] + [r for r in case.rules if r in applied and not r.words]
    answer = ask(shop, case, k=k)
    assert [each.rule.id for each in answer.reading.rules.each] == [rule.id for rule in applied]

    hidden = {item for rule in applied for item in rule.hide} | set(case.request["exclude_ids"])
    first = dict.fromkeys(
        item
        for rule in applied
        for item in rule.positions
        if item not in hidden and passes(shop, item, case.request["filter"], rule.when)
    )
    wanted = list(first)
    if case.request["collapse"]:
        price, seen = shop.catalog.fields["price"], set[float]()
        rows = {item: shop.catalog.rows_of([item])[0][0] for item in wanted}
        values = {item: float(price.values[row]) for item, row in rows.items()}
        wanted = [item for item in wanted if not (values[item] in seen or seen.add(values[item]))]  # type: ignore[func-returns-value]
    shown = [shop.catalog.ids[hit.row] for hit in answer.hits]
    assert not hidden & set(shown)
    assert shown[: len(wanted)] == wanted[:k]
    assert [hit.source for hit in answer.hits][: len(wanted)] == ["rule"] * min(k, len(wanted))
    assert len(set(shown)) == len(shown)
    if not case.request["sort"]:
        assert [hit.score for hit in answer.hits] == sorted((hit.score for hit in answer.hits), reverse=True)


@settings(max_examples=max(100, CASES // 10))
@given(case=cases())
def test_a_smaller_answer_is_the_beginning_of_a_larger_one_with_rules_too(shop: Artifact, case: Case) -> None:
    whole = ask(shop, case, k=MAX_K)
    for k in (1, 3, 11):
        answer = ask(shop, case, k=k)
        assert answer.hits == whole.hits[:k]
        assert answer.confidence == whole.confidence


@settings(max_examples=max(50, CASES // 20))
@given(case=cases(), k=st.integers(1, 9))
def test_pages_with_rules_are_the_answer_cut_in_pieces(shop: Artifact, case: Case, k: int) -> None:
    whole = [hit.row for hit in ask(shop, case, k=40).hits]
    shown, rows = Shown(), list[int]()
    for _ in range(3):
        answer = ask(shop, case, k=k, shown=shown)
        assert answer.page is not None
        shown = answer.page.shown
        rows += [hit.row for hit in answer.hits]
    assert rows == whole[: 3 * k]


@settings(max_examples=max(100, CASES // 10))
@given(case=cases(), k=st.integers(1, 40))
def test_a_query_that_triggers_no_rule_is_answered_to_the_last_bit_as_if_there_were_none(
    shop: Artifact, case: Case, k: int
) -> None:
    quiet = [rule for rule in case.rules if rule.words and triggered(shop, rule, case.query) is None]
    assert ask(shop, case, quiet, k=k) == ask(shop, case, (), k=k)
    off = replace(case, bound=())
    assert ask(shop, off, use_bindings=False, k=k) == ask(shop, off, (), use_bindings=False, k=k)


def answer_of(shop: Artifact, query: str, *rules: Rule, **request: Any) -> Answer:
    overlay = Overlay(rules=Rules.of(shop, rules)) if rules else EMPTY_OVERLAY
    return retrieve(Snapshot(shop, overlay), SearchRequest(query, **request), Timings())


@pytest.mark.parametrize("query", ["{}", "red {}", "a {} for 12", "{} {}", "{}!"])
def test_an_alias_is_answered_as_the_word_of_the_dictionary(shop: Artifact, query: str) -> None:
    alias = Rule(id="r", words=("xaqua",), alias="mug")
    typed = query.replace("{}", "xaqua")
    answer, meant = answer_of(shop, typed, alias), answer_of(shop, query.replace("{}", "mug"))
    assert answer.hits == meant.hits
    assert answer.encoded == meant.encoded
    assert [(one.word, typed[slice(*(one.span or ()))]) for one in answer.reading.rules.each] == [("xaqua", "xaqua")]
    assert answer_of(shop, typed).hits != meant.hits


def test_an_alias_keeps_its_own_terms_and_two_ways_gives_them_to_the_word(shop: Artifact) -> None:
    """`number` stands in every description and in no title."""
    alias = Rule(id="r", words=("number",), alias="mug")
    one_way, two_ways = answer_of(shop, "mug", alias), answer_of(shop, "mug", replace(alias, two_way=True))
    assert one_way == answer_of(shop, "mug")
    terms = set(shop.catalog.terms.read("mug number", two_ways.encoded.concept_terms).known.tolist())
    assert set(two_ways.words.terms.known.tolist()) == terms
    assert set(answer_of(shop, "number", alias).words.terms.known.tolist()) == terms


def test_a_word_is_replaced_once_and_the_rest_is_read_of_the_result(shop: Artifact) -> None:
    rules = (
        Rule(id="a", words=("zorglub",), replace="red mug"),
        Rule(id="b", words=("red mug",), replace="lamp", created_at=1),
        Rule(id="c", words=("mug",), positions=("i007",), created_at=1),
    )
    answer = answer_of(shop, "big zorglub 12", *rules)
    assert answer.encoded.text == "big red mug 12"
    assert [(one.rule.id, one.word, one.span) for one in answer.reading.rules.each] == [
        ("a", "zorglub", (4, 11)),
        ("c", "mug", (4, 11)),
    ]
    assert shop.catalog.ids[answer.hits[0].row] == "i007"
    assert answer.hits == answer_of(shop, "big red mug 12", rules[2]).hits
    assert (
        answer_of(shop, "z" * 248 + " zorglub", replace(rules[0], replace="bright red mug")).reading.rules.replaced
        is None
    )  # longer than a query may be


def test_a_word_that_is_a_filter_leaves_the_text_and_alone_it_brings_what_passes(shop: Artifact) -> None:
    toys = Rule(id="t", words=("zorglub",), filter={"department": "toys"})
    answer = answer_of(shop, "red zorglub mug", toys)
    assert answer.hits == answer_of(shop, "red mug", filter={"department": "toys"}).hits
    alone = [shop.catalog.ids[hit.row] for hit in answer_of(shop, "zorglub", toys, k=MAX_K).hits]
    assert sorted(alone) == [f"i{n:03d}" for n in range(ITEMS) if passes(shop, f"i{n:03d}", {"department": "toys"})]


def test_of_a_whole_query_nothing_else_may_be_said(shop: Artifact) -> None:
    whole = Rule(id="r", words=("mug",), trigger=Trigger.WHOLE, hide=("i001",))
    fired = {
        query: bool(answer_of(shop, query, whole).reading.rules) for query in ("mug", "mugs!", "mug 1", "mug -red")
    }
    assert fired == {"mug": True, "mugs!": True, "mug 1": False, "mug -red": False}


def test_what_is_not_wanted_triggers_nothing(shop: Artifact) -> None:
    hide = Rule(id="r", words=("red",), hide=("i001",))
    assert not answer_of(shop, "mug -red", hide).reading.rules
    assert answer_of(shop, "mug red", hide).reading.rules
