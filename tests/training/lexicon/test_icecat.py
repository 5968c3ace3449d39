"""The dictionary on real products: a floor under its honesty, where the data is at hand."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import load_catalog
from slotbeam.kae.encode import Kae
from slotbeam.language.normalize import normalize
from slotbeam_train.lexicon import build_kae, measure

ICECAT = Path(__file__).parents[4] / "shared" / "data" / "icecat"
pytestmark = pytest.mark.skipif(not ICECAT.is_dir(), reason=f"needs the Icecat products in {ICECAT}")


@pytest.fixture(scope="module")
def relevant() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    with (ICECAT / "judgements_dev.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found[row["query"]] += [row["docid"]] if int(row["rating"]) >= 2 else []
    return found


@pytest.fixture(scope="module")
def items(relevant: dict[str, list[str]]) -> list[Item]:
    """Take the relevant products and every eighth of the others: 3 000 of 19 406, for speed."""
    wanted = {item for own in relevant.values() for item in own}
    return [item for n, item in enumerate(load_catalog(ICECAT, "icecat")) if n % 8 == 0 or item.id in wanted]


@pytest.fixture(scope="module")
def kae(items: list[Item]) -> Kae:
    return build_kae(items)


def test_queries_and_relevant_items_meet_in_the_entity_slot(
    kae: Kae, items: list[Item], relevant: dict[str, list[str]]
) -> None:
    quality = measure(kae, items, relevant)
    assert quality.entity_equal_asked >= 0.68
    assert quality.entity_asked >= 0.75
    assert quality.entity_known >= 0.9
    assert quality.words_met >= 0.85
    assert quality.sids < len(items)


@pytest.mark.parametrize(
    ("query", "entity"),
    [
        ("laptop", "laptop"),
        ("notebook", "laptop"),
        ("gaming mouse", "mouse"),
        ("wireless headphones", "headphones"),
        ("head set", "headphones"),
        ("camera case", "camera case"),
        ("ice cream mold", "mold"),
        ("usb stick", "usb flash drive"),
        ("flat screen tv", "tv"),
        ("case for iphone 8", "case"),
        ("laserjet toner cartridge", "toner cartridge"),
    ],
)
def test_head_queries_have_the_right_head(kae: Kae, query: str, entity: str) -> None:
    chosen = kae.encode(normalize(query)).chosen[0]
    if kae.dictionary.concept_of(entity) is None:
        pytest.skip(f"the sample sells no {entity}, so the dictionary does not know it")
    assert chosen is not None
    assert kae.dictionary[chosen.concept].word == entity
