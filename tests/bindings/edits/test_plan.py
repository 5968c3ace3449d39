"""Edits planned in full before anything is written."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from slotbeam.bindings.binding import MAX_ITEMS, state_digest
from slotbeam.bindings.edits.checks import check_slot, check_times
from slotbeam.bindings.edits.plan import Change, Edit, make_plan
from slotbeam.bindings.edits.wanted import Resolved, Wanted, bind, find, resolve_items, update
from slotbeam.bindings.held import refuse_twins
from slotbeam.bindings.listing import first_free
from slotbeam.bindings.words import canonical_words, mixes_scripts
from slotbeam.errors import (
    BindingError,
    InputError,
    NoFreeSlot,
    NotFound,
    PreconditionRequired,
    SlotTaken,
    Stale,
    WordTaken,
)
from slotbeam.kae.matcher import Matcher
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot
from support.lexical import ENGLISH
from support.live import NOW, make_binding, make_listing

S4, S5, S6, S7 = (Slot(1, index) for index in (4, 5, 6, 7))


def wanted(shop: Artifact, *words: str, **fields: Any) -> Wanted:
    items = resolve_items(shop, words, ["i001"], False)
    return Wanted(words=words, category="brand", items=items.list, **fields)


def test_the_plan_knows_the_state_after_it() -> None:
    old, new = make_binding("crocs", revision=1), make_binding("labubu")
    listing = make_listing({S4: old}, revision=8)
    plan = make_plan(listing, Change("bind", (Edit(None, new, S5),)), "k", "f")
    stamped = replace(new, revision=9)
    assert plan.revision == 9
    assert plan.fields["state"] == state_digest({old.id: old.record(), stamped.id: stamped.record()})
    assert plan.fields["words_put"] == [("labubu", new.id)]
    assert plan.fields["slots_put"] == [("1-5", new.id)]
    assert plan.needs == (new.items,)


def test_unbinding_frees_slot_words_and_an_item_list_that_nobody_else_uses() -> None:
    gone, twin = make_binding("crocs", ids=["a"]), make_binding("labubu", ids=["a"])
    alone = make_plan(make_listing({S4: gone}), Change("unbind", (Edit(gone, None),)), "k", "")
    assert alone.fields["del"] == [gone.id]
    assert alone.fields["words_del"] == ["crocs"]
    assert alone.fields["slots_del"] == ["1-4"]
    assert alone.drops == (gone.items,)
    shared = make_plan(make_listing({S4: gone, S5: twin}), Change("unbind", (Edit(gone, None),)), "k", "")
    assert shared.drops == ()


def test_one_commit_may_move_a_word_from_one_binding_to_another() -> None:
    a, b = make_binding("crocs", "clogs"), make_binding("labubu")
    edits = (Edit(a, replace(a, words=("crocs",)), S4), Edit(b, replace(b, words=("labubu", "clogs")), S5))
    plan = make_plan(make_listing({S4: a, S5: b}), Change("update", edits), "k", "")
    words_put = plan.fields["words_put"]
    assert isinstance(words_put, list)
    assert ("clogs", b.id) in words_put
    assert plan.fields["words_del"] == []


def test_a_taken_word_or_slot_names_its_holder() -> None:
    held = make_binding("crocs", revision=41)
    listing = make_listing({S4: held}, revision=50)
    with pytest.raises(WordTaken, match=r'"crocs" is bound on slot 1-4 .*revision 41') as word:
        make_plan(listing, Change("bind", (Edit(None, make_binding("crocs"), S5),)), "k", "")
    life = {"revision": 41, "state": "active", "ends_at": None, "kept_until": None}
    assert word.value.details["holder"] == {"binding": held.id, "slot": "1-4", **life}
    with pytest.raises(SlotTaken, match=r'slot 1-4 is bound to "crocs" \(revision 41\)'):
        make_plan(listing, Change("bind", (Edit(None, make_binding("labubu"), S4),)), "k", "")


def test_a_draft_holds_neither_slot_nor_words() -> None:
    draft = make_binding("crocs", draft=True)
    listing = make_listing({S4: make_binding("crocs")}, unplaced=[])
    plan = make_plan(listing, Change("bind", (Edit(None, draft),)), "k", "")
    assert plan.fields["words_put"] == plan.fields["slots_put"] == []
    both = make_listing({S4: make_binding("crocs")}, unplaced=[draft])
    assert both.words["crocs"] != draft.id


def test_a_change_planned_on_another_listing_is_a_bug() -> None:
    known = make_binding("crocs", revision=1)
    with pytest.raises(ValueError, match="This is a bug"):
        make_plan(make_listing({S4: known}), Change("unbind", (Edit(replace(known, revision=2), None),)), "k", "")


def test_a_slot_that_names_a_binding_that_is_gone_is_free() -> None:
    listing = make_listing({})
    dangling = replace(listing, slots={"1-4": "b_gone", "nonsense": "b_gone"})
    assert first_free(dangling, 1, range(4, 8), "brand") == S4


def test_no_free_slot_names_the_three_best_to_reclaim() -> None:
    held = {
        S4: make_binding("forever", revision=9),
        S5: make_binding("later", ends_at=NOW + 9, revision=1),
        S6: make_binding("over", ends_at=NOW - 9, revision=8),
        S7: make_binding("old", revision=2),
    }
    over, later = r'1-6 \("over", kept until 2027-01-15T08:01:59.991Z\)', r'1-5 \("later", kept until [0-9T:.-]+Z\)'
    with pytest.raises(NoFreeSlot, match=rf'all 4 .*{over}, {later}, 1-7 \("old"\)$') as error:
        first_free(make_listing(held), 1, range(4, 8), "brand")
    assert [r["slot"] for r in error.value.details["reclaim"]] == ["1-6", "1-5", "1-7"]


def test_words_become_canonical_and_twins_collapse() -> None:
    assert canonical_words(["Labubu", "ＬＡＢＵＢＵ", " la\u200bbubu ", "拉布布", "Men’s"]) == (
        "labubu",
        "拉布布",
        "mens",
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "no word"),
        ([""], "no visible character"),
        (["\u200b\u200c"], "no visible character"),
        (["™"], "no visible character"),
        (["—"], "no letter, digit or symbol"),
        (["+"], "no letter, digit or symbol"),
        (["¿?"], "no letter, digit or symbol"),
        (["x" * 65], "65 characters"),
        (["ﷺ" * 20], "characters in canonical form"),
        (["a" * 5000], "5000 characters"),
        (["lаbubu"], "mixes Cyrillic and Latin"),
        (["w"] * 33, "33 words"),
        (["\ud800"], "lone surrogate"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_word_that_no_query_could_hold_or_that_hides_another_is_refused(words: list[str], why: str) -> None:
    with pytest.raises(InputError, match=why):
        canonical_words(words)


def test_every_symbol_that_can_be_bound_is_found_in_a_query_that_holds_it() -> None:
    """And every one that no query could hold is refused for that reason."""
    symbols = [c for c in map(chr, range(0x80, 0x110000)) if unicodedata.category(c)[0] == "S"]
    assert len(symbols) > 7000
    bound: dict[str, str] = {}
    refused: dict[str, str] = {}
    for symbol in symbols:
        try:
            [bound[symbol]] = canonical_words([symbol])
        except BindingError as error:
            refused[symbol] = str(error)
    assert len(bound) > len(symbols) - 100
    for symbol, why in refused.items():
        assert ("no visible character" in why) == (normalize(symbol) == "")
    for symbol, word in bound.items():
        query = normalize(f"red {symbol}\ufe0f mug")
        assert [query[start:end] for start, end, _ in Matcher([word]).find(query)] == [word]


def test_whole_words_of_one_script_are_fine() -> None:
    assert not mixes_scripts("лабубу")
    assert not mixes_scripts("iphone чехол")
    assert not mixes_scripts("5μm")
    assert mixes_scripts("iрhone")


def test_a_word_that_only_looks_like_a_bound_one_is_taken() -> None:
    cocoa = make_binding("cocoa")
    listing = make_listing({S4: cocoa})
    with pytest.raises(WordTaken, match='"сосоа" looks like "cocoa"'):
        refuse_twins(ENGLISH, listing, make_binding("сосоа"), None, NOW)
    refuse_twins(ENGLISH, listing, make_binding("сосоа"), cocoa, NOW)
    refuse_twins(ENGLISH, listing, make_binding("cacao"), None, NOW)


def test_a_slot_that_nothing_may_be_bound_to_is_refused_with_the_range(shop: Artifact) -> None:
    bindable = shop.kae.codebook.bindable(1)
    for index in (bindable.start, shop.kae.codebook.reserved(1).stop, bindable.stop - 1):
        check_slot(shop, Slot(1, index), "brand")
    for slot in (Slot(1, 0), Slot(1, 1), Slot(1, bindable.stop), Slot(0, bindable.start)):
        with pytest.raises(BindingError, match=f"1-{bindable.start} to 1-{bindable.stop - 1}"):
            check_slot(shop, slot, "brand")
    with pytest.raises(BindingError, match="positions are 0 to 2"):
        check_slot(shop, Slot(9, 1))


@pytest.mark.parametrize(
    ("starts", "ends", "why"),
    [
        (None, NOW - 1, "in the past"),
        (NOW + 5, NOW + 5, "not after"),
        (None, NOW + 10 * 366 * 86_400_000, "five years"),
        (NOW + 10 * 366 * 86_400_000, None, "five years"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(starts: int | None, ends: int | None, why: str) -> None:
    with pytest.raises(BindingError, match=why):
        check_times(starts, ends, NOW)
    check_times(NOW - 5, NOW + 5, NOW)


def test_items_are_looked_up_and_matched_as_whole_words(shop: Artifact) -> None:
    found = resolve_items(shop, ["red"], ["i001", "nope", "i001"], True)
    titles = {shop.catalog.ids[row]: shop.catalog.titles[row].split() for row in range(len(shop.catalog))}
    red = {key for key, title in titles.items() if "red" in title}
    assert set(found.ids) == red | {"i001", "nope"}
    assert found.missing == ("nope",)
    assert found.matched == len(red)


def test_a_binding_without_a_single_known_item_is_refused(shop: Artifact) -> None:
    with pytest.raises(BindingError, match="none of the 2 item ids"):
        resolve_items(shop, ["labubu"], ["x", "y"], False)
    with pytest.raises(BindingError, match="no item's text holds"):
        resolve_items(shop, ["labubu"], [], True)
    with pytest.raises(BindingError, match="no item was named"):
        resolve_items(shop, ["labubu"], [], False)


def test_too_many_items_are_refused_with_the_count(shop: Artifact) -> None:
    ids = [f"n{number}" for number in range(MAX_ITEMS)]
    with pytest.raises(BindingError, match=rf"\d+ items would be bound; a binding takes at most {MAX_ITEMS}") as error:
        resolve_items(shop, ["red"], ids, True)
    assert error.value.details["count"] > MAX_ITEMS


def test_binding_takes_the_first_free_slot_of_the_category(shop: Artifact) -> None:
    first = shop.kae.codebook.reserved(1).start
    change = bind(shop, wanted(shop, "labubu"), "ann", NOW)(make_listing({Slot(1, first): make_binding("crocs")}))
    [edit] = change.edits
    assert edit.slot == Slot(1, first + 1)
    assert edit.after is not None
    assert edit.after.created_at == NOW
    assert change.actor == "ann"


def test_an_update_needs_the_etag_that_is_current(shop: Artifact) -> None:
    held = make_binding("crocs", revision=4)
    listing = make_listing({S4: held})
    for tag, error in ((None, PreconditionRequired), ('"b_x.1"', Stale), ('W/"x"', Stale)):
        with pytest.raises(error):
            update(shop, "1-4", tag, lambda before: wanted(shop, "crocs"), "ann", NOW)(listing)
    for tag in (held.etag, "*", f'"b_x.1", {held.etag}'):
        [edit] = update(shop, "1-4", tag, lambda before: wanted(shop, "clogs"), "ann", NOW)(listing).edits
        assert edit.after is not None
        assert (edit.after.id, edit.slot, edit.after.words) == (held.id, S4, ("clogs",))


def test_an_update_cannot_move_a_binding_to_another_position(shop: Artifact) -> None:
    listing = make_listing({S4: make_binding("crocs")})
    moved = replace(wanted(shop, "crocs"), category="entity")
    with pytest.raises(BindingError, match="unbind it and bind it again"):
        update(shop, "1-4", "*", lambda before: moved, "ann", NOW)(listing)


def test_publishing_a_draft_places_it(shop: Artifact) -> None:
    draft = make_binding("crocs", draft=True)
    listing = make_listing({}, unplaced=[draft])
    [edit] = update(shop, draft.id, "*", lambda before: wanted(shop, "crocs"), "ann", NOW)(listing).edits
    assert edit.slot == S4


def test_a_free_slot_and_an_unknown_binding_are_not_found(shop: Artifact) -> None:
    with pytest.raises(NotFound, match="is free"):
        find(shop, make_listing({}), "1-4")
    with pytest.raises(NotFound, match="no binding b_zzzz"):
        find(shop, make_listing({}), "b_zzzz")
    with pytest.raises(InputError, match="not a slot id"):
        find(shop, make_listing({}), "9" * 5000 + "-1")


def test_a_resolved_list_is_what_the_store_keeps(shop: Artifact) -> None:
    found: Resolved = resolve_items(shop, ["x"], ["i002", "i001"], False)
    assert found.ids == ("i001", "i002")
    assert (found.list.count, found.matched, found.list.sha) == (2, None, found.sha)
