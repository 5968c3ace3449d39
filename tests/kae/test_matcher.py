from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.errors import InputError
from slotbeam.kae.matcher import Matcher, Occurrence
from slotbeam.language.boundaries import Boundaries, is_cjk
from slotbeam.language.fold import Folding

ALPHABET = "ab1 .-_,手机é"


def joined(left: str, right: str, before: str, after: str) -> bool:
    """The oracle's own idea of "no boundary here", written from the specification."""

    def sticks(char: str) -> bool:
        return char.isalnum() or unicodedata.category(char).startswith("M")

    if not left or not right:
        return False
    if sticks(left) and sticks(right):
        return not (is_cjk(left) or is_cjk(right))
    if left in ".,":
        return right.isdigit() and before.isdigit()
    return right in ".," and left.isdigit() and after.isdigit()


def brute_force(words: list[str], text: str) -> list[Occurrence]:
    def edge(at: int) -> bool:
        return not joined(
            text[at - 1 : at] if at else "", text[at : at + 1], text[at - 2 : at - 1], text[at + 1 : at + 2]
        )

    occurrences = [
        (start, start + len(word), number)
        for number, word in enumerate(words)
        for start in range(len(text))
        if text.startswith(word, start) and edge(start) and edge(start + len(word))
    ]
    return sorted(occurrences, key=lambda one: (one[0], -one[1]))


def greedy(found: list[Occurrence]) -> list[Occurrence]:
    out: list[Occurrence] = []
    for one in found:
        if not out or one[0] >= out[-1][1]:
            out.append(one)
    return out


@given(
    st.lists(st.text(alphabet=ALPHABET, min_size=1, max_size=4), unique=True, max_size=8),
    st.text(alphabet=ALPHABET, max_size=14),
)
def test_the_matcher_agrees_with_brute_force(words: list[str], text: str) -> None:
    matcher = Matcher(words)
    everything = brute_force(words, text)
    assert matcher.find_all(text) == everything
    assert matcher.find(text) == greedy(everything)


def found(words: list[str], text: str) -> list[str]:
    return [text[start:end] for start, end, _ in Matcher(words).find(text)]


def test_car_is_not_in_daycare() -> None:
    assert found(["car", "care"], "daycare scarf car-wash") == ["car"]


def test_a_chinese_word_matches_inside_a_sentence() -> None:
    assert found(["手机", "手机壳", "防水"], "苹果手机壳超薄防水手机") == ["手机壳", "防水", "手机"]


def test_latin_letters_beside_chinese_ones_are_a_word() -> None:
    assert found(["usb"], "新款usb数据线") == ["usb"]


def test_usb_is_found_in_usb_cable_although_usb_c_is_a_word() -> None:
    assert found(["usb", "usb c"], "usb cable") == ["usb"]
    assert found(["usb", "usb c"], "usb c cable") == ["usb c"]


def test_underscore_and_punctuation_separate_words() -> None:
    assert found(["red", "shoe"], "red_shoe (red)/shoe") == ["red", "shoe", "red", "shoe"]


def test_a_decimal_number_is_not_cut_at_its_point() -> None:
    assert found(["8 m", "1.8 m"], "1.8 m") == ["1.8 m"]
    assert found(["8 m"], "1.8 m and 8 m.") == ["8 m"]


def test_a_combining_mark_belongs_to_its_word() -> None:
    assert found(["ab"], "ab̈ ab") == ["ab"]


def test_a_flag_is_not_in_the_halves_of_two_others() -> None:
    germany, andorra, spain = "\U0001f1e9\U0001f1ea", "\U0001f1e6\U0001f1e9", "\U0001f1ea\U0001f1f8"
    matcher = Matcher([germany])
    assert matcher.find(f"shirt {andorra}{spain}") == []
    assert matcher.find(f"{andorra}{germany}{spain}") == [(2, 4, 0)]
    assert matcher.find(f"a{germany}b") == [(1, 3, 0)]


def test_the_longest_of_the_leftmost_wins() -> None:
    assert found(["ice", "ice cream", "cream mold"], "ice cream mold") == ["ice cream"]


def test_blocked_spans_free_the_words_around_them() -> None:
    matcher = Matcher(["labubu doll", "doll"])
    assert matcher.find("labubu doll") == [(0, 11, 0)]
    assert matcher.find("labubu doll", blocked=[(0, 6)]) == [(7, 11, 1)]


def test_no_words_and_no_text_match_nothing() -> None:
    assert Matcher([]).find("anything") == []
    assert Matcher(["a"]).find("") == []


def test_an_empty_word_is_refused() -> None:
    with pytest.raises(InputError, match="at least one character"):
        Matcher(["a", ""])


@given(st.one_of(st.text(alphabet="ab1.,_ -", max_size=24), st.text(alphabet="123468/-.:'x\" a", max_size=16)))
def test_ascii_text_has_the_boundaries_that_any_text_has(text: str) -> None:
    """Every part of the text is a word: the ends of those that are found are the boundaries."""
    parts = sorted({text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)})
    found = {(start, end) for start, end, _ in Matcher(parts).find_all(text)}
    bounds = Boundaries(text, "en")
    edges = [at for at in range(len(text) + 1) if bounds.begins(at)]
    assert found == {(start, end) for start in edges for end in edges if start < end}


def test_of_words_that_are_one_but_for_their_spelling_the_first_in_order_is_found() -> None:
    words, folding = ["cafe", "café"], Folding("fr")
    assert Matcher(words, folding).find("cafés") == [(0, 5, 0)]
    assert Matcher(words, folding, order=[1, 0]).find("cafés") == [(0, 5, 1)]
    assert Matcher(words, folding, order=[1, 0]).find("cafe") == [(0, 4, 0)]
