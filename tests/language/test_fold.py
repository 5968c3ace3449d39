from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.kae.matcher import Matcher
from slotbeam.language.boundaries import Boundaries
from slotbeam.language.fold import Folding
from slotbeam.language.normalize import normalize

LANGUAGES = ("de", "en", "fr", "es", "it", "nl", "tr", "ru", "und")
PARTS = ("winter", "jacke", "drucker", "patrone", "ab", "eis")
TEXTS = st.text(alphabet='abtseiéäü15 .,-/"+lm手', max_size=14).map(normalize)
WORDS = st.text(alphabet='abtseiéäü15 .,-/"+lm手', min_size=1, max_size=6).map(normalize).filter(bool)
FOLDINGS = {language: Folding(language, PARTS) for language in LANGUAGES}


@given(st.sampled_from(LANGUAGES), WORDS, WORDS)
def test_being_one_word_is_symmetric_and_a_word_is_itself(language: str, one: str, other: str) -> None:
    folding = FOLDINGS[language]
    assert folding.same(one, other) == folding.same(other, one)
    assert folding.same(one, one) or not folding.keys(one)


@given(st.sampled_from(LANGUAGES), WORDS, TEXTS, TEXTS)
def test_a_text_that_holds_a_word_between_spaces_holds_one_of_its_keys_and_its_terms(
    language: str, word: str, before: str, after: str
) -> None:
    folding = FOLDINGS[language]
    text = f"{before} {word} {after}".strip()
    readings = ["".join(f" {token.key} " for token in reading) for reading in folding.readings(text)]
    assert not folding.keys(word) or any(key in reading for key in folding.keys(word) for reading in readings)
    assert {token.key for token in folding.readings(word)[0]} <= set(folding.terms(text))


@given(st.sampled_from(LANGUAGES), st.lists(WORDS, max_size=5, unique=True), TEXTS)
def test_with_a_folding_more_is_found_and_all_of_it_between_boundaries(
    language: str, words: list[str], text: str
) -> None:
    found = Matcher(words, FOLDINGS[language]).find_all(text)
    assert set(Matcher(words).find_all(text)) <= set(found)
    bounds = Boundaries(text, language)
    for start, end, word in found:
        assert 0 <= start < end <= len(text)
        assert bounds.begins(start)
        assert bounds.ends(end)
        assert 0 <= word < len(words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_saved_folds_as_before(language: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("folding")
    FOLDINGS[language].save(directory)
    loaded = Folding.load(directory)
    assert (loaded.language, loaded.parts) == (language, frozenset(PARTS))
