from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.normalize_v1 import normalize_v1
from language.test_migration import TEXTS
from slotbeam.errors import TextError
from slotbeam.language.normalize import normalize

# Hypothesis draws few of the characters that make normalisers misbehave; these are such characters.
TRICKY = st.text(
    alphabet="aIİıßſﬀﬁ①½ΐΣςK™®'’`′″\u0345\u200b\u200d\u00ad\ufeff\ufe0f \t\n\x1c\x85\u3000Ａ한各手E\u0301̈", max_size=12
)


@given(st.one_of(st.text(max_size=40), TRICKY, TEXTS))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalize(text)
    assert normalize(once) == once


@given(st.one_of(st.text(max_size=40), TRICKY, TEXTS))
def test_canonical_text_has_no_edge_or_double_spaces_and_no_control_characters(text: str) -> None:
    canonical = normalize(text)
    assert canonical == canonical.strip()
    assert "  " not in canonical
    assert all(char == " " or not char.isspace() for char in canonical)
    assert all(ord(char) >= 32 for char in canonical)


@given(st.text(alphabet="azéüжΣλ '-1 手", max_size=20))
def test_case_does_not_matter(text: str) -> None:
    assert normalize(text.upper()) == normalize(text.lower()) == normalize(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("  Wireless\tMOUSE \n", "wireless mouse"),
        ("Men’s T-Shirt", "mens t-shirt"),
        ("men's", "mens"),
        ("rock 'n' roll", "rock n roll"),
        ("５Ｇ ｐｈｏｎｅ", "5g phone"),
        ("Straße", "strasse"),
        ("Intel® Core™ i7", "intel core i7"),
        ("zero\u200bwidth soft\u00adhyphen", "zerowidth softhyphen"),
        ("15.6″ “display”", '15.6" "display"'),
        ("nul\x00l", "null"),
        ("手机　壳", "手机 壳"),
        ("❤\ufe0f", "❤"),
        ("", ""),
        ("\u200b \u200b", ""),
        ("lab\u3164u\uffa0b\u115fu\u2800", "labubu"),
        ("labubu\U000e0100\U000e0041\u180f\u17b4", "labubu"),
    ],
)
def test_what_people_write_has_one_canonical_form(text: str, canonical: str) -> None:
    assert normalize(text) == canonical


@given(st.one_of(st.text(max_size=40), TRICKY, TEXTS))
def test_canonical_text_is_at_most_three_times_as_long_as_that_of_version_1(text: str) -> None:
    assert len(normalize(text)) <= 3 * len(normalize_v1(text))


@given(st.one_of(st.text(st.characters(codec="ascii"), max_size=40), TEXTS.filter(str.isascii)))
def test_text_of_ascii_is_read_as_it_is_in_any_text(text: str) -> None:
    assert normalize(f"{text} | é").removesuffix("| é").strip() == normalize(text)


def test_character_references_inside_one_another_are_read_once() -> None:
    assert normalize("&amp;" * 3 + "lt;") == "&&<"
    assert normalize("&#3" * 50 + "&#56;;" + ";" * 50).count("8") == 1
    assert normalize("&" + "amp;" * 3000 + "quot;") == '"'


def test_a_lone_surrogate_is_refused_with_its_place() -> None:
    with pytest.raises(TextError, match=r"U\+D800.*character 2"):
        normalize("ab\ud800")
