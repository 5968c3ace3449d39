"""Numbers and sizes: which spellings are one, and that none is found inside another.

A row: language, stored word, text, whether the word is found in it, why.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.kae.matcher import Matcher
from slotbeam.language.fold import Folding
from slotbeam.language.normalize import normalize

Row = tuple[str, str, str, bool, str]

FRACTIONS: list[Row] = [
    ("en", '1/2"', "½″ hose", True, "one character"),
    ("en", "½", "1/2 inch", True, "one character, stored"),
    ("en", "1/2", "1⁄2", True, "fraction slash"),
    ("en", "1/2", "1∕2", True, "division slash"),
    ("en", "1/2", "1／2", True, "full width"),
    ("en", "1/2", "¹⁄₂", True, "superscript and subscript"),
    ("en", "1-1/2", "1½", True, "mixed"),
    ("en", "1½", "1 1/2 inch", True, "mixed, a space"),
    ("en", "1½", "1-1/2 inch", True, "mixed, a hyphen"),
    ("en", "1½", "1 ½ inch", True, "mixed, a space and one character"),
    ("en", "1½", "1-½ inch", True, "mixed, a hyphen and one character"),
    ("en", "1½", "1‑1⁄2 inch", True, "mixed, non-breaking hyphen, fraction slash"),
    ("en", "10-1/2", "10½", True, "two digits before it"),
    ("en", "2-7/8", "2⅞", True, "other eighths"),
    ("en", "1 13/16", "1-13/16", True, "sixteenths"),
    ("en", "11/16", "11⁄16", True, "no 1-1/16: there is no such character"),
    ("en", '2"', '1/2" hose', False, "the denominator is no size"),
    ("en", '2"', '1-1/2" hose', False, "nor that of a mixed number"),
    ("en", '2"', '1 1/2" hose', False, "written with a space"),
    ("en", '2"', "½″ hose", False, "one character"),
    ("en", '1/2"', '1-1/2" hose', False, "a fraction is not in a mixed number"),
    ("en", '1/2"', '1 1/2" hose', False, "a fraction is not in a mixed number written with a space"),
    ("en", "size 8", "size 8 1/2", False, "8 is not 8.5"),
    ("en", "8", "8-1/2", False, "8 is not 8.5"),
    ("en", "1-1", "1-1/2", False, "not a part of it"),
    ("en", '2.8"', '1/2.8" sensor', False, "a decimal denominator"),
    ("en", "24", "1/24 scale", False, "a scale"),
    ("en", "1/24", "1/24 scale", True, "a scale itself"),
    ("en", "1/24", "2 1/24 scale cars", True, "no size has 24ths: two cars"),
    ("en", "1/2", "1/2", True, "alone"),
    ("en", "1/2", "1/2-3/4", True, "a range of two"),
    ("en", "3/4", "1/2-3/4", True, "a range of two"),
    ("en", '4"', '1/2-3/4"', False, "a range of two"),
    ("en", "iphone 7", "iphone 7/8 case", True, "a list of models: what comes before the sign may end there"),
    ("en", "13", "iphone 12/13 case", True, "no size: a list"),
    ("en", "256gb", "128/256gb", True, "not in lowest terms: a list"),
    ("en", "8 gb", "4/8 gb", True, "not in lowest terms: a list"),
    ("en", "1000", "10/100/1000", True, "a list of three"),
    ("en", "3", "1/2/3", True, "a list of three"),
    ("en", "7", "24/7", True, "above 1: no fraction"),
    ("en", "9", "16/9", True, "above 1: no fraction"),
    ("en", "2", "ps1/2", True, "after letters: a list"),
    ("en", "24/7", "24/7", True, "as it is"),
    ("en", "2024-1/2", "2024 1/2", False, "a year and a fraction are not mixed"),
]

SIZES: list[Row] = [
    ("en", "8 m", "1.8 m", False, "a decimal"),
    ("de", "8 m", "1,8 m", False, "a decimal comma"),
    ("en", "5", "1:5 scale", False, "a ratio"),
    ("en", "1", "1:5 scale", False, "a ratio"),
    ("en", "1:5", "scale 1:5", True, "a ratio itself"),
    ("en", "5", "ratio: 5", True, "a colon before a space separates"),
    ("en", "size:10", "size:10", True, "a colon after letters"),
    ("en", "10", "size:10", True, "a colon after letters separates"),
    ("en", "10", "10x15", False, "a dimension"),
    ("en", "15 cm", "10x15 cm", False, "a dimension: the unit is of both"),
    ("en", "15 cm", "10 x 15 cm", False, "a dimension, with spaces"),
    ("en", "15 cm", "10 cm x 15 cm", True, "a dimension with its own unit is a size"),
    ("en", "15cm", "10cm×15cm", True, "a dimension with its own unit is a size"),
    ("en", '7"', '5"x7"', True, "a dimension with its own unit is a size"),
    ("en", '5"x7"', "5″ × 7″", True, "inches"),
    ("en", '7"', '5x7"', False, "a dimension: the unit is of both"),
    ("en", "10x15", "10×15", True, "the sign"),
    ("en", "10×15", "10 x 15 frame", True, "spaces"),
    ("en", "10x15", "10 X 15", True, "a capital"),
    ("en", "10x15", "10*15", True, "an asterisk"),
    ("ru", "10x15", "10х15", True, "the Cyrillic letter ha"),
    ("en", "10x15", "10✕15", True, "another sign"),
    ("en", "10x15x20 cm", "10 × 15 × 20 cm", True, "three of them"),
    ("en", "10x15", "10x15x20", False, "two of three"),
    ("en", "1920x1080", "1920 × 1080", True, "pixels"),
    ("en", "2.5x10", "2.5 x 10", True, "decimals"),
    ("en", "8-1/2x11", "8½ × 11", True, "a mixed number"),
    ("en", "4x4", "4 x 4", True, "a name"),
    ("en", "x-box", "x-box 360", True, "no sign: a letter"),
    ("en", "xl", "2 xl", True, "no sign: a letter"),
    ("en", "iphone x 64gb", "iphone X 64gb", True, "no digit before it: a name"),
    ("en", "s10 x 2", "s10 x 2", True, "no number before it: a code"),
    ("en", "8x57is", "8x57is", True, "a code stays"),
    ("en", "10x15", "10 15", False, "not left out"),
    ("fr", "330 ml", "6 x 330 ml", True, "what a pack holds is a size"),
    ("fr", "330 ml", "6x330 ml", True, "what a pack holds is a size, without spaces"),
    ("fr", "330ml", "6×330ml", True, "what a pack holds is a size, with the sign"),
    ("de", "6 x 330 ml", "6x330 ml", True, "one form"),
    ("en", "16gb", "2x16gb ram", True, "two modules"),
    ("ru", "100 г", "4х100 г", True, "the Cyrillic letter ha, grams"),
    ("en", "30 ml", "6x330 ml", False, "not inside a number"),
    ("en", "25 pieces", "16x 25 pieces", True, "a space on one side: how many"),
    ("en", "usb 3.0", "usb 3.0 x 2", True, "a version and how many"),
    ("en", "usb 3.0", "usb 3.0 x 2, hdmi", True, "the same before a comma"),
    ("en", '5.25"', '1 x 5.25" to 2 x sata', True, "one of it: how many"),
    ("en", "1x4", "1 x 4 board", True, "one form of that, too"),
    ("en", "pcie 2.0", "pcie 2.0 x16", True, "a version and lanes"),
    ("en", "6-pin", "1 x 6-pin", True, "how many of a thing with a number"),
    ("en", "3.5x3.5-inch", "3.5 x 3.5-inch", True, "a unit after a hyphen"),
    ("en", "1.5v", "6 x 1.5v battery", True, "volts are of each"),
    ("en", "100base-tx", "5 x 10/100base-tx", True, "no dimension: a list"),
    ("en", "spy x family", "Spy×Family", True, "between words"),
    ("en", "hdmi x2", "hdmi ×2", True, "times two"),
    ("en", "10 kg", "5-10 kg", True, "a range names both ends"),
    ("en", "5'", "5'10\"", False, "the feet of a height"),
    ("en", "1000", "1,000", False, "thousands are read by the language of a catalog"),
]


@pytest.mark.parametrize(("language", "stored", "text", "expected", "why"), FRACTIONS + SIZES)
def test_a_size_is_found_in_its_spellings_and_not_inside_another(
    language: str, stored: str, text: str, expected: bool, why: str
) -> None:
    assert bool(Matcher([normalize(stored)]).find(normalize(text))) is expected, why


# What depends on a language, and a year that a folding takes for a whole number.
READ_BY_FOLDINGS = ("1000", "2024-1/2")


@pytest.mark.parametrize(
    ("language", "stored", "text", "expected", "why"),
    [row for row in FRACTIONS + SIZES if not row[3] and row[1] not in READ_BY_FOLDINGS],
)
def test_no_other_spelling_of_a_size_is_found_inside_another(
    language: str, stored: str, text: str, expected: bool, why: str
) -> None:
    assert bool(Matcher([normalize(stored)], Folding(language)).find(normalize(text))) is expected, why


@given(
    st.integers(1, 99),
    st.sampled_from(["1/2", "1/4", "3/4", "5/8", "11/16"]),
    st.sampled_from(["", '"', " inch", "in"]),
)
def test_no_part_of_a_mixed_number_is_found_in_it(whole: int, part: str, unit: str) -> None:
    numerator, denominator = part.split("/")
    parts = [str(whole), numerator, part, part + unit, denominator, denominator + unit, f"{whole}-{numerator}"]
    text = normalize(f"pipe {whole} {part}{unit} steel")
    assert not Matcher(sorted(set(parts))).find(text)
    assert Matcher([normalize(f"{whole}-{part}{unit}")]).find(text)
