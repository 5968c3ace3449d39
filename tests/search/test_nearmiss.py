from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.catalog.item import Item
from slotbeam.language.fold import PLAIN
from slotbeam.search.nearmiss import NearMisses, one_edit_apart, touches_digit
from slotbeam.types import Slot
from support.lexical import ENGLISH, index_of
from support.shop import make_kae, make_shop

ALPHABET = "ab12"
words = st.text(ALPHABET, min_size=0, max_size=6)


def edits(word):
    """Every string one edit away, with the characters that the edit is of or beside: Norvig's enumeration."""
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    yield from ((a + b[1:], a[-1:] + b[:2]) for a, b in splits if b)
    yield from ((a + b[1] + b[0] + b[2:], a[-1:] + b[:3]) for a, b in splits if len(b) > 1)
    yield from ((a + c + b[1:], a[-1:] + b[:2] + c) for a, b in splits if b for c in ALPHABET)
    yield from ((a + c + b, a[-1:] + b[:1] + c) for a, b in splits for c in ALPHABET)


@given(words, words)
def test_one_edit_apart_agrees_with_enumerating_all_edits(a, b):
    assert one_edit_apart(a, b) == (a != b and b in {text for text, _ in edits(a)})


@given(words.flatmap(lambda word: st.tuples(st.just(word), st.sampled_from([text for text, _ in edits(word)]))))
def test_an_edit_of_or_beside_a_digit_is_found_wherever_it_may_have_happened(pair):
    word, text = pair
    touched = [any(map(str.isdigit, beside)) for found, beside in edits(word) if found == text]
    if text != word:
        assert touches_digit(text, word) == touches_digit(word, text) == any(touched)


@given(
    query=st.lists(st.text(ALPHABET, min_size=1, max_size=7), min_size=1, max_size=4),
    bound=st.lists(st.text(ALPHABET, min_size=3, max_size=7), min_size=1, max_size=3, unique=True),
    known=st.sets(st.text(ALPHABET, min_size=4, max_size=6), max_size=30),
    others=st.sets(st.text(ALPHABET, min_size=4, max_size=6), max_size=10),
)
def test_near_misses_are_those_of_a_brute_force_over_all_edits(query, bound, known, others):
    """The oracle: every edit of every bound word, those that touch a digit and those that make a word left out."""
    meant = known | others
    allowed = [
        {text for text, _ in edits(word)} - {text for text, beside in edits(word) if any(map(str.isdigit, beside))}
        for word in bound
    ]
    wanted = []
    for token in query:
        hit = [n for n, word in enumerate(bound) if len(word) >= 5 and token in allowed[n] - {word} - meant]
        wanted += [(token, hit[0])] if hit else []
    text = " ".join(query)
    misses = NearMisses([(word, n) for n, word in enumerate(bound)], others, PLAIN)
    found = misses.find(text, lambda token, _: token in known)
    assert [(text[start:end], number) for start, end, number in found] == wanted


def slips(typed, bound, folding=PLAIN):
    return list(NearMisses([(bound, 0)], (), folding).find(typed, lambda *_: False))


@pytest.mark.parametrize(
    ("typed", "bound"),
    [
        ("rtx4080", "rtx4070"),
        ("rtx407", "rtx4070"),
        ("rtx40700", "rtx4070"),
        ("rtz4070", "rtx4070"),  # beside one
        ("rtxx4070", "rtx4070"),
        ("iphone1", "iphone"),
        ("galaxys", "galaxys9"),
        ("a1b2c", "a1bc2"),
    ],
)
def test_a_digit_is_typed_as_it_is_meant(typed, bound):
    assert slips(typed, bound) == []
    assert slips(bound, typed) == []


@pytest.mark.parametrize(("typed", "bound"), [("galxay9000", "galaxy9000"), ("laboubu2024", "labubu2024")])
def test_a_slip_among_the_letters_of_a_word_with_digits_is_one(typed, bound):
    assert len(slips(typed, bound)) == 1


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    extra = [Item("i900", "A flower press, pressed figaros"), Item("i901", "zorgen lamp")]
    return make_shop(tmp_path_factory.mktemp("shop"), extra=extra)


def matched(shop, query, *words, near_miss=True):
    kae = shop.kae
    bound = [
        Bound(f"b{n}", Slot(1, kae.codebook.reserved(1)[n]), (word,), ("i001",), near_miss=near_miss)
        for n, word in enumerate(words or ("labubu",))
    ]
    overlay = build_overlay(shop, bound)
    return [(m.match.surface, m.match.start) for m in overlay.match(query, 4, shop.is_another_word)]


@pytest.mark.parametrize("query", ["labub", "lababu", "labuub", "labbubu", "my laboubu mug"])
def test_a_word_one_edit_away_triggers_a_binding_that_opted_in(shop, query):
    assert len(matched(shop, query)) == 1


@pytest.mark.parametrize("query", ["labb", "labubus x y", "labubulabubu"])
def test_a_word_further_away_does_not(shop, query):
    assert matched(shop, query) == ([("labubus", 0)] if query.startswith("labubus") else [])


def test_a_binding_that_did_not_opt_in_is_not_triggered(shop):
    assert matched(shop, "labub", near_miss=False) == []


def test_a_word_of_the_dictionary_is_never_a_near_miss(shop):
    """Every surface, and every word of one, against a bound word one letter longer."""
    tokens = {part for concept in make_kae().dictionary for word in concept.surfaces for part in (word, *word.split())}
    tried: Counter[str] = Counter()
    for token in tokens:
        if len(token) >= 4 and " " not in token:
            assert matched(shop, token, f"{token}q") == []
            tried[token] += 1
    assert len(tried) > 5


def test_a_word_of_the_catalog_is_never_a_near_miss_of_another(shop):
    assert matched(shop, "press", "dress") == [], "an item says press"
    assert matched(shop, "dress", "press") == [("dress", 0)], "none says dress: it may be a slip"
    assert matched(shop, "zorgen", "zorben") == []


def test_the_plural_of_a_bound_word_is_no_other_word(shop):
    """Items say "figaros", which is how the catalog's index keeps "figaro"."""
    assert shop.catalog.terms.holds("figaro")
    assert shop.catalog.terms.holds("figaros")
    assert matched(shop, "figaros", "figaro") == [("figaros", 0)]


def test_a_word_of_another_binding_is_never_a_near_miss(shop):
    assert matched(shop, "zogrum", "zogrub") == [("zogrum", 0)]
    assert matched(shop, "zogrum", "zogrub", "zogrum") == [("zogrum", 0)]
    assert matched(shop, "zogrum", "zogrub", "zogrum set") == [], "a word of a bound phrase, too"


@given(st.text("labus ", min_size=1, max_size=30), st.text("labus", min_size=1, max_size=8))
def test_the_index_holds_the_stems_of_its_texts_and_nothing_else(text, token):
    assert index_of([text]).holds(token) == any(ENGLISH.same(token, part) for part in text.split())


def test_short_words_have_no_near_misses(shop):
    assert matched(shop, "crox", "croc") == []


def test_an_exact_match_leaves_no_near_miss_of_itself(shop):
    assert matched(shop, "labubu labub") == [("labubu", 0)]


@pytest.mark.parametrize(
    ("typed", "bound", "why"),
    [
        ("snaekers", "sneaker", "two letters swapped in a plural"),
        ("sneakesr", "sneakers", "an ending that no stemmer knows"),
        ("tshrit", "t-shirt", "joined, and a slip"),
        ("cremé brulle", "brulee", "a letter for another"),
        ("resmué", "résumé", "a slip in what has accents"),
        ("labubbus", "labubu", "none: further than a slip"),
    ],
)
def test_a_slip_in_another_spelling_is_a_slip(typed, bound, why):
    assert len(slips(typed, bound, ENGLISH)) == (not why.startswith("none"))


@pytest.mark.parametrize("typed", ["tshirt", "t-shirts", "tshirts", "resume", "résumés"])
def test_a_spelling_of_a_bound_word_is_a_match_and_no_slip(shop, typed):
    bound = ("t-shirt", "résumé")
    assert not list(NearMisses([(word, 0) for word in bound], bound, ENGLISH).find(typed, lambda *_: False))
    assert matched(shop, typed, *bound) == matched(shop, typed, *bound, near_miss=False) == [(typed, 0)]
