from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slotbeam.catalog.item import Item
from slotbeam.kae.dictionary import Concept
from slotbeam_train.lexicon.behaviour import Spelling, learn_aliases, one_edit
from slotbeam_train.lexicon.corpus import read_docs
from slotbeam_train.lexicon.options import KaeOptions

CONCEPTS = [
    Concept("stapler", "entity"),
    Concept("kettle", "entity", ("kettles",)),
    Concept("acme", "brand"),
    Concept("zenco", "brand"),
    Concept("red", "color"),
    Concept("terracotta", "color"),
]
TITLES = ["acme red stapler", "zenco stapler", "acme kettle", "zenco terracotta kettle", "acme stapler", "zenco kettle"]
TITLES += ["grey lamp"] * 10  # what most of a catalog is about
ITEMS = [Item(str(n), title) for n, title in enumerate(TITLES)]


def learned(clicks: list[tuple[str, str]], extra: tuple[str, ...] = ()) -> dict[str, str]:
    queries = {query: 5 for query, _ in clicks} | dict.fromkeys(extra, 5)
    ids = [item.id for item in ITEMS]
    after = learn_aliases(CONCEPTS, read_docs(ITEMS), ids, queries, clicks, KaeOptions(alias_times=2))
    before = [*CONCEPTS, *[Concept("", "modifier")] * len(after)]
    return {
        alias: new.word
        for old, new in zip(before, after, strict=False)
        for alias in set(new.surfaces) - {*old.surfaces}
    }


def test_an_unknown_word_becomes_an_alias_of_what_its_clicked_items_share() -> None:
    assert learned([("klammo", "0"), ("klammo", "1"), ("klammo red", "4")]) == {"klammo": "stapler"}


def test_known_words_of_the_query_explain_their_share_of_the_item() -> None:
    # Every clicked item is an acme stapler; the query names the stapler, so the unknown word is the brand.
    assert learned([("stapler ackmeeno", "0"), ("stapler ackmeeno", "4")]) == {"ackmeeno": "acme"}


def test_a_word_without_agreement_is_not_learned() -> None:
    assert learned([("gizmox", "0"), ("gizmox", "3")]) == {}


def test_one_clicked_item_is_not_enough() -> None:
    assert learned([("klammo", "0"), ("klammo", "0")]) == {}


def test_misspellings_and_dropped_vowels_are_aliases() -> None:
    assert learned([], ("ketle", "staplre", "kttl", "trrctt")) == {
        "ketle": "kettle",
        "staplre": "stapler",
        "kttl": "kettle",
        "trrctt": "terracotta",
    }


def test_nothing_is_learned_that_the_catalog_does_not_support() -> None:
    assert learned([], ("labubu", "qwxyz")) == {}


def test_an_ambiguous_misspelling_is_left_alone() -> None:
    assert Spelling(["boots", "books"], [0, 1]).find("bools") is None
    assert Spelling(["boots", "boot"], [0, 0]).find("booots") == 0


@given(st.text(alphabet="abc", max_size=6), st.text(alphabet="abc", max_size=6))
def test_one_edit_agrees_with_all_single_edits(one: str, other: str) -> None:
    letters = "abc"
    edits = {one}
    edits |= {one[:n] + one[n + 1 :] for n in range(len(one))}
    edits |= {one[:n] + c + one[n + 1 :] for n in range(len(one)) for c in letters}
    edits |= {one[:n] + c + one[n:] for n in range(len(one) + 1) for c in letters}
    edits |= {one[:n] + one[n + 1] + one[n] + one[n + 2 :] for n in range(len(one) - 1)}
    assert one_edit(one, other) == (other in edits)
