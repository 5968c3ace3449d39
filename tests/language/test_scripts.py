"""Scripts without spaces: in which texts a word is found, and in which it is not. Cases of our own."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.kae.matcher import Matcher
from slotbeam.language import icu
from slotbeam.language.boundaries import Boundaries
from slotbeam.language.fold import Folding
from slotbeam.language.normalize import normalize
from slotbeam.language.particles import stem, stem_ends

FOUND, MISSED = True, False
Case = tuple[str, str, str, bool, str]
"""(language, stored word, text, whether it is found, why)."""

THAI: list[Case] = [
    ("th", "แก้ว", "แก้วกาแฟ", FOUND, "the first of two words"),
    ("th", "กาแฟ", "แก้วกาแฟ", FOUND, "the last of two words"),
    ("th", "กาแฟ", "แก้วกาแฟสีแดง", FOUND, "in the middle"),
    ("th", "แก้วกาแฟ", "แก้วกาแฟสีแดง", FOUND, "a word of two segments"),
    ("th", "น้ำ", "น้ำจิ้มไก่", FOUND, "AM, which NFKC takes apart, is put together before it is cut"),
    ("th", "ส้ม", "น้ำส้มคั้น", MISSED, "orange juice is a word of the dictionary"),
    ("th", "ตา", "ตากลม", MISSED, "an eye is not in what is dried by the wind"),
    ("th", "รถ", "รถยนต์", MISSED, "a car is one word"),
    ("th", "รถยนต์", "ขายรถยนต์มือสอง", FOUND, "between two other words"),
    ("th", "ข้าว", "ข้าวหอมมะลิ", FOUND, "rice, and what kind"),
    ("th", "ข้าว", "ขาว", MISSED, "another tone is another word"),
    ("th", "ขาว", "ข้าว", MISSED, "and the other way around"),
    ("th", "มะลิ", "ข้าวหอมมะลิ", FOUND, "jasmine, the last word"),
    ("th", "หอม", "ข้าวหอมมะลิ", FOUND, "fragrant, in the middle"),
    ("th", "เคส", "เคสiphone15", FOUND, "Latin letters are apart from Thai ones"),
    ("th", "iphone15", "เคสiphone15สีดำ", FOUND, "on both sides"),
    ("th", "สีดำ", "กระเป๋าสีดำ", FOUND, "black, with AM"),
    ("th", "ดำ", "ดำน้ำ", FOUND, "ICU takes diving for two words"),
    ("th", "เซรามิก", "แก้วเซรามิกสีแดง", FOUND, "a loan word that ICU does not know"),
    ("th", "มาก", "หมาก", MISSED, "inside a syllable"),
    ("th", "กา", "กาแฟ", MISSED, "a kettle is not in coffee"),
    ("th", "แฟ", "กาแฟ", MISSED, "nor is half of it a word"),
    ("th", "500", "น้ำดื่ม500มล", FOUND, "digits are apart from Thai letters"),
    ("th", "น้ำดื่ม", "น้ำดื่ม500มล", FOUND, "and Thai letters from digits"),
    ("th", "โทรศัพท์", "โทรศัพท์มือถือ", FOUND, "phone, of a mobile phone"),
    ("th", "มือ", "โทรศัพท์มือถือ", FOUND, "ICU cuts a mobile into hand and hold"),
    ("th", "ลาบูบู้", "ตุ๊กตาลาบูบู้สีชมพู", FOUND, "a new name, of whole segments"),
    ("th", "เนสกาแฟ", "ซื้อเนสกาแฟเรดคัพ", FOUND, "a brand that ICU cuts elsewhere: fewer characters stay unknown"),
    ("th", "ช็อกโกแลต", "ดาร์กช็อกโกแลต", FOUND, "behind a word that ICU does not know"),
    ("th", "แพนทีน", "แพนทีนราคาพิเศษ", FOUND, "a name, though ICU has other words across its end"),
    ("th", "ช็อกโก", "นมช็อกโกแลต", MISSED, "no name stands inside a word of the dictionary"),
    ("th", "ม่วง", "น้ำมะม่วง", MISSED, "four characters of a word that ICU knows"),
    ("th", "ครา", "ตุ๊กตาครายเบบี้", MISSED, "the single consonant behind it is no word"),
    ("my", "ဒ", "အဒီဒတ်", MISSED, "what ends a syllable starts no word"),
    ("lo", "ກາເຟ", "ນົມກາເຟ", FOUND, "Lao: coffee behind milk"),
    ("lo", "ເຂົ້າ", "ເຂົ້າໜຽວ", FOUND, "rice, and what kind"),
    ("lo", "ມາກ", "ໝາກໂມ", MISSED, "NFKC takes HO MO apart; no word ends inside"),
    ("lo", "ນ້ຳ", "ນ້ຳດື່ມ", FOUND, "AM of Lao"),
    ("lo", "ໂຮງ", "ໂຮງຮຽນ", MISSED, "a school is one word"),
    ("km", "ស្បែកជើង", "ស្បែកជើងកីឡា", FOUND, "Khmer: shoes for sport"),
    ("km", "កីឡា", "ស្បែកជើងកីឡា", FOUND, "sport"),
    ("km", "ជើង", "ស្បែកជើង", MISSED, "a foot is not in shoes"),
    ("km", "គោ", "ទឹកដោះគោ", MISSED, "a cow is not in milk"),
    ("km", "ទូរស័ព្ទ", "ទូរស័ព្ទដៃ", FOUND, "a mobile phone"),
    ("km", "ណៃគី", "អាវណៃគី", FOUND, "a brand that ICU cuts elsewhere"),
    ("my", "ဖိနပ်", "ဖိနပ်အနီ", FOUND, "Burmese: red shoes"),
    ("my", "ရေ", "ရေသန့်", FOUND, "water, purified"),
    ("my", "ဆန်", "ဆန်ပြုတ်", MISSED, "rice is not in gruel"),
    ("my", "ကော်ဖီ", "ကော်ဖီမစ်", FOUND, "coffee, mixed"),
    ("my", "စာ", "စာအုပ်", MISSED, "a letter is not in a book"),
]

JAPANESE: list[Case] = [
    ("ja", "パン", "フライパン", MISSED, "the end of a run of katakana"),
    ("ja", "パン", "パンダ", MISSED, "its beginning"),
    ("ja", "パン", "パン粉", FOUND, "a whole run of katakana"),
    ("ja", "パン", "食パン", FOUND, "a whole run behind a kanji"),
    ("ja", "ビール", "生ビール", FOUND, "though ICU has it as one word"),
    ("ja", "ケーキ", "チョコレートケーキ", MISSED, "never inside a run, whatever stands before"),
    ("ja", "チョコレートケーキ", "大きなチョコレートケーキ", FOUND, "the whole run"),
    ("ja", "ライト", "ハイライト", MISSED, "a lamp is not in a highlight"),
    ("ja", "京都", "東京都", MISSED, "inside Tokyo"),
    ("ja", "東京", "東京都", FOUND, "Tokyo, the city"),
    ("ja", "京都", "京都府", FOUND, "Kyoto, the prefecture"),
    ("und", "京都", "東京都のパン", MISSED, "kana tells that the text is Japanese"),
    ("zh", "京都", "東京都", FOUND, "a Chinese catalog reads it as Chinese"),
    ("ja", "茶", "緑茶", MISSED, "green tea is a word of the dictionary"),
    ("ja", "茶", "日本茶", FOUND, "Japan and tea are two"),
    ("ja", "茶", "お茶漬け", MISSED, "rice with tea is one word"),
    ("ja", "牛", "牛乳", MISSED, "a cow is not in milk"),
    ("ja", "牛乳", "低脂肪牛乳", FOUND, "milk"),
    ("ja", "水", "香水", MISSED, "water is not in perfume"),
    ("ja", "時計", "腕時計", MISSED, "a wrist watch is a word of the dictionary"),
    ("ja", "花", "花火", MISSED, "a flower is not in fireworks"),
    ("ja", "自転車", "電動自転車", FOUND, "an electric bicycle"),
    ("ja", "抹茶", "抹茶味", FOUND, "what tastes of it"),
    ("ja", "醤油", "だし醤油", FOUND, "behind hiragana"),
    ("ja", "おもちゃ", "犬のおもちゃ", FOUND, "hiragana behind a particle"),
    ("ja", "犬", "犬のおもちゃ", FOUND, "a kanji before a particle"),
    ("ja", "おも", "おもちゃ", MISSED, "half a word of hiragana"),
    ("ja", "ちいかわ", "ちいかわぬいぐるみ", FOUND, "a new name, of whole segments"),
    ("ja", "らーめん", "醤油らーめん", FOUND, "a long vowel in hiragana"),
    ("ja", "プリンター", "プリンタ用紙", FOUND, "a long vowel at the end is written or not"),
    ("ja", "バター", "バタ", MISSED, "but not of a short word"),
    ("ja", "labubu", "新作labubuぬいぐるみ", FOUND, "Latin letters are apart"),
    ("ja", "本", "3本", MISSED, "a counter is no book"),
    ("ja", "本", "本3冊", FOUND, "books, counted"),
    ("ja", "かき", "がき", MISSED, "a voiced sound is another"),
    ("ja", "ﾊﾟﾝ", "食パン", FOUND, "half-width katakana"),
    ("ja", "ヨーグルト", "いちごヨーグルト", FOUND, "katakana behind hiragana"),
    ("ja", "いちご", "いちごヨーグルト", FOUND, "hiragana before katakana"),
]

KOREAN: list[Case] = [
    ("ko", "사과", "사과", FOUND, "alone"),
    ("ko", "사과", "사과는 달다", FOUND, "before a particle"),
    ("ko", "사과", "빨간 사과를", FOUND, "behind a space, before a particle"),
    ("ko", "사과", "사과와 배", FOUND, "and"),
    ("ko", "사과", "사과에서는", FOUND, "before two particles"),
    ("ko", "사과", "사과문", MISSED, "an apology is no apple"),
    ("ko", "사", "사과", MISSED, "the particle does not follow a vowel"),
    ("ko", "배", "배터리", MISSED, "a pear is not in a battery"),
    ("ko", "배", "배를", FOUND, "one syllable before a particle that is clear"),
    ("ko", "배", "배달", MISSED, "nor in a delivery"),
    ("ko", "콩", "홍콩", MISSED, "a bean is not in Hong Kong"),
    ("ko", "콩", "콩은", FOUND, "beans, the subject"),
    ("ko", "콩", "콩나물", MISSED, "sprouts are a word"),
    ("ko", "포", "포도", MISSED, "a grape is not a bale, too"),
    ("ko", "포도", "포도도", FOUND, "grapes, too"),
    ("ko", "종", "종이", MISSED, "paper is no bell"),
    ("ko", "종이", "종이로", FOUND, "with paper"),
    ("ko", "길", "길이", MISSED, "a length is no road"),
    ("ko", "고양", "고양이", MISSED, "a cat is no city"),
    ("ko", "고양이", "고양이가", FOUND, "a cat, the subject"),
    ("ko", "고양이", "고양이용 간식", FOUND, "for cats"),
    ("ko", "검", "검은 가방", MISSED, "black is no sword"),
    ("ko", "은", "머그컵은", MISSED, "a particle is no silver"),
    ("ko", "은", "은 목걸이", FOUND, "silver, alone"),
    ("ko", "머그컵", "머그컵은", FOUND, "a mug, the subject"),
    ("ko", "머그컵", "곰돌이머그컵", MISSED, "a word begins where its run does"),
    ("ko", "컵", "머그컵", MISSED, "nor is the end of a word one"),
    ("ko", "가방", "가방으로", FOUND, "with a consonant's particle"),
    ("ko", "가방", "가방로", MISSED, "which follows vowels only"),
    ("ko", "물", "물로", MISSED, "in doubt it is no word of one syllable"),
    ("ko", "신발", "신발로", FOUND, "behind ㄹ as behind a vowel"),
    ("ko", "피부", "피부과", MISSED, "a doctor of the skin: the particle does not follow a vowel"),
    ("ko", "전문", "전문가", MISSED, "an expert: the particle does not follow a consonant"),
    ("ko", "소아", "소아과", MISSED, "a doctor of children"),
    ("ko", "labubu", "labubu인형", FOUND, "Latin letters are apart"),
    ("ko", "인형", "labubu인형", FOUND, "and Hangul from them"),
    ("ko", "개", "3개", MISSED, "a counter is no dog"),
    ("ko", "개", "개를", FOUND, "a dog"),
    ("ko", "병", "2병을", MISSED, "a counter before a particle"),
    ("ko", "아이", "아이들", FOUND, "more than one child"),
    ("ko", "아이", "아이스크림", MISSED, "ice is no child"),
]

CHINESE: list[Case] = [
    ("zh", "手机", "苹果手机壳", FOUND, "every place between characters is an edge"),
    ("zh", "手机", "手机", FOUND, "alone"),
    ("zh", "手机壳", "苹果手机壳超薄", FOUND, "inside a sentence"),
    ("zh", "拉布布", "泡泡玛特拉布布挂件", FOUND, "a new name"),
    ("zh", "挂件", "拉布布挂件", FOUND, "the last word"),
    ("zh", "labubu", "新款labubu挂件", FOUND, "Latin letters are apart"),
    ("zh", "挂件", "labubu挂件", FOUND, "and Chinese ones from them"),
    ("zh", "防水", "防水手机", FOUND, "the first word"),
    ("zh", "手机", "平板", MISSED, "not there"),
    ("zh", "手机", "左手、机械", MISSED, "a comma between"),
    ("zh", "手机", "左手 机械", MISSED, "ends of two words"),
    ("zh", "苹果手机", "苹果 手机", FOUND, "a space between whole words"),
    ("zh", "机手", "手机", MISSED, "another order"),
    ("zh", "牛奶", "纯牛奶250ml", FOUND, "before digits"),
    ("zh", "250ml", "纯牛奶250ml装", FOUND, "a size between"),
    ("zh", "箱", "24箱", FOUND, "as it was: a counter counts as a word"),
    ("zh", "茶", "东方美人茶", FOUND, "as it was"),
    ("zh", "绿茶", "茉莉绿茶", FOUND, "as it was"),
    ("zh", "綠茶", "檸檬綠茶", FOUND, "traditional characters"),
    ("zh", "绿茶", "檸檬綠茶", MISSED, "which are other characters than simplified ones"),
    ("zh", "豆漿", "無糖高纖豆漿", FOUND, "traditional characters"),
    ("zh", "鮮", "鮮の味", FOUND, "kana in a Chinese catalog are an ornament"),
    ("zh", "味道", "家の味道", FOUND, "and leave edges around Chinese characters"),
    ("zh", "京都", "东京都", FOUND, "only longer words tell"),
    ("und", "手机", "手机壳", FOUND, "no kana: Chinese"),
    ("en", "手机", "手机壳", FOUND, "in a catalog of any language"),
    ("zh", "红", "红色", FOUND, "as it was"),
    ("zh", "红色", "深红色", FOUND, "as it was"),
    ("zh", "ㄅㄆ", "ㄅㄆㄇ", FOUND, "Bopomofo, as it was"),
    ("zh", "𠀀", "𠀀𠀁", FOUND, "beyond the basic plane"),
    ("zh", "米", "小米手机", FOUND, "only longer words tell"),
    ("zh", "1.5", "1.5米", FOUND, "a decimal number before a character"),
    ("zh", "5米", "1.5米", MISSED, "a size is not inside another"),
]


@pytest.mark.parametrize(("language", "word", "text", "expected", "why"), [*THAI, *JAPANESE, *KOREAN, *CHINESE])
def test_a_word_is_found_where_its_script_has_words(language, word, text, expected, why):
    folding = Folding(language)
    word, text = normalize(word), normalize(text)
    assert bool(Matcher([word], folding).find(text)) == expected, why
    assert bool(Matcher([word], folding, [word]).find(text)) == (expected and word in text), "as it is spelt"


LANGUAGES = ["th", "ja", "ko", "zh", "en"]
PIECES = sorted({piece for _, word, text, *_ in [*THAI, *JAPANESE, *KOREAN, *CHINESE] for piece in (word, text)})
SINGLE = st.sampled_from(
    [*"กาแน้ขมะ์ະຫນໍາ", *"កា្ហវေးန်ရ", *"パンのー茶京都東ん", *"사과는이도배3", *"手机壳", *"a1 -.", "\u0308", "𠀀"]
)
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), SINGLE), min_size=1, max_size=6).map("".join).map(normalize)
WORDS = st.one_of(st.sampled_from(PIECES), st.lists(SINGLE, min_size=1, max_size=4).map("".join)).map(normalize)


@given(WORDS.filter(bool), st.sampled_from(LANGUAGES))
def test_a_word_alone_is_found(word, language):
    assert (0, len(word), 0) in Matcher([word], Folding(language)).find_all(word)
    assert (4, 4 + len(word), 0) in Matcher([word], Folding(language)).find_all(f"abc {word} abc")


@given(TEXTS, st.lists(WORDS.filter(bool), min_size=1, max_size=5, unique=True), st.sampled_from(LANGUAGES))
def test_latin_text_around_it_changes_nothing(text, words, language):
    text = f"ก{text}中"  # of a script without spaces at both ends
    matcher = Matcher(words, Folding(language))
    for before, behind in [("abc ", " def"), ("abc", "def"), ("é", "é")]:
        shifted = [(start + len(before), end + len(before), word) for start, end, word in matcher.find_all(text)]
        around = [word for word, spelt in enumerate(words) if set(spelt) & set("abcdefé")]
        found = matcher.find_all(before + text + behind)
        assert [one for one in found if one[2] not in around] == [one for one in shifted if one[2] not in around]


@given(TEXTS, st.sampled_from(LANGUAGES))
def test_no_thai_word_that_icu_knows_is_cut_by_another(text, language):
    bounds = Boundaries(text, language)
    for run in re.finditer("[\u0e01-\u0e3a\u0e40-\u0e4e]+", text):
        first, last = run.span()
        for start, end in ((a, b) for a in range(first, last) for b in range(a + 1, min(a + 12, last) + 1)):
            if bounds.hold_spelt(start, end):
                word, around = put_together(text[start:end]), put_together(run[0])
                assert put_together(run[0][: start - first]) + word + put_together(run[0][end - first :]) == around
                at = len(put_together(run[0][: start - first]))
                cut = [(a, b) for a, b in known_words(around) if a < at < b or a < at + len(word) < b]
                # A name, which ICU does not know, may cut words, but never stands inside one.
                assert not cut or (not is_known(word) and not any(a <= at and at + len(word) <= b for a, b in cut))


def known_words(run: str) -> list[tuple[int, int]]:
    return [(a, b) for a, b in pairwise((0, *icu.cuts(run), len(run))) if is_known(run[a:b])]


def is_known(word: str) -> bool:
    """Return whether a word is in ICU's dictionary: between two others it is cut out."""
    return icu.cuts(f"ภาพยนตร์{word}ภาพยนตร์") == (8, 8 + len(word))


def put_together(run: str) -> str:
    return run.replace("\u0e4d\u0e32", "\u0e33")


@given(st.text(alphabet="사과배도는이에서를가용들고양", min_size=1, max_size=6))
def test_what_is_taken_off_a_korean_word_is_particles(word):
    for end in stem_ends(word):
        assert 0 < end < len(word)
    assert stem_ends(stem(word)) == []
    assert word.startswith(stem(word))


@pytest.mark.parametrize(
    ("language", "text", "terms"),
    [
        ("th", "น้ำจิ้มไก่", ["น้ำ", "จิ้ม", "ไก่"]),
        ("th", "ข้าวขาว", ["ข้าว", "ขาว"]),
        ("ja", "フライパン 東京 お茶", ["フライパン", "東", "京", "お", "茶"]),
        ("ja", "いちごヨーグルト", ["いちご", "ヨーグルト"]),
        ("ko", "사과를 3개 샀다", ["사과", "3", "개", "샀다"]),
        ("ko", "고양이가 고양이", ["고양이", "고양이"]),
        ("zh", "新款labubu挂件", ["新", "款", "labubu", "挂", "件"]),
        ("my", "ကော်ဖီမစ်", ["ကော်ဖီ", "မစ်"]),
    ],
)
def test_terms_are_words_and_marks_are_letters(language, text, terms):
    assert Folding(language).terms(normalize(text)) == list(map(normalize, terms))
