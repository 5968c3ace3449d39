"""Apostrophes, quotes, dashes, ampersands and character references: which spellings are one word, and which are not.

A row: language, stored word, text, whether the word is found in it, why.
"""

from __future__ import annotations

import unicodedata

import pytest

from slotbeam.kae.matcher import Matcher
from slotbeam.language.normalize import normalize

Row = tuple[str, str, str, bool, str]

APOSTROPHES: list[Row] = [
    ("en", "levi's", "levi´s jeans", True, "an acute accent, typed as an apostrophe: NFKC would make a space of it"),
    ("en", "levi's", "levi`s jeans", True, "a grave accent"),
    ("en", "levi's", "Levi’s 501", True, "typographic"),
    ("en", "levi's", "levis 501", True, "none at all"),
    ("en", "levi´s", "levi's jeans", True, "the other way round"),
    ("en", "levi's", "LEVIʼS", True, "modifier letter"),
    ("en", "levi's", "levi＇s", True, "full width"),
    ("en", "levi's", "levi′s", True, "a prime"),
    ("en", "levi's", "levi s jeans", False, "a space is not what the normaliser takes away"),
    ("en", "kids bike", "kids' bike", True, "plural"),
    ("en", "kids bike", "kids’ bike", True, "plural, typographic"),
    ("en", "kids bike", "kids´ bike", True, "plural, an accent"),
    ("en", "kids' bike", "kids bike 16 inch", True, "stored with it"),
    ("en", "kids bike", "kid's bike", True, "wherever it is put"),
    ("en", "kids bike", "kid bike", False, "the ending is for the folding"),
    ("de", "men´s", "men's", True, "an accent in the stored word"),
    ("en", "mens", "women's", False, "not inside a word"),
    ("en", "rock n roll", "rock 'n' roll", True, "around a letter"),
    ("en", "rock n roll", "rock ‘n’ roll", True, "typographic, around a letter"),
    ("en", "90s", "'90s jeans", True, "before a digit"),
    ("en", "80s", "80's party", True, "a plural of digits"),
    ("en", "80s", "80'step", False, "only the ending s"),
    ("fr", "l'oréal", "l’oréal paris", True, "elision"),
    ("fr", "l'oréal", "L´Oréal", True, "elision, an accent"),
    ("it", "dell'orto", "dell'Orto", True, "elision"),
    ("uk", "м'ята", "м’ята", True, "between Cyrillic letters"),
    ("uk", "м'ята", "мята", True, "between Cyrillic letters, left out"),
    ("he", "ג'ינס", "ג׳ינס", True, "geresh"),
    ("he", 'צה"ל', "צה״ל", True, "gershayim"),
    ("hy", "a՚b", "a'b", True, "Armenian"),
    ("en", "5'", "5′ board", True, "feet stay feet"),
    ("en", "5'", "5´ board", True, "feet, an acute accent"),
    ("en", "5'", "5 board", False, "feet are not left out"),
    ("en", '5"', "5'' screen", True, "two primes are inches"),
    ("en", '5"', "5″ screen", True, "double prime"),
    ("hu", '15.6"', "15.6˝ laptop", True, "double acute, on Hungarian and Czech keyboards"),
    ("fr", '15.6"', "15.6¨", True, "a diaeresis"),
    ("en", '15.6"', '15.6 " laptop', True, "a space before the sign"),
    ("en", '5"', "5' screen", False, "feet are no inches"),
    ("en", "5'10\"", "5' 10\" tall", True, "feet and inches, a space between"),
    ("en", "5'10\"", "5’10”", True, "feet and inches, typographic"),
    ("en", '10"', "5'10\"", False, "inches of a height"),
    ("de-ch", "1000 g", "1'000 g", True, "thousands: no inch has three digits"),
    ("de-ch", "1000 g", "1'00 g", False, "no thousands"),
]

DASHES: list[Row] = [
    *(
        ("en", "wh-1000xm5", f"sony WH{chr(code)}1000XM5", True, unicodedata.name(chr(code)).lower())
        for code in (0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0xFE58, 0xFE63, 0xFF0D, 0x2E3A, 0x2E3B)
    ),
    ("en", "wh‑1000xm5", "WH-1000XM5", True, "the stored word was pasted"),
    ("en", "wh−1000xm5", "WH–1000XM5", True, "two that are not the hyphen"),
    ("en", "wh-1000xm5", "wh\u00ad-1000xm5", True, "a soft hyphen is invisible"),
    ("en", "wh-1000xm5", "wh\u00ad1000xm5", False, "a soft hyphen is no hyphen"),
    ("en", "wh-1000xm5", "wh_1000xm5", False, "a low line is none"),
    ("en", "wh-1000xm5", "wh~1000xm5", False, "a tilde is none"),
    ("en", "wh-1000xm5", "wh·1000xm5", False, "a middle dot is none"),
    ("en", "t-shirt", "t–shirt", True, "en dash"),
    ("en", "t-shirt", "T—SHIRT", True, "em dash"),
    ("en", "shirt", "t‑shirt", True, "a dash separates"),
    ("en", "-20 c", "−20 c", True, "minus"),
    ("fr", "porte-clés", "porte‑clés", True, "non-breaking"),
    ("de", "e-bike", "e‐bike", True, "the character named hyphen"),
    ("he", "בית-ספר", "בית־ספר", True, "maqaf"),
    ("hy", "ա-բ", "ա֊բ", True, "Armenian"),
    ("mn", "ᠠ-ᠡ", "ᠠ᠆ᠡ", True, "Mongolian"),
    ("ja", "10-20", "10〜20", True, "the wave dash of ranges"),
    ("ja", "コーヒー", "コ-ヒ-", False, "the long vowel sign is a letter"),
    ("ja", "コーヒー", "コｰヒｰ", True, "the long vowel sign at half width"),
    ("ja", "a-b", "a゠b", True, "double hyphen of katakana"),
    ("zh", "一", "-", False, "the numeral one is no dash"),
    ("zh", "a-b", "a－b", True, "full width"),
    ("en", "a-b", "a − b", False, "spaces stay"),
]

AMPERSANDS: list[Row] = [
    ("en", "black & decker", "Black and Decker drill", True, "one form between words"),
    ("en", "black and decker", "black & decker", True, "the other way round"),
    ("en", "black & decker", "black&decker", True, "no spaces"),
    ("en", "black & decker", "black &decker", True, "one space"),
    ("en", "black & decker", "black＆decker", True, "full width"),
    ("en", "black & decker", "black &amp; decker", True, "a character reference"),
    ("en", "black & decker", "black &amp;amp; decker", True, "a character reference, escaped twice"),
    ("en", "black & decker", "black &#38; decker", True, "its number"),
    ("en", "black & decker", "black &#x26; decker", True, "its number, hexadecimal"),
    ("en", "black & decker", "black &AMP; decker", True, "in capitals"),
    ("en", "black & decker", "black decker", False, "not left out"),
    ("de", "black & decker", "black und decker", False, "what depends on a language is not known here"),
    ("es", "sal & pimienta", "sal y pimienta", False, "what depends on a language is not known here"),
    ("en", "decker", "black&decker", True, "a boundary on either side"),
    ("en", "h&m", "H & M", True, "initials"),
    ("en", "h & m", "h&m jeans", True, "initials, the other way round"),
    ("en", "h&m", "h&amp;m", True, "initials, a character reference"),
    ("en", "r&b", "r and b", True, "initials"),
    ("en", "at&t", "AT & T", True, "initials"),
    ("en", "m&m's", "M&M´s", True, "initials and an apostrophe"),
    ("en", "m&m's", "m&amp;m&#39;s", True, "initials and an apostrophe, both references"),
    ("en", "h&m", "hm", False, "initials hold an ampersand"),
    ("en", "band", "b and", False, "no word is made of it"),
    ("en", "b&w", "band w", False, "and inside a word is none"),
    ("en", "sand", "s&", False, "and inside a word is none"),
    ("en", "and", "and", True, "alone it is a word"),
    ("en", "levi's", "levi&#39;s", True, "a reference to an apostrophe"),
    ("en", "levi's", "levi&rsquo;s", True, "a typographic one"),
    ("en", '15.6"', "15.6&quot; laptop", True, "a reference to a quote"),
    ("en", '15.6"', "15.6&#34;", True, "its number"),
    ("en", "usb cable", "usb&nbsp;cable", True, "a space"),
    ("en", "a < b", "a &lt; b", True, "a sign"),
    ("en", "core i7", "core&trade; i7", True, "a trademark sign"),
    ("en", "softhyphen", "soft&shy;hyphen", True, "an invisible character"),
    ("fr", "café", "caf&eacute;", True, "a letter"),
    ("fr", "café", "CAF&Eacute;", True, "a capital"),
    ("en", "1/2", "&frac12; inch", True, "a fraction"),
    ("en", "amp", "guitar & amp; cable", True, "a space: no reference"),
    ("en", "foo", "a &foo; b", True, "no reference that HTML knows"),
    ("en", "tom & jerry", "tom &amp jerry", False, "not well formed: the semicolon is missing"),
    ("en", "nbsp", "usb&nbsp;cable", False, "its name is no word of the text"),
]


@pytest.mark.parametrize(("language", "stored", "text", "expected", "why"), APOSTROPHES + DASHES + AMPERSANDS)
def test_marks_that_people_type_for_one_another_are_one(
    language: str, stored: str, text: str, expected: bool, why: str
) -> None:
    assert bool(Matcher([normalize(stored)]).find(normalize(text))) is expected, why


def test_every_dash_of_unicode_and_the_minus_are_hyphens() -> None:
    dashes = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Pd"]
    assert {normalize(f"a{dash}b") for dash in [*dashes, "−"]} == {"a-b"}
