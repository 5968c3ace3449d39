"""`Catalog.match`: by postings and by reading all texts it finds what the matcher finds in every text."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.catalog.inmemory import write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog
from slotbeam.catalog.terms import terms_tell
from slotbeam.kae.matcher import Matcher
from slotbeam.language.fold import PLAIN, Folding
from slotbeam.language.normalize import normalize
from support.lexical import ENGLISH

latin = ["mug", "mugs", "t-shirt", "tshirt", "t shirt", "1.8", "1/2", '5"', "5 in", "кружки", "v2"]
signs = ["̈", "゙", "🇩🇪", "🇦", "²", "ß", "ﬁ", " ", " "]
parts = [*"abc8 .,-_+é拉か가ᄀ〆ㄅ𠀀", *latin, *signs]
scripts = [*parts, *"กานม้ขาວນໍາកាហ្វေးန်パンのー東京都茶사과는를이배", "กาแฟ", "น้ํา", "マグ", "고양이", "ᄀ"]
LANGUAGES = ("und", "en", "fr", "de", "ru", "th", "ja", "ko", "zh")
seeds = st.integers(0, 2**32 - 1)


def texts(rng: np.random.Generator, count: int, most: int, among: list[str] = parts) -> list[str]:
    """Titles of 1 to `most` parts; some look alike, since few parts in a row say much."""
    return ["".join(rng.choice(among, rng.integers(1, most + 1))) for _ in range(count)]


def words(rng: np.random.Generator, count: int, among: list[str], of: list[str] = parts) -> list[str]:
    """Words of up to 4 parts, every second one cut out of a text: words made alone are seldom found."""
    made = texts(rng, count, 4, of)
    for number in range(0, count, 2):
        text = among[rng.integers(len(among))]
        start = rng.integers(len(text))
        made[number] = text[start : start + rng.integers(1, 9)]
    return [word for word in map(normalize, made) if word]


def served(folder, items, folding=PLAIN) -> Catalog:
    kinds = write_catalog(folder, items, np.ones((len(items), 1), int), folding=folding)
    return Catalog.load(folder, kinds, folding)


@settings(max_examples=60)
@given(seeds, st.sampled_from(LANGUAGES), st.booleans())
def test_match_finds_the_texts_in_which_the_matcher_finds_the_word(tmp_path_factory, seed, language, exact):
    rng = np.random.default_rng(seed)
    folding, of = Folding(language), parts if language in ("und", "en", "fr") else scripts
    items = [Item(f"{number:02d}", title) for number, title in enumerate(texts(rng, 40, 16, of))]
    catalog = served(tmp_path_factory.mktemp("items"), items, folding)
    read = list(catalog.texts)
    asked = words(rng, 40, [text for text in read if text] or ["a"], of)
    matchers = {word: Matcher([word], folding, [word] if exact else ()) for word in asked}
    held = {word: {row for row, text in enumerate(read) if matchers[word].find(text)} for word in asked}
    for word in asked:
        assert catalog.match([word], exact).tolist() == sorted(held[word]), word
    assert catalog.match(asked[:3], exact).tolist() == sorted(set().union(*(held[word] for word in asked[:3])))


@settings(max_examples=25)
@given(seeds)
def test_a_text_that_holds_a_word_has_the_terms_of_one_of_its_readings(seed):
    rng = np.random.default_rng(seed)
    telling = [text for text in map(normalize, texts(rng, 60, 6)) if text and terms_tell(text)]
    for word in words(rng, 40, telling):
        for text in telling:
            if Matcher([word], ENGLISH).find(text):
                held = set(ENGLISH.terms(text))
                assert any({token.key for token in reading} <= held for reading in ENGLISH.readings(word))


def test_many_texts_in_many_spellings_are_found_whatever_is_read_first(tmp_path):
    spelt = ["mug", "mugs", "Mug's", "mug-s", "x mug5 x", "5mug", "smug", "MUG", "mügs", "mug.", "mugs-and-more"]
    items = [Item(f"{number:04d}", f"{spelt[number % len(spelt)]} {number}") for number in range(600)]
    catalog = served(tmp_path, items, ENGLISH)
    for word in ("mug", "mugs"):
        matcher = Matcher([word], ENGLISH)
        held = [row for row, text in enumerate(catalog.texts) if matcher.find(text)]
        assert 200 < len(held) < 600
        assert catalog.match([word]).tolist() == held


def test_the_exact_spelling_is_asked_for(tmp_path):
    items = [Item("a", "red mug"), Item("b", "two mugs"), Item("c", "a lamp")]
    catalog = served(tmp_path, items, ENGLISH)
    assert [catalog.ids[row] for row in catalog.match(["mug"])] == ["a", "b"]
    assert [catalog.ids[row] for row in catalog.match(["mug"], exact=True)] == ["a"]


def test_only_the_items_that_carry_the_words_terms_are_read(tmp_path):
    catalog = served(tmp_path, [Item(str(number), f"mug {number}") for number in range(100)])
    blind = replace(catalog, texts=catalog.ids)  # what is not read cannot be missed
    assert blind.match(["57"]).tolist() == [catalog.row_of("57")]
    assert not len(catalog.reread)


@pytest.mark.parametrize(("text", "told"), [("mug", True), ("café", True), ("拉布", False), ("머그컵", False)])
def test_scripts_in_which_a_word_may_end_inside_a_term_are_known(text, told):
    assert terms_tell(text) == told


def test_latin_and_han_written_together_are_terms_of_their_own():
    assert PLAIN.terms("新款labubu挂件 v2款") == ["新", "款", "labubu", "挂", "件", "v", "2", "款"]
