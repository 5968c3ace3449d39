"""Model numbers are words of their own: what mixes letters and digits, in whatever way it is put together."""

from pathlib import Path

import numpy as np
import pytest

from slotbeam.catalog.inmemory import write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog
from slotbeam.language.fold import Folding
from slotbeam.language.normalize import normalize
from slotbeam.language.tokens import codes

ROWS = [
    ("PS4 Pro", ["ps4"]),
    ("Sony WH-1000XM5", ["wh1000xm5"]),
    ("NB-340 and D3400", ["nb340", "d3400"]),
    ("B07L8NDSMM", ["b07l8ndsmm"]),
    ("E26 starter kit", ["e26"]),
    ("1920x1080", ["1920x1080"]),
    ("C/N.4410-x2", ["cn4410x2"]),
    ("16GB ram, 4K, 1080p, 500ml", []),  # numbers with their units
    ("10/100/1000", []),
    ("1.5 l", []),
    ("red sofa", []),
    ("A4", []),  # too short to tell much
    ("x1" * 40, []),  # no number that anybody types
    ("", []),
]


@pytest.mark.parametrize(("text", "found"), ROWS)
def test_codes_are_what_mixes_letters_and_digits_and_is_no_measure(text: str, found: list[str]) -> None:
    assert codes(normalize(text)) == found


@pytest.mark.parametrize(
    ("one", "other"), [("wh-1000xm5", "wh1000xm5"), ("nb-340", "nb340"), ("c/n.4410-x2", "cn4410x2")]
)
def test_a_code_is_the_same_with_and_without_its_marks(one: str, other: str) -> None:
    assert codes(one) == codes(other)


def test_what_is_another_spelling_of_a_word_does_not_change() -> None:
    folding = Folding("en")
    assert folding.same("iphone15", "iphone 15")
    assert folding.terms("ps4") == ["ps", "4"]


def test_a_model_number_goes_before_others_that_are_made_of_the_same_pieces(tmp_path: Path) -> None:
    titles = ["sony 1000 wh xm5 cable", "sony wh-1000xm5", "sony xm5 1000 wh wh"]
    items = [Item(str(number), title) for number, title in enumerate(titles)]
    catalog = Catalog.load(tmp_path, write_catalog(tmp_path, items, np.zeros((3, 1), np.int32)))
    overlap = dict(zip(catalog.ids, catalog.terms.read("wh1000xm5").overlap(np.arange(3)).tolist(), strict=True))
    assert overlap["1"] > max(overlap["0"], overlap["2"]) + 0.2
