"""`looks_like`: what a word of a script without spaces would hit besides itself."""

import pytest

from slotbeam.arrays import Strings
from slotbeam.catalog.lookalikes import LookAlikes, looks_like
from slotbeam.language.fold import Folding
from slotbeam.language.normalize import normalize


def like(language, word, titles, words=(), **kwargs) -> LookAlikes:
    texts = Strings.of(list(map(normalize, titles)))
    return looks_like(normalize(word), texts, words, Folding(language), **kwargs)


def test_the_longer_words_that_a_chinese_word_hits_are_told():
    found = like(
        "zh", "手机", ["苹果手机壳", "手机", "新款 手机 支架", "平板"], ["手机壳", "苹果手机支架", "平板", "手机"]
    )
    assert found == LookAlikes({"手机壳": True, "苹果手机支架": True}, {"苹果手机壳": True})


def test_titles_that_hold_the_characters_though_not_as_a_word_are_told():
    found = like("ja", "パン", ["フライパン 26cm", "食パン", "パンダのぬいぐるみ", "パン"], ["フライパン"])
    assert found.words == {"フライパン": False}
    assert found.titles == {"食パン": True, "フライパン 26cm": False, "パンダのぬいぐるみ": False}


def test_thai_is_compared_in_its_canonical_form():
    assert like("th", "น้ำ", ["น้ำจิ้มไก่", "น้ำส้มคั้น"]).titles == {
        normalize("น้ำจิ้มไก่"): True,
        normalize("น้ำส้มคั้น"): False,
    }


@pytest.mark.parametrize("word", ["car", "café", "кот"])
def test_a_word_between_spaces_is_like_no_other(word):
    assert like("en", word, [f"{word}s", f"x{word}"], [f"{word}s"]) == LookAlikes({}, {})


def test_no_more_are_told_than_were_asked_for():
    titles, words = [f"手机壳{number}" for number in range(9)], [f"手机{c}" for c in "壳膜套架"]
    found = like("zh", "手机", titles, words, limit=2)
    assert len(found.words) == len(found.titles) == 2


def test_only_the_title_is_told():
    assert looks_like("手机", Strings.of(["支架\n适合手机壳"]), []).titles == {}
