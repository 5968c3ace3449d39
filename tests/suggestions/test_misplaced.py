"""A binding under another category than its words' own, while the position of that one is full."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slotbeam.bindings.binding import Binding
from slotbeam.bindings.edits.plan import Edit
from slotbeam.bindings.listing import Listing
from slotbeam.catalog.item import Item
from slotbeam.search.artifact import Artifact
from slotbeam.suggestions.guess import Guesser
from slotbeam.suggestions.misplaced import misplaced
from slotbeam.types import Slot
from support.live import make_binding, make_listing
from support.shop import BRANDS, COLORS, ENTITIES, make_shop, without_overflow

BRAND, ENTITY = 1, 0


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Texts that put colors before brands before entities, and three words that the dictionary does not know."""
    rng = np.random.default_rng(0)
    items = []
    for number in range(200):
        color, brand, entity = (str(rng.choice(words)) for words in (COLORS, BRANDS, ENTITIES))
        items.append(Item(f"x{number}", f"{color} {brand} {entity}", f"made in {color}. sold by {brand}"))
    items.append(Item("new", "red zorg mug", "made in red. sold by zorg"))
    return without_overflow(make_shop(tmp_path_factory.mktemp("written"), 1, extra=items))


def full(shop: Artifact, position: int, free: int = 0) -> Listing:
    """A listing whose slots of one position are bound, but for `free` of them."""
    reserved = list(shop.kae.codebook.reserved(position))
    return make_listing({Slot(position, index): make_binding(f"w{index}") for index in reserved[free:]})


def placing(shop: Artifact, *words: str, position: int = ENTITY, before: Binding | None = None) -> Edit:
    slot = Slot(position, shop.kae.codebook.reserved(position)[0])
    return Edit(before, make_binding(*words, category=("entity", "brand", "color")[position]), slot)


def warned(shop: Artifact, listing: Listing, edit: Edit, guess: bool = True) -> list[str]:
    return misplaced(shop, listing, edit, (lambda: Guesser(shop.kae, shop.catalog)) if guess else None)


@pytest.mark.parametrize("words", [("acme",), ("xyzzy", "acme")])
def test_a_word_of_the_dictionary_under_another_category_is_warned_of_where_its_own_position_is_full(
    written: Artifact, words: tuple[str, ...]
) -> None:
    [warning] = warned(written, full(written, BRAND), placing(written, *words), guess=False)
    assert warning.startswith('"acme" has the category brand in the dictionary, and all 4 reserved slots of brand')
    assert "unbind one, for example 1-4" in warning
    assert "what a query says of entity" in warning


def test_a_word_that_items_name_like_another_category_is_warned_of_as_a_guess(written: Artifact) -> None:
    [warning] = warned(written, full(written, BRAND), placing(written, "zorg"))
    assert warning.startswith('"zorg" looks like the category brand (')
    assert warned(written, full(written, BRAND), placing(written, "zorg"), guess=False) == []


def test_of_a_word_that_no_text_holds_nothing_is_said(written: Artifact) -> None:
    assert warned(written, full(written, BRAND), placing(written, "labubu")) == []


def test_nothing_is_said_while_the_words_own_position_has_a_free_slot(written: Artifact) -> None:
    for word in ("acme", "zorg"):
        assert warned(written, full(written, BRAND, free=1), placing(written, word)) == []


def test_nothing_is_said_of_a_binding_in_its_own_position(written: Artifact) -> None:
    for word in ("acme", "zorg"):
        assert warned(written, full(written, BRAND), placing(written, word, position=BRAND)) == []


def test_only_what_places_a_binding_is_warned_of(written: Artifact) -> None:
    listing, edit = full(written, BRAND), placing(written, "acme")
    assert edit.after is not None
    draft = make_binding("acme", category="entity", draft=True)
    assert len(warned(written, listing, Edit(draft, edit.after, edit.slot))) == 1, "published"
    for other in (Edit(edit.after, edit.after, edit.slot), Edit(None, draft, None), Edit(edit.after, None, edit.slot)):
        assert warned(written, listing, other) == []


def test_no_guess_is_learned_where_no_position_is_full(written: Artifact, tmp_path: Path) -> None:
    def never() -> Guesser:
        raise AssertionError("it takes a second")

    assert misplaced(written, full(written, BRAND, free=1), placing(written, "zorg"), never) == []
