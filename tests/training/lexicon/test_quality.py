"""How honest a dictionary is: shares counted by hand, and a catalog whose queries must meet their items."""

from __future__ import annotations

import random

import pytest

from slotbeam.catalog.item import Item
from slotbeam.kae.encode import Kae
from slotbeam.language.normalize import normalize
from slotbeam_train.lexicon import build_kae, measure
from support.shop import make_kae

NOUNS = (
    *("laptop", "mouse", "headphones", "camera", "camera case"),
    *("case", "mold", "usb flash drive", "tv", "toner cartridge"),
)


def test_the_shares_are_those_counted_by_hand() -> None:
    items = [Item("i1", "red mug"), Item("i2", "blue lamp"), Item("i3", "thing")]
    quality = measure(make_kae(), items, {"Red MUG": ["i1", "i2", "gone"], "red": ["i1", "i2"]})
    assert quality.entity_equal == pytest.approx(1 / 4), "one of four pairs; an item that is not there makes none"
    assert quality.entity_equal_asked == pytest.approx(1 / 2), "`red` asks for no entity"
    assert quality.entity_asked == pytest.approx(1 / 2)
    assert quality.entity_known == pytest.approx(2 / 3)
    assert quality.words_met == pytest.approx((2 / 2 + 0 / 2 + 1 / 1 + 0 / 1) / 4)
    assert quality.pool_share == pytest.approx(1 / 3)
    assert quality.sids == 3


def test_without_a_query_nothing_is_met() -> None:
    quality = measure(make_kae(), [Item("i1", "red mug")], {})
    assert (quality.entity_equal, quality.entity_asked, quality.words_met, quality.pool_share) == (0, 0, 0, 0)


@pytest.fixture(scope="module")
def store() -> list[Item]:
    """300 products of ten kinds; a third of them names its kind in the title alone."""
    draw, items = random.Random(1), []
    for number in range(300):
        brand, noun = draw.choice(["Acme", "Zenco", "Borealis"]), NOUNS[number % len(NOUNS)]
        named = {"entity": (noun,)} if number % 3 else {}
        code = f"{draw.choice(['Norda', 'Wisp'])} Q{number:03} {draw.choice(['Wireless', 'Gaming', 'Slim'])}"
        title = f"{brand} {code} {noun} {draw.choice(['Black', 'White'])}"
        items.append(Item(f"i{number}", title, "", {"brand": (brand,), **named}, {"brand": brand}))
    return items


@pytest.fixture(scope="module")
def kae(store: list[Item]) -> Kae:
    return build_kae(store)


def test_queries_and_relevant_items_meet_in_the_entity_slot(kae: Kae, store: list[Item]) -> None:
    relevant = {noun: [item.id for item in store[place :: len(NOUNS)]] for place, noun in enumerate(NOUNS)}
    quality = measure(kae, store, relevant)
    assert quality.entity_equal_asked >= 0.95
    assert quality.entity_asked == 1
    assert quality.entity_known >= 0.95
    assert quality.words_met >= 0.95
    assert quality.pool_share == pytest.approx(1 / len(NOUNS), abs=0.02)
    assert quality.sids < len(store)


@pytest.mark.parametrize(
    ("query", "entity"),
    [
        ("notebook", "laptop"),
        ("gaming mouse", "mouse"),
        ("wireless headphones", "headphones"),
        ("head set", "headphones"),
        ("black camera", "camera"),
        ("camera case", "camera case"),
        ("case for camera", "case"),
        ("case for iphone 8", "case"),
        ("ice cream mold", "mold"),
        ("usb stick", "usb flash drive"),
        ("flat screen tv", "tv"),
        ("laserjet toner cartridge", "toner cartridge"),
    ],
)
def test_head_queries_have_the_right_head(kae: Kae, query: str, entity: str) -> None:
    chosen = kae.encode(normalize(query)).chosen[0]
    assert chosen is not None
    assert kae.dictionary[chosen.concept].word == entity
