"""Words of a query by what became of them."""

from __future__ import annotations

import pytest

from slotbeam.language.normalize import normalize
from slotbeam.search.unknown import WordResult, is_countable, split_words, words_that
from support.shop import make_kae

KAE = make_kae()


@pytest.mark.parametrize(
    ("query", "bound", "expected"),
    [
        ("red labubu mug", (), (["labubu"], ["red", "mug"], [])),
        ("red labubu mug", ("labubu",), ([], ["red", "mug"], ["labubu"])),
        ("red mug", ("red mug",), ([], [], ["red", "mug"])),
        ("usb c-labubu!", (), (["labubu"], ["usb", "c"], [])),
        ("拉布布mug 拉布布", (), (["拉布布", "拉布布"], ["mug"], [])),
        ("拉布布毛绒", ("拉布布",), (["毛绒"], [], ["拉布布"])),
        ("1.8m usb2 a,b", (), (["1.8m", "usb2", "a", "b"], [], [])),
        ("Café", (), (["café"], [], [])),
        ("- !", (), ([], [], [])),
    ],
)
def test_words_are_split_by_what_became_of_them(
    query: str, bound: tuple[str, ...], expected: tuple[list[str], list[str], list[str]]
) -> None:
    encoded = KAE.encode(normalize(query))
    spans = [(encoded.text.index(word), encoded.text.index(word) + len(word)) for word in bound]
    words = split_words(encoded, spans)
    assert (
        tuple(words_that(words, result) for result in (WordResult.UNKNOWN, WordResult.KNOWN, WordResult.BOUND))
        == expected
    )
    assert [encoded.text[word.start : word.end] for word in words] == [word.text for word in words]


def test_digits_alone_and_single_characters_are_not_worth_counting() -> None:
    words = ["labubu", "拉布", "20watt", "x", "拉", "2026", "1.8", ""]
    assert [word for word in words if is_countable(word)] == ["labubu", "拉布", "20watt"]
