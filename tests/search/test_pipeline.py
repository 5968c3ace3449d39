"""The promises of "What a bound query means", against brute force over all items."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.catalog.inmemory import write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog
from slotbeam.decode.frontier import Opened
from slotbeam.errors import BindingError, FilterError, InputError
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Candidates
from slotbeam.search.groups import BaseGroup
from slotbeam.search.options import SearchOptions
from slotbeam.search.pipeline import retrieve
from slotbeam.search.rank import ItemScorer, rank_base
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Slot, Timings
from support.shop import BRANDS, COLORS, ENTITIES, make_shop

WORDS = ("labubu", "拉布布", "usb", "usb c", "red", "acme", "crocs", "red lamp")
NONE = np.zeros(0, np.int64)
NOTHING_OPENED = Opened(NONE, NONE, NONE, NONE, np.zeros(0), steps=0, decoded=0)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return make_shop(tmp_path_factory.mktemp("shop"), coarse=True, weight_lexical=2.0, weight_vector=0.01)


def ask(shop, query, bound=(), **request):
    snapshot = Snapshot(shop, build_overlay(shop, bound), revision=len(bound))
    return retrieve(snapshot, SearchRequest(query, **{"k": 1000, **request}), Timings())


def facts(answer):
    return [(hit.row, hit.score, hit.sid, hit.sid_logp) for hit in answer.hits]


def reserved(shop, position, n=0):
    return Slot(position, shop.kae.codebook.reserved(position)[n])


def bind(shop, words, ids, position=1, n=0, placement="top"):
    return Bound(f"b-{words[0]}", reserved(shop, position, n), tuple(words), tuple(ids), placement)


def score_of(shop, query_sid, row, query):
    """The item score by its definition, of one item alone."""
    overlap = float(shop.catalog.terms.read(query).overlap(np.array([row]))[0])
    close = float(shop.catalog.closeness(shop.model.query_vector(tuple(query_sid)), np.array([row]))[0])
    return 0.1 * float(shop.catalog.prior[row]) + 0.01 * close + 2.0 * overlap


queries = st.lists(st.sampled_from([*ENTITIES, *BRANDS, *COLORS, "labubu", "for", "new"]), min_size=1, max_size=5).map(
    " ".join
)
filters = st.sampled_from(
    [{}, {"department": "toys"}, {"price": {"gte": 20, "lt": 60}}, {"department": ["toys", "home"], "price": 7.0}]
)


@settings(max_examples=40)
@given(query=queries, wanted=filters)
def test_a_budget_of_the_whole_catalog_ranks_every_item_that_passes_the_filter_as_brute_force_does(shop, query, wanted):
    answer = ask(shop, query, filter=wanted)
    if set(query.split()) <= {"labubu", "for", "new"}:
        assert not answer.hits, "nothing of it is known"
        return
    catalog, expected = shop.catalog, []
    department, price = catalog.fields["department"], catalog.fields["price"]
    for row in range(len(catalog)):
        name, cost = department.keywords[int(department.values[row])], float(price.values[row])
        if "department" in wanted and name not in wanted["department"]:
            continue
        if isinstance(wanted.get("price"), dict) and not 20 <= cost < 60:
            continue
        if isinstance(wanted.get("price"), float) and cost != 7.0:
            continue
        score = score_of(shop, answer.encoded.sid, row, query)
        expected.append((-score, catalog.sid(row), catalog.ids[row]))
    assert [catalog.ids[hit.row] for hit in answer.hits] == [item for *_, item in sorted(expected)]


def test_a_narrow_beam_with_a_filter_still_finds_items_that_pass(shop):
    answer = ask(shop, "red mug", beam_width=2, k=5, filter={"price": {"gte": 90}})
    price = shop.catalog.fields["price"].values
    assert answer.hits
    assert all(price[hit.row] >= 90 for hit in answer.hits)


@settings(max_examples=60)
@given(query=queries, data=st.data())
def test_no_edit_changes_what_the_base_group_answers(shop, query, data):
    bound = [
        bind(shop, [word], [f"i{i:03d}" for i in data.draw(st.sets(st.integers(0, 59), max_size=6))], n=n)
        for n, word in enumerate(data.draw(st.lists(st.sampled_from(WORDS), unique=True, max_size=3)))
    ]
    before, after = ask(shop, query), ask(shop, query, bound)
    if not after.applied:
        assert facts(after) == facts(before)
    assert facts(ask(shop, query, bound, use_bindings=False)) == facts(before)
    brought = {hit.row for hit in after.hits if hit.source == "binding"}
    rest = [fact for fact in facts(before) if fact[0] not in brought]
    assert [fact for fact, hit in zip(facts(after), after.hits, strict=True) if hit.source == "model"] == rest


@settings(max_examples=60)
@given(st.sets(st.integers(0, 70), min_size=1, max_size=30), st.integers(1, 40), st.integers(0, 2), st.integers(1, 4))
def test_a_bound_word_brings_its_items_first_whatever_the_beam(shop, ids, k, position, width):
    names = [f"i{i:03d}" for i in ids]
    answer = ask(shop, "new labubu mug", [bind(shop, ["labubu"], names, position)], k=k, beam_width=width)
    held = {name for name in names if shop.catalog.row_of(name) is not None}
    first = answer.hits[: min(k, len(held))]
    assert all(hit.source == "binding" for hit in first)
    assert {shop.catalog.ids[hit.row] for hit in first} <= held
    assert len({hit.row for hit in answer.hits}) == len(answer.hits)
    assert [hit.score for hit in answer.hits] == sorted((hit.score for hit in answer.hits), reverse=True)


def test_the_bound_block_is_ordered_by_number_of_bindings_then_item_score_then_id(shop):
    one = bind(shop, ["labubu"], ["i001", "i002", "i003", "i004"])
    two = bind(shop, ["crocs"], ["i003", "i004", "i005"], position=0, n=1)
    answer = ask(shop, "labubu crocs red", [one, two])
    expected = []
    for name in ("i001", "i002", "i003", "i004", "i005"):
        row = shop.catalog.row_of(name)
        scores = []
        for bound in (one, two):
            if name in bound.item_ids:
                query_sid = list(answer.encoded.sid)
                query_sid[bound.slot.position] = bound.slot.index
                scores.append(score_of(shop, query_sid, row, "labubu crocs red"))
        expected.append((-len(scores), -max(scores), name))
    assert [shop.catalog.ids[hit.row] for hit in answer.hits[:5]] == [name for *_, name in sorted(expected)]


def test_only_answers_with_bound_items_alone_and_beats_top(shop):
    bound = [
        bind(shop, ["labubu"], ["i001", "i002"], placement="only"),
        bind(shop, ["crocs"], ["i003"], n=1, placement="top"),
    ]
    answer = ask(shop, "labubu crocs", bound)
    assert {shop.catalog.ids[hit.row] for hit in answer.hits} == {"i001", "i002", "i003"}


def test_blend_alternates_bound_and_base_ranks(shop):
    names = [shop.catalog.ids[hit.row] for hit in ask(shop, "red mug").hits[-3:]]
    answer = ask(shop, "labubu red mug", [bind(shop, ["labubu"], names, placement="blend")])
    assert [hit.source for hit in answer.hits[:6]] == ["binding", "model"] * 3


def test_a_bound_item_that_the_base_has_further_ahead_is_told_as_bound(shop):
    names = [shop.catalog.ids[hit.row] for hit in ask(shop, "red mug").hits[:9]]
    answer = ask(shop, "labubu red mug", [bind(shop, ["labubu"], names, placement="blend")], explain=True, k=20)
    told = {shop.catalog.ids[hit.row]: hit for hit in answer.hits}
    assert {name for name, hit in told.items() if hit.source == "binding"} == set(names)
    for name, why in zip(told, answer.facts["brought_by"], strict=True):
        assert ("bindings" in why) == (name in names)


def test_bound_words_are_matched_apart_from_base_words(shop):
    answer = ask(shop, "usb cable", [bind(shop, ["usb"], ["i001"])])
    assert [(a.word, a.span) for a in answer.applied] == [("usb", (0, 3))]
    assert [match.surface for match in answer.encoded.matches] == []
    both = ask(shop, "usb c cable", [bind(shop, ["usb"], ["i001"])])
    assert [a.word for a in both.applied] == ["usb"]
    assert [match.surface for match in both.encoded.matches] == ["usb c"]


def test_a_chinese_bound_word_is_found_inside_a_sentence(shop):
    answer = ask(shop, "新款拉布布挂件", [bind(shop, ["拉布布"], ["i007"])])
    assert shop.catalog.ids[answer.hits[0].row] == "i007"


def test_a_bound_word_does_not_match_inside_another_word(shop):
    assert ask(shop, "labubus", [bind(shop, ["labubu"], ["i001"])]).applied == ()


def test_at_most_four_bindings_of_a_query_are_decoded_the_earliest_ones(shop):
    words = ("one", "two", "three", "four", "five")
    bound = [bind(shop, [w], [f"i{n:03d}"], position=n % 3, n=n // 3) for n, w in enumerate(words)]
    assert [a.word for a in ask(shop, "five four three two one", bound).applied] == ["five", "four", "three", "two"]


def test_a_bound_word_overrides_the_base_words_it_overlaps_inside_its_group_alone(shop):
    answer = ask(shop, "red lamp", [bind(shop, ["red lamp"], ["i001"])], explain=True)
    assert answer.encoded.sid == ask(shop, "red lamp").encoded.sid
    assert [word["word"] for word in answer.facts["overridden"]["b-red lamp"]] == ["red", "lamp"]


def test_the_bound_block_ignores_the_cap_on_items_of_one_sid(tmp_path):
    shop = make_shop(tmp_path, items_per_sid=1, lexical_candidates=0)
    names = [shop.catalog.ids[row] for row in range(20)]
    answer = ask(shop, "labubu", [bind(shop, ["labubu"], names)], k=20)
    assert sorted(shop.catalog.ids[hit.row] for hit in answer.hits) == sorted(names)
    base = ask(shop, "mug", beam_width=1000)
    assert len({hit.sid for hit in base.hits}) == len(base.hits) == shop.trie.n_leaves


def test_the_first_items_of_a_sid_are_its_most_popular_that_pass_the_filter(tmp_path):
    shop = make_shop(tmp_path, items_per_sid=1, lexical_candidates=0)
    wanted = {"department": "toys"}
    passing = shop.catalog.passing(wanted)
    hits = ask(shop, "mug", filter=wanted, beam_width=1000).hits
    assert hits
    for hit in hits:
        leaf = np.searchsorted(shop.catalog.leaf_items, hit.row, side="right") - 1
        assert hit.row == passing.rows(shop.catalog.leaf_items[[leaf]], shop.catalog.leaf_items[[leaf + 1]])[0]


def test_items_that_say_the_same_rank_by_sid_then_id(tmp_path):
    """What tells them apart is in no order; only an exact score lets ids decide, wherever they stand in the batch."""
    names = [f"i{number * 37 % 67:03d}" for number in range(67)]
    items = [Item(name, "red mug") for name in names]
    sids = np.array([[1 + int(name[1:]) % 2, 1, 1] for name in names])
    vectors = np.tile(np.random.default_rng(1).integers(-127, 128, 48), (67, 1)).astype(np.int8)
    kinds = write_catalog(tmp_path, items, sids, vectors=vectors)
    catalog = Catalog.load(tmp_path, kinds)
    scorer = ItemScorer(catalog, SearchOptions(weight_vector=1.0, weight_lexical=1.0), catalog.terms.read("red mug"))
    places = np.random.default_rng(2).permutation(67)
    for vector in np.random.default_rng(3).normal(size=(9, 48)).astype(np.float32):
        base = BaseGroup(vector, NOTHING_OPENED, NONE, NONE, Candidates(places))
        hits = rank_base(scorer, base, 67)
        found = [catalog.ids[hit.row] for hit in hits]
        assert found == sorted(names, key=lambda name: (int(name[1:]) % 2, name))


@settings(max_examples=30)
@given(query=queries, wanted=filters, budget=st.integers(1, 60), step=st.integers(0, 10))
def test_an_answer_holds_what_was_opened_and_what_its_words_bring_and_explain_says_which(
    shop, query, wanted, budget, step
):
    narrow = replace(shop, options=replace(shop.options, scan_budget=budget, step_rows=step, lexical_candidates=3))
    answer = ask(narrow, f"{query} mug", filter=wanted, explain=True)
    [base] = answer.facts["groups"]
    passing = shop.catalog.passing(wanted)
    count = int(passing.count(np.array([0]), np.array([len(shop.catalog)]))[0])
    assert len(answer.hits) == base["candidates"] <= count
    assert base["candidates"] >= min(budget, count)
    for hit, why in zip(answer.hits, answer.facts["brought_by"], strict=True):
        assert passing.holds(np.array([hit.row])).all()
        if why["range"] is None:
            assert why["words"]
        elif why["range"] < len(base["ranges"]):
            prefix = base["ranges"][why["range"]]["prefix"]
            assert [step["slot"] for step in prefix] == [
                str(Slot(position, hit.sid[position])) for position in range(len(prefix))
            ]


def test_a_word_that_the_dictionary_does_not_know_still_brings_the_items_that_carry_it(tmp_path):
    """The items' descriptions number them, which no slot does; a budget of one would miss nearly all."""
    shop = make_shop(tmp_path, n=60, scan_budget=1, step_rows=0, lexical_candidates=5)
    assert not shop.kae.knows("37")
    (row,) = (row for row in range(60) if shop.catalog.ids[row] == "i037")
    assert row in {hit.row for hit in ask(shop, "37", k=3).hits}
    decoded = {hit.row: hit for hit in ask(shop, "37", beam_width=1).hits}
    bare = replace(shop, options=replace(shop.options, lexical_candidates=0))
    assert row not in {hit.row for hit in ask(bare, "37").hits}
    if row not in {hit.row for hit in ask(bare, "37", beam_width=1).hits}:
        assert decoded[row].sid_logp is None, "no beam brought it"
    priced = ask(shop, "37", k=60, filter={"price": {"gte": 200}})
    assert not priced.hits, "words bring no item that the filter leaves out"


@given(st.sets(st.integers(0, 30), max_size=12), st.lists(st.integers(0, 30), max_size=12, unique=True))
def test_joined_candidates_are_distinct_and_the_new_ones_stand_behind(held, places):
    places_held = np.array(sorted(held), np.int64)
    joined = Candidates(places_held, -np.arange(len(places_held), dtype=float)).joined(np.array(places, np.int64))
    assert joined.logp is not None
    new = [place for place in places if place not in held]
    assert joined.places.tolist() == [*sorted(held), *new]
    assert np.isnan(joined.logp).tolist() == [False] * len(held) + [True] * len(new)


def test_items_of_two_large_bindings_come_first_although_neither_budget_reached_them(tmp_path):
    shop = make_shop(tmp_path, n=200, scan_budget=4, step_rows=0)
    ids = list(shop.catalog.ids)
    both = {ids[3], ids[77], ids[150]}
    bound = [
        bind(shop, ["labubu"], {*ids[:100], *both}, position=1),
        bind(shop, ["crocs"], {*ids[100:], *both}, position=2),
    ]
    hits = ask(shop, "labubu crocs", bound, k=4).hits
    assert {ids[hit.row] for hit in hits[:3]} == both
    assert all(len(hit.bindings) == 2 for hit in hits[:3])


def test_an_unchanged_binding_is_not_compiled_again(shop):
    bound = [bind(shop, ["labubu"], ["i001"]), bind(shop, ["crocs"], ["i002"], n=1)]
    first = build_overlay(shop, bound)
    second = build_overlay(shop, [bound[0], bind(shop, ["crocs"], ["i003"], n=1)], first)
    assert second.pinned[0] is first.pinned[0]
    assert second.pinned[1] is not first.pinned[1]


def test_bound_items_that_the_catalog_does_not_hold_are_skipped_and_reported(shop):
    overlay = build_overlay(shop, [bind(shop, ["labubu"], ["i001", "nowhere", "i001"])])
    assert overlay.pinned[0].missing == ("nowhere",)
    assert len(overlay.pinned[0].rows) == 1


def test_a_binding_without_items_answers_as_the_base_does(shop):
    empty = bind(shop, ["labubu"], ["nowhere"])
    assert facts(ask(shop, "labubu mug", [empty])) == facts(ask(shop, "labubu mug"))


@pytest.mark.parametrize(
    ("bound", "message"),
    [
        ([Bound("b", Slot(1, 1), ("x",), ())], "1-1 is not a reserved slot"),
        ([Bound("b", Slot(9, 1), ("x",), ())], "9-1 is not a reserved slot"),
        ([Bound("b", Slot(1, 4), (), ())], "has no word"),
        ([Bound("b", Slot(1, 4), ("x",), (), "middle")], "allowed: only, top, blend"),
        ([Bound("b", Slot(1, 4), ("x",), ()), Bound("c", Slot(1, 4), ("y",), ())], "a slot holds one binding"),
        ([Bound("b", Slot(1, 4), ("x",), ()), Bound("c", Slot(1, 5), ("x",), ())], "a word has one binding"),
    ],
)
def test_a_binding_that_cannot_be_compiled_is_refused(shop, bound, message):
    with pytest.raises(BindingError, match=message):
        build_overlay(shop, bound)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"size": 3}, "allowed: department, price"),
        ({"department": 3}, "filter.department is a number; it is a keyword field: give a string"),
        ({"price": "cheap"}, "filter.price is a string; it is a number field"),
        ({"price": {"above": 3}}, "allowed: gte, gt, lte, lt"),
        ({"price": {"gte": "3"}}, "filter.price.gte is a string; give a number"),
        ({"department": {"gte": 3}}, "bounds are for numbers"),
        ({"department": []}, "is an empty list"),
        ({"price": True}, "filter.price is a boolean"),
    ],
)
def test_a_filter_that_does_not_fit_is_refused_with_what_is_allowed(shop, wanted, message):
    with pytest.raises(FilterError, match=message):
        ask(shop, "mug", filter=wanted)


@pytest.mark.parametrize("query", ["", "   ", "\u200b\u200b"])
def test_a_query_of_nothing_is_refused(shop, query):
    with pytest.raises(InputError, match="no visible character"):
        ask(shop, query)


def test_the_length_of_a_query_is_checked_after_normalisation(shop):
    with pytest.raises(InputError, match="characters after normalisation"):
        ask(shop, "\ufdfa" * 256)


def test_items_of_the_history_change_the_input_and_unknown_ones_do_not(shop):
    plain = facts(ask(shop, "mug"))
    assert facts(ask(shop, "mug", recent_item_ids=("nowhere",))) == plain
    assert facts(ask(shop, "mug", recent_item_ids=("i001",))) != plain


def test_a_query_that_is_canonical_already_is_answered_as_the_one_that_was_typed(shop):
    bound = [bind(shop, ["labubu"], ["i003"])]
    typed = ask(shop, "Ｌabubu  RED mugs", bound, recent_queries=("Blue  LAMP",))
    canonical = ask(shop, "labubu red mugs", bound, recent_queries=("blue lamp",), normalised=True)
    assert canonical == typed
    assert [applied.slot for applied in typed.applied] == [bound[0].slot]


def test_earlier_queries_reach_the_model_in_canonical_form(tiny_artifact):
    artifact = Artifact.load(tiny_artifact)
    for earlier in ("Red MUGS", "red   mugs", "ｒｅｄ mugs"):
        hits = retrieve(Snapshot(artifact), SearchRequest("lamp", recent_queries=(earlier,)), Timings()).hits
        assert hits == retrieve(Snapshot(artifact), SearchRequest("lamp", recent_queries=("red mugs",)), Timings()).hits
