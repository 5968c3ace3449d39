"""Spellings that are shown are spellings: each is found, and each has its source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.kae.matcher import Matcher
from slotbeam.language.fold import Folding
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.spellings import spellings_of, unneeded, variants
from support.lexical import ENGLISH


def shown(shop: Artifact, word: str, queries: tuple[str, ...] = (), limit: int = 12) -> list[tuple[str, str | None]]:
    found = spellings_of(word, shop, queries, lambda text: bool(Matcher([word], ENGLISH).find(text)), limit)
    return [(one.text, one.seen) for one in found]


def test_what_people_ask_goes_before_items_before_the_dictionary_before_guesses(shop: Artifact) -> None:
    found = shown(shop, "mugs", ("a mugs", "two múg please"))
    assert found[0] == ("múg", "queries")
    assert ("mug", "catalog") in found or ("mug", "dictionary") in found
    seen = [seen for _, seen in found]
    assert seen == sorted(seen, key=["queries", "catalog", "dictionary", None].index)
    assert shown(shop, "mugs", ("a mugs", "two múg please"), limit=1) == found[:1]


@pytest.mark.parametrize(
    ("language", "word", "texts"),
    [
        ("en", "t-shirt", {"tshirt", "t shirt", "t-shirts"}),
        ("en", "dress", {"dresses"}),
        ("en", "crème brûlée", {"creme brulee"}),
        ("de", "jacke", {"jacken"}),
        ("de", "schuh", {"schuhe"}),
        ("fr", "chaussure", {"chaussures"}),
        ("es", "zapato", {"zapatos"}),
        ("it", "scarpa", {"scarpe"}),
        ("tr", "kitap", {"kitaplar"}),
        ("sv", "stol", {"stolar"}),
        ("und", "labubu", set()),
        ("ja", "京都", set()),
    ],
)
def test_guesses_are_joined_apart_without_accents_and_in_the_plural(language: str, word: str, texts: set[str]) -> None:
    folding = Folding(language)
    good = {text for text in variants(word, folding) if Matcher([word], folding).find(text) and text != word}
    assert texts <= good
    assert len(good) <= 5


@given(st.text("abcéñ -", min_size=1, max_size=12).map(normalize).filter(bool))
def test_a_guess_is_canonical(word: str) -> None:
    assert all(normalize(text) == text != word for text in variants(word, ENGLISH))


@given(st.lists(st.sampled_from(["tshirt", "t-shirt", "t shirt", "t-shirts", "mug", "mugs", "múg"]), unique=True))
def test_what_is_not_needed_is_found_without_it(words: list[str]) -> None:
    dropped = unneeded(words, ENGLISH)
    left = [word for word in words if word not in dropped]
    assert all(of in left for of in dropped.values())
    assert all(Matcher(left, ENGLISH).find(word) for word in words)
    assert not unneeded(left, ENGLISH)
