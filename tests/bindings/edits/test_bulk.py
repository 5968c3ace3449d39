"""A load is what its rows would be one after the other, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.bindings.binding import encode_items, new_id, state_digest
from slotbeam.bindings.edits.bulk import ImportRow, load
from slotbeam.bindings.edits.plan import Change, make_plan
from slotbeam.bindings.edits.wanted import ItemList, Wanted, bind
from slotbeam.bindings.listing import Listing
from slotbeam.errors import ImportRefused, SlotbeamError
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot
from support.live import NOW, make_binding, make_listing
from support.shop import make_shop

SHA, _ = encode_items(["i001"])
WORDS = ("cocoa", "сосоа", "crocs", "clogs", "a", "b", "c", "d")
HELD = make_listing({Slot(1, 5): make_binding("crocs", id="b_held")})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"))


def wanted(words: Any, category: str, slot: Slot | None, draft: bool, ends_at: int | None) -> Wanted:
    return Wanted(
        words=tuple(words), category=category, items=ItemList(SHA, 1), slot=slot, draft=draft, ends_at=ends_at
    )


WANTED = st.builds(
    wanted,
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=2, unique=True),
    st.sampled_from(["brand", "brand", "color", "nothing"]),
    st.sampled_from([None, None, Slot(1, 4), Slot(1, 6), Slot(2, 4), Slot(9, 9)]),
    st.booleans(),
    st.sampled_from([None, NOW + 1, NOW - 1]),
)


def after(listing: Listing, change: Change) -> Listing:
    """What the store holds once `change` is committed."""
    plan = make_plan(listing, change, "k", "")
    records, slots = dict(listing.records), dict(listing.slots)
    for edit in plan.edits:
        assert edit.after
        records[edit.after.id] = edit.after.record()
        if edit.slot:
            slots[str(edit.slot)] = edit.after.id
    return Listing(listing.epoch, plan.revision, state_digest(records), records, slots)


def one_by_one(shop: Artifact, wants: list[Wanted]) -> Listing | None:
    """The oracle: each row bound on its own, those with a slot first; None when one is refused."""
    listing = HELD
    for want in sorted(wants, key=lambda want: want.slot is None):
        try:
            listing = after(listing, bind(shop, want, "", NOW)(listing))
        except SlotbeamError:
            return None
    return listing


def held(listing: Listing) -> list[tuple[tuple[str, ...], str, bool, str]]:
    return sorted((b.words, b.category, b.draft, str(listing.placed.get(b.id, ""))) for b in listing.bindings.values())


def rows_of(wants: list[Wanted]) -> list[ImportRow]:
    return [ImportRow(line=line, wanted=want, binding_id=new_id()) for line, want in enumerate(wants, 2)]


@given(st.lists(WANTED, min_size=1, max_size=6))
def test_a_load_is_its_rows_one_after_the_other_or_nothing(shop: Artifact, wants: list[Wanted]) -> None:
    expected = one_by_one(shop, wants)
    make = load(shop, rows_of(wants), {}, "", NOW)
    if expected is not None:
        change = make(HELD)
        assert held(after(HELD, change)) == held(expected)
        assert len(change.edits) == len(wants)
        return
    with pytest.raises(ImportRefused) as caught:
        make(HELD)
    refused = caught.value.refused
    assert refused
    assert one_by_one(shop, [want for line, want in enumerate(wants, 2) if line not in refused]) is not None


@given(st.lists(WANTED, min_size=1, max_size=6))
def test_an_update_leaves_every_word_that_was_bound(shop: Artifact, wants: list[Wanted]) -> None:
    try:
        change = load(shop, rows_of([replace(want, draft=False) for want in wants]), {}, "", NOW, update=True)(HELD)
    except ImportRefused:
        return
    words = after(HELD, change).words
    assert set(HELD.words) <= set(words)
    assert words["crocs"] == "b_held"


def test_a_row_that_could_not_be_read_refuses_the_others(shop: Artifact) -> None:
    good = rows_of([wanted(["a"], "brand", None, False, None)])
    with pytest.raises(ImportRefused) as caught:
        load(shop, good, {3: SlotbeamError("not a row")}, "", NOW)(HELD)
    assert set(caught.value.refused) == {3}
    assert "1 of 2 rows" in str(caught.value)
