"""Letters, marks and digits of other scripts: which spellings are one word, and which are not.

A row: language, stored word, text, whether the word is found in it, why.
"""

from __future__ import annotations

import unicodedata

import pytest

from slotbeam.kae.matcher import Matcher
from slotbeam.language.normalize import normalize

Row = tuple[str, str, str, bool, str]

SCRIPTS: list[Row] = [
    ("tr", "istanbul", "İSTANBUL", True, "a capital with a dot"),
    ("tr", "İSTANBUL", "istanbul", True, "stored in capitals"),
    ("tr", "i̇stanbul", "istanbul", True, "the dot that lower case of some systems leaves"),
    ("tr", "ışık", "ışık", True, "without a dot, as it is"),
    ("tr", "ışık", "IŞIK", False, "capital I is i: only the language tells, which is not known here"),
    ("tr", "ısı", "isi", False, "without a dot is another letter"),
    ("lt", "i̇̀", "ì", True, "the dot under an accent"),
    ("de", "straße", "STRASSE", True, "sharp s"),
    ("de", "straße", "STRAẞE", True, "sharp s, a capital"),
    ("fr", "crème", "cre\u0300me", True, "an accent of its own"),
    ("fr", "crème", "creme", False, "accents are for the folding"),
    ("el", "οδος", "ΟΔΟΣ", True, "final sigma"),
    ("el", "ΟΔΟΣ", "οδος", True, "final sigma, stored in capitals"),
    ("el", "οδός", "ΟΔΌΣ", True, "the accent of a capital"),
    ("el", "οδός", "ΟΔΟΣ", False, "an accent left out is for the folding"),
    ("el", "μm", "µm", True, "the micro sign"),
    ("ru", "елка", "ёлка", True, "yo"),
    ("ru", "ЁЛКА", "елка", True, "yo, a capital"),
    ("ru", "елка", "е\u0308лка", True, "yo in two characters"),
    ("ru", "йод", "иод", False, "short i is another letter"),
    ("uk", "їжак", "іжак", False, "yi is another letter"),
    ("ru", "чехол", "ЧЕХОЛ", True, "capitals"),
    ("ar", "كتاب", "كِتَاب", True, "vowels"),
    ("ar", "كِتَابٌ", "كتاب", True, "vowels in the stored word"),
    ("ar", "محمد", "مُحَمَّد", True, "doubling"),
    ("ar", "كتاب", "كـتـــاب", True, "tatweel"),
    ("ar", "هذا", "هٰذا", True, "superscript alef"),
    ("ar", "على", "علی", True, "final yeh of a Persian keyboard"),
    ("ar", "علي", "على", True, "final yeh without dots, as in Egypt"),
    ("fa", "کتاب", "كتاب", True, "kaf of an Arabic keyboard"),
    ("fa", "فارسی", "فارسي", True, "yeh of an Arabic keyboard"),
    ("fa", "کتاب", "ڪتاب", True, "swash kaf"),
    ("fa", "می‌خواهم", "میخواهم", True, "an invisible joiner"),
    ("ar", "آب", "ا\u0653ب", True, "a letter in two characters"),
    ("ar", "آب", "اب", False, "madda is a part of its letter"),
    ("ar", "أب", "اب", False, "hamza is a part of its letter"),
    ("ar", "سئل", "سيل", False, "hamza on a yeh is a letter"),
    ("ar", "سئل", "س\u06cc\u0654ل", True, "hamza on a Persian yeh, in two characters"),
    ("ar", "كتاب", "كتب", False, "a long vowel is a letter"),
    ("ar", "ﻻ", "لا", True, "a ligature"),
    ("ar", "500 مل", "٥٠٠ مل", True, "digits"),
    ("fa", "500", "۵۰۰", True, "digits, Persian"),
    ("ar", "1.5", "١٫٥", True, "the decimal sign"),
    ("ar", "5", "١٫٥", False, "the decimal sign holds a number together"),
    ("ar", "1,000", "١٬٠٠٠", True, "the sign of thousands"),
    ("hi", "12", "१२", True, "digits"),
    ("th", "12", "๑๒", True, "digits"),
    ("zh", "12", "１２", True, "digits, full width"),
    ("zh", "十二", "12", False, "words for numbers are words"),
    ("he", "שלום", "שָׁלוֹם", True, "points"),
    ("he", "שָׁלוֹם", "שלום", True, "points in the stored word"),
    ("he", "שלום", "שלומ", False, "a final letter is another one"),
    ("he", "בראשית", "בְּרֵאשִׁ֖ית", True, "points and accents"),
    ("yi", "אלט", "אַלט", True, "points, which Yiddish needs, too"),
    ("hi", "हिन्दी", "हनद", False, "vowels of Devanagari are no points"),
    ("th", "ที่", "ท", False, "marks of Thai are no points"),
    ("ja", "カメラ", "ｶﾒﾗ", True, "half width"),
    ("ja", "ガラス", "ｶﾞﾗｽ", True, "half width, a voiced letter in two characters"),
    ("ja", "ガラス", "カラス", False, "voiced is another letter"),
    ("ko", "한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8", True, "letters of Hangul, not composed"),
]


@pytest.mark.parametrize(("language", "stored", "text", "expected", "why"), SCRIPTS)
def test_letters_and_digits_that_people_type_for_one_another_are_one(
    language: str, stored: str, text: str, expected: bool, why: str
) -> None:
    assert bool(Matcher([normalize(stored)]).find(normalize(text))) is expected, why


def test_every_decimal_digit_of_unicode_is_one_of_ascii() -> None:
    digits = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Nd"]
    assert all(normalize(f"x{digit}") == f"x{unicodedata.digit(digit)}" for digit in digits)
