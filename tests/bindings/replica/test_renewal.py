"""Bindings beside live items: a swap leaves what compiling everything anew would, and touches what it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slotbeam.bindings.replica.overlay import Bound, bound_of, build_overlay, compile_binding
from slotbeam.bindings.replica.renewal import LiveMatches, with_items
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import item_text
from slotbeam.indexing.live import LiveIndex
from slotbeam.kae.matcher import Matcher
from slotbeam.language.fold import PLAIN, Folding
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Overlay, Pinned
from slotbeam.types import Slot
from support.lexical import ENGLISH
from support.shop import BRANDS, COLORS, ENTITIES, make_items

WORDS = (*ENTITIES, *BRANDS, *COLORS, "mugs", "usb-c", "usbc", "zorblax", "thing", "10 mm", "10mm", "café")
PARTS = [
    "mug",
    "mugs",
    "t-shirt",
    "tshirt",
    "t shirt",
    "1.8",
    "1/2",
    "кружки",
    "é",
    "é",
    " ",
    " ",
    "-",
    "3",
    "茶",
    "사과는",
]
IDS = ("i000", "i001", "i002", "i003", "n1", "n2", "zz")


@pytest.fixture(scope="module")
def base(tiny_artifact: Path) -> Artifact:
    return Artifact.load(tiny_artifact)


def phrases(most: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(WORDS), min_size=1, max_size=most).map(" ".join)


edits = st.dictionaries(
    st.sampled_from(IDS),
    st.none()
    | st.builds(lambda title, pop: Item("", title, popularity=pop), phrases(4), st.sampled_from([0.0, 5.0, 500.0])),
    min_size=1,
    max_size=4,
).map(lambda step: {item_id: item and replace(item, id=item_id) for item_id, item in step.items()})

bindings = st.lists(
    st.tuples(
        st.lists(phrases(2), min_size=1, max_size=2, unique=True),
        st.lists(st.sampled_from(IDS), max_size=3, unique=True),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one[0][0],
)


def bound_to(artifact: Artifact, told: Sequence[Any]) -> list[Bound]:
    """A binding each on a slot of its own; a word that an earlier one holds is left out."""
    codebook = artifact.kae.codebook
    slots = [Slot(position, index) for position in range(3) for index in codebook.reserved(position)]
    taken: set[str] = set()
    made: list[Bound] = []
    for (words, ids, exact, live), slot in zip(told, slots, strict=False):
        own = tuple(word for word in map(normalize, words) if word not in taken)
        taken.update(own)
        if own:
            made.append(Bound(f"b{len(made)}", slot, own, tuple(ids), exact=exact, live=live))
    return made


def facts(pinned: Pinned) -> tuple[object, ...]:
    trie = pinned.trie
    arrays = (pinned.rows, pinned.leaf_items, *(getattr(trie, name) for name in trie.__slots__ if name != "levels"))
    return (pinned.id, pinned.missing, pinned.cut, *(np.asarray(array).tolist() for array in arrays))


@settings(max_examples=60)
@given(bindings, st.lists(edits, min_size=1, max_size=4), st.sampled_from([3, 8, 50_000]))
def test_a_swap_leaves_what_compiling_everything_anew_does(
    base: Artifact, told: Sequence[Any], steps: Sequence[dict[str, Item | None]], limit: int
) -> None:
    live, bound = LiveIndex(base), bound_to(base, told)
    overlay = Overlay(tuple(compile_binding(base, one, limit) for one in bound))
    words, held = LiveMatches(base.folding, overlay.pinned), {item.id: item for item in make_items(120)}
    for step in steps:
        before = live.artifact
        after = live.apply(step)
        overlay = with_items(before, after, overlay, words, set(step), limit)
        held = {item_id: item for item_id, item in {**held, **step}.items() if item is not None}
        for one, pinned in zip(bound, overlay.pinned, strict=True):
            assert facts(pinned) == facts(compile_binding(after, one, limit))
            assert set(after.catalog.ids.take(pinned.rows)) == wanted(base.folding, one, held, limit)


def wanted(folding: Folding, bound: Bound, held: dict[str, Item], limit: int) -> set[str]:
    """The ids of the items that a binding has to have, by reading every text."""
    named = held.keys() & set(bound.item_ids)
    if not bound.live:
        return named
    matcher = Matcher(bound.words, folding, bound.words if bound.exact else ())
    matching = [item for item in held.values() if item.id not in named and matcher.find(item_text(item))]
    best = sorted(matching, key=lambda item: (-item.popularity, item.id))
    return named | {item.id for item in best[: max(0, limit - len(set(bound.item_ids)))]}


@settings(max_examples=100)
@given(
    st.lists(st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("".join), min_size=1, max_size=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.lists(st.sampled_from(PARTS), max_size=12).map("".join),
    st.sampled_from(["und", "en", "ru", "ja", "ko"]),
)
@example(["t-shirt", "tshirt"], [False] * 8, "t shirts", "en")
def test_a_text_is_told_to_be_of_the_bindings_whose_words_the_matcher_finds_in_it(
    base: Artifact, words: list[str], exact: list[bool], text: str, language: str
) -> None:
    """Also where two of them are spellings of one word."""
    folding, text = Folding(language), normalize(text)
    empty = compile_binding(base, Bound("b", Slot(0, base.kae.codebook.reserved(0)[0]), ("mug",), (), live=True))
    pinned = [
        replace(empty, words=(word,), exact=spelt)
        for word, spelt in zip(filter(None, map(normalize, words)), exact, strict=False)
    ]
    told = LiveMatches(folding, pinned).holders(text)
    found = [Matcher(one.words, folding, one.words if one.exact else ()).find(text) for one in pinned]
    assert {number for number, own in enumerate(found) if own} == told


def test_an_edit_makes_no_binding_anew_that_it_does_not_concern(base: Artifact) -> None:
    """Nor does a patch of what is no text: no row moves."""
    live = LiveIndex(base)
    before = live.apply({"n1": Item("n1", "red mug", fields={"price": 3.0})})
    bound = bound_to(base, [(["mug"], [], False, True), (["lamp"], [], False, True), (["x"], ["n1"], False, False)])
    overlay = build_overlay(before, bound)
    words = LiveMatches(base.folding, overlay.pinned)
    patched = live.apply({"n1": Item("n1", "red mug", fields={"price": 4.0}, popularity=9.0)})
    same = with_items(before, patched, overlay, words, {"n1"})
    assert [one is other for one, other in zip(overlay.pinned, same.pinned, strict=True)] == [True] * 3
    after = live.apply({"n2": Item("n2", "green mugs")})
    grown = with_items(patched, after, same, words, {"n2"})
    anew = [bound_of(other).words for one, other in zip(same.pinned, grown.pinned, strict=True) if one is not other]
    assert anew == [("mug",)]


def test_an_item_that_becomes_popular_takes_the_place_of_another_where_some_are_cut(base: Artifact) -> None:
    """No row moves with it."""
    live = LiveIndex(base)
    before = live.apply({name: Item(name, "zorblax", popularity=pop) for name, pop in (("a", 3.0), ("b", 2.0))})
    [bound] = bound_to(base, [(["zorblax"], [], False, True)])
    overlay = Overlay((compile_binding(before, bound, 1),))
    words = LiveMatches(base.folding, overlay.pinned)
    patched = live.apply({"b": Item("b", "zorblax", popularity=9.0)})
    after = with_items(before, patched, overlay, words, {"b"}, 1)
    shown = [
        (artifact.catalog.ids.take(own.pinned[0].rows), own.pinned[0].cut)
        for artifact, own in ((before, overlay), (patched, after))
    ]
    assert shown == [(["a"], 1), (["b"], 1)]


def test_a_binding_of_exact_words_takes_no_other_spelling_that_comes_with_an_item_of_its_own(base: Artifact) -> None:
    live = LiveIndex(base)
    overlay = build_overlay(base, bound_to(base, [(["zorblax"], ["n1"], True, True)]))
    after = live.apply({"n1": Item("n1", "lamp"), "n2": Item("n2", "zorblaxes"), "n3": Item("n3", "a zorblax")})
    words = LiveMatches(base.folding, overlay.pinned)
    [pinned] = with_items(base, after, overlay, words, {"n1", "n2", "n3"}).pinned
    assert sorted(after.catalog.ids.take(pinned.rows)) == ["n1", "n3"]


def test_words_of_no_live_binding_are_not_looked_for() -> None:
    assert LiveMatches(PLAIN).holders("mug") == set()
    assert LiveMatches(ENGLISH, ()).holders("") == set()
