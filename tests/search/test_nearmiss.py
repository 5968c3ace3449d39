import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.bindings.overlay import Bound, build_overlay
from slotbeam.search.nearmiss import one_edit_apart
from slotbeam.types import Slot
from support.shop import make_shop

words = st.text("abc", min_size=0, max_size=6)


def edits(word):
    """Every string one edit away: Norvig's enumeration."""
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    yield from (a + b[1:] for a, b in splits if b)
    yield from (a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1)
    yield from (a + c + b[1:] for a, b in splits if b for c in "abc")
    yield from (a + c + b for a, b in splits for c in "abc")


@given(words, words)
def test_one_edit_apart_agrees_with_enumerating_all_edits(a, b):
    assert one_edit_apart(a, b) == (a != b and b in set(edits(a)))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return make_shop(tmp_path_factory.mktemp("shop"))


def matched(shop, query, word="labubu", near_miss=True):
    slot = Slot(1, shop.kae.codebook.reserved(1)[0])
    overlay = build_overlay(shop, [Bound("b", slot, (word,), ("i001",), near_miss=near_miss)])
    return [(m.match.surface, m.match.start) for m in overlay.match(query, 4, shop.kae.knows)]


@pytest.mark.parametrize("query", ["labub", "lababu", "labuub", "labbubu", "my laboubu mug"])
def test_a_word_one_edit_away_triggers_a_binding_that_opted_in(shop, query):
    assert len(matched(shop, query)) == 1


@pytest.mark.parametrize("query", ["labb", "labubus x y", "labubulabubu"])
def test_a_word_further_away_does_not(shop, query):
    assert matched(shop, query) == ([("labubus", 0)] if query.startswith("labubus") else [])


def test_a_binding_that_did_not_opt_in_is_not_triggered(shop):
    assert matched(shop, "labub", near_miss=False) == []


def test_a_base_word_is_never_a_near_miss(shop):
    assert matched(shop, "chair", word="chairs") == []


def test_short_words_have_no_near_misses(shop):
    assert matched(shop, "crox", word="croc") == []


def test_an_exact_match_leaves_no_near_miss_of_itself(shop):
    assert matched(shop, "labubu labub") == [("labubu", 0)]
