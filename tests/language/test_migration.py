"""Words that version 1 of the normaliser stored are read again by this one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.normalize_v1 import normalize_v1
from slotbeam.language.normalize import normalize

PIECES = st.sampled_from(
    [
        *"abxsßςΣİıЁéＡ手ｶ가1238½¼⅞⅒⁄∕/×✕*х&＆;#−–‑\u00ad\u200b™®يیىکك\u064eـاש״׳١٫۵'\"‘’′″` .,-:()_+",
        *("12", "1000", " & ", " and ", "&amp;", "amp;", "&quot;", "&nbsp;", "&lt;", "#38;", "''", "cm", "ml", "and"),
    ]
)
TEXTS = st.lists(PIECES, max_size=10).map("".join)
BETWEEN = st.lists(st.sampled_from(["levi", "5", "手", "ж", "1/2"]), min_size=2, max_size=4)


@given(st.one_of(st.text(max_size=30), TEXTS))
def test_a_word_of_version_1_read_again_is_the_word_read_anew(text: str) -> None:
    assert normalize(normalize_v1(text)) == normalize(text)


@given(BETWEEN, st.sampled_from("´¨˝΄᾽"))
def test_accents_that_version_1_took_for_spaces_are_mended(words: list[str], accent: str) -> None:
    text = accent.join(words) + accent
    assert normalize(normalize_v1(text)) == normalize(text)


@pytest.mark.parametrize(
    ("text", "stored", "again", "anew", "why"),
    [
        (
            "the ´n´ sign",
            "the \u0301n \u0301 sign",
            "then sign",
            "the n sign",
            "a space before an accent and the one in it",
        ),
        ('5 ¨a"', '5 \u0308a"', '5"a"', '5 "a"', "the same, of a quote"),
        ("a´\u0323b", "a \u0323\u0301b", "a \u0323\u0301b", "\u1ea1b", "a mark after an accent is put before it"),
    ],
)
def test_what_version_1_destroyed_is_read_as_well_as_it_can_be(
    text: str, stored: str, again: str, anew: str, why: str
) -> None:
    assert normalize_v1(text) == stored
    assert normalize(stored) == again, why
    assert normalize(text) == anew
