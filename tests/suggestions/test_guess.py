"""What the category of an unknown word is guessed from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slotbeam.catalog.inmemory import write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog
from slotbeam.kae.categories import CATEGORIES
from slotbeam.search.artifact import Artifact
from slotbeam.suggestions.features import shape
from slotbeam.suggestions.guess import Guesser
from support.shop import BRANDS, COLORS, ENTITIES, make_kae, make_shop

DEMO = Path(__file__).parents[2] / "model_artifacts" / "demo"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Guesser:
    """A catalog that writes "RED acme mug, by bolt": colors before brands before entities."""
    rng, items = np.random.default_rng(0), []
    for number in range(300):
        color, brand, entity = (str(rng.choice(words)) for words in (COLORS, BRANDS, ENTITIES))
        items.append(Item(f"i{number}", f"{color} {brand} {entity}", f"made in {color}. sold by {brand}"))
    items += [
        Item("new color", "teal acme mug"),
        Item("new brand", "red zorg mug", "made in red. sold by zorg"),
        Item("new entity", "red acme kettle"),
    ]
    kae, directory = make_kae(), tmp_path_factory.mktemp("written")
    kinds = write_catalog(directory, items, np.zeros((len(items), 3), np.int32))
    return Guesser(kae, Catalog.load(directory, kinds))


@pytest.mark.parametrize(("word", "category"), [("teal", "color"), ("zorg", "brand"), ("kettle", "entity")])
def test_a_word_is_what_stands_in_its_place_in_other_texts(written: Guesser, word: str, category: str) -> None:
    [best, *rest] = written.guess(word, written.catalog.match([word]).tolist())
    assert best.category == category
    assert best.share > 0.5
    assert f"1 of 1 items that hold it name no other {category}" in best.why
    assert sorted([best.category, *(guess.category for guess in rest)]) == sorted(CATEGORIES)
    assert sum(guess.share for guess in (best, *rest)) == pytest.approx(1)


def test_without_a_text_the_queries_say_what_is_left_unnamed(written: Guesser) -> None:
    asked = ("acme labubu", "bolt labubu", "cobalt labubu")
    share = {guess.category: guess.share for guess in written.guess("labubu", (), asked, ("red acme mug",) * 20)}
    assert share["entity"] > share["brand"]
    other = {guess.category: guess.share for guess in written.guess("labubu", (), ("red mug labubu",) * 3)}
    assert other["brand"] > other["entity"]


def test_with_no_evidence_the_share_says_so(written: Guesser) -> None:
    best = written.guess("labubu")[0]
    assert best.share < 0.5
    assert best.why == "nothing but how many words each category has"


def test_one_way_of_writing_never_rules_a_category_out(written: Guesser) -> None:
    rows = written.catalog.match(["zorg"]).tolist()
    assert all(guess.share > 1e-9 for guess in written.guess("zorg", rows))


@pytest.mark.parametrize("word", ["拉布布", "a" * 64, "x-100", "12", "(a+)+$", "=1+1"])
def test_any_word_has_a_guess(written: Guesser, word: str) -> None:
    asked = ("", "  ", "=1+1 {{7*7}}", "\x1b[31m red", word)
    assert len(written.guess(word, (), asked, asked)) == len(CATEGORIES)


@pytest.mark.parametrize(
    ("word", "looks"),
    [
        ("12", "digits"),
        ("nb340", "mixed"),
        ("拉布布", "cjk"),
        ("art deco", "many"),
        ("mug", "short"),
        ("labubu", "long"),
    ],
)
def test_a_word_has_one_shape(word: str, looks: str) -> None:
    assert shape(word) == looks


def test_a_shop_of_nothing_still_has_a_guess(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, 1)
    assert Guesser(shop.kae, shop.catalog).guess("labubu", (), ("labubu",))


def test_words_that_the_shipped_dictionary_is_made_to_forget_are_guessed_right_most_of_the_time() -> None:
    """Three words of each of seven categories, from the items that hold them."""
    artifact = Artifact.load(DEMO)
    kinds = ("brand", "color", "material", "style", "scene", "series", "location")
    every = {kind: [c for c in artifact.kae.dictionary if c.category == kind and c.count >= 3] for kind in kinds}
    asked = [concept for held in every.values() for concept in held[:: max(1, len(held) // 3)][:3]]
    guesser = Guesser(artifact.kae, artifact.catalog, {word for concept in asked for word in concept.surfaces})
    right = []
    for concept in asked:
        guessed = guesser.guess(concept.word, artifact.catalog.match([concept.word]).tolist())
        right.append(guessed[0].category == concept.category)
    print(f"{sum(right)} of {len(right)} right")
    assert sum(right) / len(right) >= 0.7
