"""A word is probably of the category of the words that mean much the same."""

import pytest

from slotbeam.kae.categories import CATEGORIES
from slotbeam.suggestions.alike import WordsAlike
from slotbeam.suggestions.guess import Guesser
from support.shop import make_shop
from support.texts import text_vectors

KNOWN = [("sofa", "entity"), ("mug", "entity"), ("red", "color"), ("blue", "color"), ("acme", "brand")]
ALIKE = WordsAlike(KNOWN, text_vectors())


@pytest.mark.parametrize(("word", "category"), [("couch", "entity"), ("beaker", "entity"), ("crimson", "color")])
def test_a_word_that_means_the_same_as_a_known_one_is_of_its_category(word: str, category: str) -> None:
    points = ALIKE.points(word)
    assert max(CATEGORIES, key=lambda name: points[name]) == category
    assert points[category] > 0


def test_a_word_that_means_nothing_speaks_for_no_category() -> None:
    assert set(ALIKE.points("").values()) == {0.0}


def test_the_words_that_it_is_like_are_named_nearest_first() -> None:
    assert ALIKE.nearest("settee", "entity") == ["sofa"]
    assert ALIKE.nearest("settee", "brand") == []


def test_a_word_that_no_text_holds_is_guessed_by_its_meaning_and_the_guess_says_so(tmp_path) -> None:
    shop = make_shop(tmp_path)
    known = [concept.word for concept in shop.kae.dictionary if concept.category == "color"]
    assert "blue" in known
    told = Guesser(shop.kae, shop.catalog, texts=text_vectors()).guess("azure")
    untold = Guesser(shop.kae, shop.catalog).guess("azure")
    assert told[0].category == "color"
    assert "means much the same as blue" in told[0].why
    share = {guess.category: guess.share for guess in untold}
    assert told[0].share > share["color"]
