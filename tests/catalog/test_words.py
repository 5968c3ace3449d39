"""The words of a catalog, as they are spelt."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.arrays import Strings
from slotbeam.catalog.words import NO_WORDS, Words, plain, signature, spelt_words
from slotbeam.catalog.wordsbuilder import WordCounts

LETTERS = "abcdeéoßжщий"
words = st.text(LETTERS, min_size=3, max_size=9)


def edits_apart(a: str, b: str) -> int:
    """Return the optimal string alignment distance, by its recurrence."""
    rows = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(held=st.dictionaries(words, st.integers(0, 99), max_size=30), asked=words, edits=st.integers(0, 2))
def test_words_few_edits_away_are_those_that_the_recurrence_finds(held: dict[str, int], asked: str, edits: int) -> None:
    kept = {plain(word): (word, count) for word, count in held.items()}
    near = Words.of(kept.values()).near(asked, edits)
    assert sorted(near) == sorted(pair for key, pair in kept.items() if edits_apart(plain(asked), key) <= edits)


@given(held=st.dictionaries(words, st.integers(0, 99), max_size=30), asked=words)
def test_a_word_is_counted_in_any_of_its_marks(held: dict[str, int], asked: str) -> None:
    kept = {plain(word): (word, count) for word, count in held.items()}
    of = Words.of(kept.values())
    for word in (asked, *held):
        assert of.count(word) == (kept[plain(word)][1] if plain(word) in kept else -1)


@given(one=words, other=words)
def test_an_edit_changes_two_bits_of_a_signature_at_most(one: str, other: str) -> None:
    apart = signature(one) ^ signature(other)
    edits = edits_apart(one, other)
    assert (apart & signature(one)).bit_count() <= edits
    assert (apart & signature(other)).bit_count() <= edits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wireless mouse", ["wireless", "mouse"]),
        ("wh-1000xm5 headphones", ["headphones"]),
        ("t-shirt, red", ["t", "shirt", "red"]),
        ("crème brûlée", ["crème", "brûlée"]),
        ("iphone15 pro", ["pro"]),
        ("2x mug", ["mug"]),
        ("шоколад и чай", ["шоколад", "и", "чай"]),
        ("ラップトップ case 京都", ["case"]),
        ("แล็ปท็อป bag", ["bag"]),
        ("snake_case", ["snake", "case"]),
        ("", []),
    ],
)
def test_words_that_have_a_spelling_are_letters_of_an_alphabet(text: str, expected: list[str]) -> None:
    assert [match[0] for match in spelt_words(text)] == expected


def built(directory: Path, texts: list[str], known: tuple[str, ...] = (), held: int = 100, cuts: int = 1) -> Words:
    counts = WordCounts(directory, known, held)
    for at in range(cuts):
        counts.add(Strings.of(texts[at::cuts]))
    counts.finish()
    return Words.load(directory)


TEXTS = ["red mug\nmug of clay", "rare\nseldom", "blue mug\nof clay", "créme\ncrème crème", "x\nÉ"]


def test_titles_count_twice_and_what_stands_once_in_a_text_is_left_out(tmp_path: Path) -> None:
    of = built(tmp_path / "words", TEXTS)
    assert dict(zip(of.spelt, of.counts.tolist(), strict=True)) == {
        "red": 2, "mug": 5, "clay": 2, "blue": 2, "rare": 2, "crème": 4,
    }  # fmt: skip
    assert of.count("seldom") == -1


def test_words_of_the_dictionary_are_kept_though_the_catalog_has_none(tmp_path: Path) -> None:
    of = built(tmp_path / "words", TEXTS, known=("sneakers", "usb c cable", "mug", "seldom"))
    assert (of.count("sneakers"), of.count("cable"), of.count("mug"), of.count("seldom")) == (0, 0, 5, 1)


@given(
    texts=st.lists(st.lists(words, min_size=1, max_size=8).map("\n".join), min_size=1, max_size=20),
    cuts=st.integers(1, 5),
)
def test_they_are_the_same_bytes_in_any_order_and_however_few_are_held(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], cuts: int
) -> None:
    folder = tmp_path_factory.mktemp("words")
    built(folder / "whole" / "words", texts)
    built(folder / "cut" / "words", texts[::-1], held=3, cuts=cuts)
    names = sorted(path.name for path in (folder / "whole").rglob("*.npy"))
    assert sorted(path.name for path in (folder / "cut").rglob("*") if path.is_file()) == names
    for name in names:
        assert (folder / "whole" / "words" / name).read_bytes() == (folder / "cut" / "words" / name).read_bytes()
    counts = Counter(plain(word) for text in texts for word in [*text.split("\n"), text.partition("\n")[0]])
    of = Words.load(folder / "cut" / "words")
    assert {plain(word): of.count(word) for word in of.spelt} == {k: n for k, n in counts.items() if n > 1}


def test_an_index_without_words_has_none(tmp_path: Path) -> None:
    assert len(Words.load(tmp_path / "words")) == 0
    assert NO_WORDS.near("mug", 2) == []
    assert NO_WORDS.count("mug") == -1
