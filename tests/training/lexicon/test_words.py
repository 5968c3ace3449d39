from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam_train.lexicon.words import is_model, key, plural, singular, specification, specifications, spellings


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("128 gb", "128gb"),
        ("128gb", "128gb"),
        ('15.6"', "15.6inch"),
        ("15.6 inch", "15.6inch"),
        ("15.6-inch", "15.6inch"),
        ("15.60 in", "15.6inch"),
        ("1,5 m", "1.5m"),
        ("1,500 pages", "1500pages"),
        ("3 ft", "3ft"),
        ("500克", "500克"),
    ],
)
def test_a_number_with_a_unit_has_one_canonical_form(written: str, canonical: str) -> None:
    assert specification(written) == canonical


@pytest.mark.parametrize("text", ["gb", "128", "128 apples", "rtx3080", "usb 3.0"])
def test_what_has_no_unit_is_no_specification(text: str) -> None:
    assert specification(text) is None


def test_specifications_are_found_inside_a_title() -> None:
    found = [canonical for canonical, *_ in specifications('hp laptop 15.6" 8 gb ram 512gb ssd 1920x1080')]
    assert found == ["15.6inch", "8gb", "512gb"]


def test_every_spelling_of_a_specification_leads_back_to_it() -> None:
    for canonical in ("128gb", "15.6inch", "2m", "500克", "10pack"):
        assert {specification(spelling) for spelling in spellings(canonical)} == {canonical}


@pytest.mark.parametrize(
    ("plurals", "one"),
    [
        ("batteries", "battery"),
        ("boxes", "box"),
        ("switches", "switch"),
        ("cables", "cable"),
        ("movies", "movie"),
        ("wireless", "wireless"),
        ("glass", "glass"),
        ("usb", "usb"),
        ("手机", "手机"),
    ],
)
def test_english_plurals_are_folded(plurals: str, one: str) -> None:
    assert singular(plurals) == one


@given(st.text(alphabet="abcdhnorty", min_size=4, max_size=9))
def test_a_regular_plural_folds_back(word: str) -> None:
    assert singular(plural(word)) == word


def test_spellings_of_one_word_share_a_key() -> None:
    assert key("wi-fi") == key("wi fi") == key("wifi")
    assert key("t-shirts") == key("t shirt") == key("tshirt")
    assert key("1 2") != key("12")


def test_product_codes_are_models() -> None:
    assert is_model("tn-2110")
    assert is_model("iphone8")
    assert not is_model("2110")
    assert not is_model("mouse")
    assert not is_model("5g手机")
