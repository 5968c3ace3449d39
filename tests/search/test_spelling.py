"""Which words of a query are taken for others, and which never."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.kae.encode import Match
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.reading import QueryReading, read_query
from slotbeam.search.request import SearchRequest
from slotbeam.search.rewriting import TextChange
from slotbeam.search.snapshot import EMPTY_OVERLAY, Overlay, Snapshot
from slotbeam.types import Slot, Timings
from support.spelling import shop_of

TITLES = {
    "en": (
        "wireless bluetooth headphones black",
        "running shoes waterproof women",
        "iphone 15 leather case",
        "laptop backpack grey",
        "kitchen blender glass 2 l",
        "gaming keyboard rtx4080 bundle",
        "digital camera tripod aluminium",
        "garden trampoline",
        "vacuum cleaner cordless",
        "samsung galaxy charger",
        "press on nails",
        "cotton dress summer",
        "mineral water sparkling",
    ),
    "fr": (
        "crème brûlée vanille",
        "fromage de chèvre frais",
        "yaourt nature brassé",
        "saucisson sec",
        "jus de pamplemousse",
    ),
    "de": (
        "schokolade zartbitter",
        "winterjacke damen",
        "kopfhörer kabellos",
        "mineralwasser classic",
        "brötchen dinkel",
    ),
    "es": ("zapatos negros hombre", "mantequilla sin sal", "galletas de avena", "aceite de oliva virgen"),
    "ru": ("шоколад молочный", "телефон беспроводной", "гречневая крупа", "варенье клубничное"),
    "el": ("σοκολάτα γάλακτος", "παπούτσια γυναικεία", "ελαιόλαδο παρθένο"),
}


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    return {
        language: shop_of(tmp_path_factory.mktemp(language), titles, language) for language, titles in TITLES.items()
    }


@pytest.fixture(scope="module")
def english(shops: dict[str, Artifact]) -> Artifact:
    return shops["en"]


def read(shop: Artifact, query: str, overlay: Overlay = EMPTY_OVERLAY, spelling: bool = True) -> QueryReading:
    return read_query(Snapshot(shop, overlay), SearchRequest(query, spelling=spelling))


def bind(shop: Artifact, *words: str) -> Overlay:
    return build_overlay(shop, [Bound("b", Slot(1, shop.kae.codebook.reserved(1)[0]), words, ("0-0",))])


@pytest.mark.parametrize(
    ("language", "query", "text", "why"),
    [
        ("en", "wireles headphones", "wireless headphones", "a doubled letter halved"),
        ("en", "headphonnes", "headphones", "a letter doubled"),
        ("en", "haedphones", "headphones", "neighbours swapped"),
        ("en", "headphpnes", "headphones", "a neighbouring key"),
        ("en", "headphnes black", "headphones black", "a letter left out"),
        ("en", "bluetotoh headphones", "bluetooth headphones", "two slips in a long word"),
        ("en", "lether case", "leather case", "as it sounds"),
        ("en", "iphnoe 15", "iphone 15", "digits beside a word are no part of it"),
        ("en", "iphnoe 14", "iphone 14", "nor do they speak against it"),
        ("en", "laptpo bakcpack", "laptop backpack", "two words of one query"),
        ("en", "runningshoes", "running shoes", "a space is missing"),
        ("en", "runningshoes women", "running shoes women", "and the query goes on"),
        ("en", "black head phones", "black headphones", "a space too much"),
        ("en", "blue tooth headphones", "bluetooth headphones", "a space too much, one piece known"),
        ("en", "Cordles Vacuum", "cordless vacuum", "however it is written"),
        ("en", "key board gaming", "keyboard gaming", "one piece of three letters"),
        ("en", "trampolene, garden", "trampoline, garden", "what stands between words stays"),
        ("en", "digital-camara", "digital-camera", "a word behind a hyphen"),
        ("en", "samsnug charger", "samsung charger", "a brand"),
        ("fr", "creme brulee vanile", "creme brulee vanille", "marks are no slip, and known spellings stay"),
        ("fr", "fromqge frais", "fromage frais", "AZERTY: q is beside nothing of QWERTY's a"),
        ("fr", "yahourt nature", "yaourt nature", "a silent h"),
        ("fr", "saussisson sec", "saucisson sec", "s for c"),
        ("fr", "pamplemouse", "pamplemousse", "one s"),
        ("de", "shokolade", "schokolade", "a letter left out"),
        ("de", "kopfhöhrer kabellos", "kopfhörer kabellos", "with an umlaut"),
        ("de", "mineralwaser", "mineralwasser", "one s"),
        ("es", "sapatos negros", "zapatos negros", "s for z"),
        ("es", "mantekilla", "mantequilla", "k for qu"),
        ("es", "galetas avena", "galletas avena", "one l"),
        ("ru", "шоклад", "шоколад", "a vowel left out"),
        ("ru", "телефно беспроводной", "телефон беспроводной", "neighbours swapped"),
        ("ru", "клубнечное варенье", "клубничное варенье", "a vowel"),
        ("el", "σοκολατα γαλκτος", "σοκολατα γάλακτοσ", "a letter left out"),
        ("el", "ελαιόλαδδο", "ελαιόλαδο", "a letter doubled"),
    ],
)
def test_a_word_that_nobody_knows_becomes_the_one_that_was_meant(
    shops: dict[str, Artifact], language: str, query: str, text: str, why: str
) -> None:
    assert read(shops[language], query).text == text, why


@pytest.mark.parametrize(
    ("language", "query", "why"),
    [
        ("en", "rtx4070 bundle", "a code is typed as it is meant"),
        ("en", "rtx4070", "also alone"),
        ("en", "iphone 16", "digits are"),
        ("en", "iphnoe15", "letters and digits in one piece are a code"),
        ("en", "blendr-2l", "as are pieces that hyphens join to one"),
        ("en", "csze", "two slips in four letters"),
        ("en", "tve", "words of three letters have too many neighbours"),
        ("en", "drse", "nor in these"),
        ("en", "press dress", "words that the catalog knows"),
        ("en", "headphone", "a plural is no slip"),
        ("en", "shoe woman case", "nor is a singular"),
        ("en", "zwilling kitchen", "a brand that the catalog does not have"),
        ("en", "labubu", "a word of another world"),
        ("en", "qwertyuiop", "no word at all"),
        ("en", "lorem ipsum dolor", "no words of this catalog"),
        ("en", "red mug acme", "words of the dictionary"),
        ("en", "ラップトップ", "a script without spaces"),
        ("en", "笔记本电脑", "Chinese"),
        ("en", "แล็ปท็อป", "Thai"),
        ("en", "шоколад", "another alphabet"),
        ("en", "garden keybord", "no item carries both"),
        ("en", "wireless trampolne", "nor these"),
        ("en", "head phones-2", "in one piece with a digit"),
        ("en", "headphones", "right already"),
        ("fr", "brulee", "without its marks"),
        ("fr", "creme brulee", "likewise"),
        ("fr", "camembert", "another cheese"),
        ("fr", "sel", "three letters"),
        ("de", "brotchen", "without its marks"),
        ("de", "sommerjacke", "another compound"),
        ("de", "winter jakce damen", "nothing near: the catalog has the compound alone"),
        ("de", "kabel", "the beginning of a word is not the word"),
        ("es", "cerveza", "another word"),
        ("ru", "молоко", "another word"),
        ("ru", "чай", "three letters"),
        ("el", "παπουτσια", "without its marks"),
    ],
)
def test_what_may_be_meant_stays_as_it_was_typed(
    shops: dict[str, Artifact], language: str, query: str, why: str
) -> None:
    reading = read(shops[language], query)
    assert (reading.text, reading.corrected) == (normalize(query), ()), why


def test_it_says_what_was_taken_for_what_and_where(english: Artifact) -> None:
    reading = read(english, "black head phones, wireles")
    assert reading.text == "black headphones, wireless"
    assert reading.corrected == (
        TextChange("head phones", "headphones", (6, 17)),
        TextChange("wireles", "wireless", (19, 26)),
    )
    assert reading.typed == "black head phones, wireles"


def test_a_place_in_the_corrected_text_is_one_in_the_typed_query(english: Artifact) -> None:
    reading = read(english, "black head phones wireles bluetooth")
    assert reading.text == "black headphones wireless bluetooth"

    def typed(word: str) -> str:
        start = reading.text.index(word)
        return reading.typed[slice(*reading.span(Match(start, start + len(word), word, 0)))]

    for word in ("black", "bluetooth"):
        assert typed(word) == word
    assert (typed("headphones"), typed("wireless")) == ("head phones", "wireles")
    assert typed("phones") == "head phones", "of a corrected word no part has a place of its own"
    assert typed("black headphones wireless bluetooth") == reading.typed


def test_the_answer_to_a_misspelt_query_is_that_of_the_right_one(english: Artifact) -> None:
    snapshot = Snapshot(english)

    def ask(query: str, spelling: bool = True) -> bytes:
        return retrieve(snapshot, SearchRequest(query, spelling=spelling), Timings()).hits.scores.tobytes()

    assert ask("wireles headphnes") == ask("wireless headphones")
    assert ask("wireles headphnes", spelling=False) != ask("wireless headphones")


def test_a_bound_word_is_never_corrected_and_none_fires_by_a_correction(english: Artifact) -> None:
    assert read(english, "headphnes").text == "headphones"
    assert read(english, "headphnes", bind(english, "headphnes")).text == "headphnes"
    corrected = read(english, "headphnes", bind(english, "headphones"))
    assert (corrected.text, corrected.bound) == ("headphones", ())


@pytest.mark.parametrize("query", ["headphnes", "wireles headphnes", "wireless headphones", "garden trampolene"])
@pytest.mark.parametrize("word", ["headphones", "headphnes deluxe", "trampoline garden", "wireless", "labubu"])
def test_what_is_bound_changes_no_answer_that_does_not_hold_it(english: Artifact, query: str, word: str) -> None:
    overlay = bind(english, word)
    before, after = (
        retrieve(Snapshot(english, own), SearchRequest(query), Timings()) for own in (EMPTY_OVERLAY, overlay)
    )
    if overlay.match(query, 4, english.is_another_word):
        assert after.applied, "it holds the word"
        return
    assert before.reading.text == after.reading.text
    assert before.hits.rows.tolist() == after.hits.rows.tolist()
    assert before.hits.scores.tobytes() == after.hits.scores.tobytes()


def test_a_bound_word_stays_bound_where_words_before_it_are_corrected(english: Artifact) -> None:
    overlay = bind(english, "labubu")
    reading = read(english, "wireles headphnes labubu", overlay)
    [bound] = reading.bound
    assert reading.text[bound.match.start : bound.match.end] == "labubu"
    answer = retrieve(Snapshot(english, overlay), SearchRequest("wireles headphnes labubu"), Timings())
    assert [applied.span for applied in answer.applied] == [(18, 24)]


def test_explain_tells_what_a_word_may_have_been(english: Artifact) -> None:
    answer = retrieve(Snapshot(english), SearchRequest("wireles garden", explain=True), Timings())
    [considered] = answer.facts["spelling"]
    assert (considered["word"], considered["to"]) == ("wireles", None)
    assert considered["candidates"][0]["to"] == "wireless"
    assert considered["candidates"][0]["fits"] is False, "no item carries both"


KNOWN = sorted({word for title in TITLES["en"] for word in title.split()})
LETTERS = "abcdefgh iklmnoprstuvwxyz-4"
queries = st.lists(st.sampled_from(KNOWN) | st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=5).map(
    " ".join
)


@given(words=st.lists(st.sampled_from(KNOWN), min_size=1, max_size=6))
def test_a_query_of_known_words_never_changes(english: Artifact, words: list[str]) -> None:
    query = " ".join(words)
    assert read(english, query).text == query


@given(query=queries.filter(lambda query: bool(normalize(query))))
def test_what_is_corrected_is_not_corrected_again(english: Artifact, query: str) -> None:
    once = read(english, query).text
    assert read(english, once).text == once


@given(query=queries.filter(lambda query: bool(normalize(query))))
def test_with_spelling_off_the_query_is_read_as_it_was_typed(english: Artifact, query: str) -> None:
    reading = read(english, query, spelling=False)
    assert (reading.text, reading.corrected, reading.considered) == (reading.shape.text, (), ())


@given(
    bound=st.text("abcdeghilmnoprstu", min_size=4, max_size=9),
    before=st.lists(st.sampled_from([*KNOWN, "wireles"]), max_size=3),
)
def test_no_bound_word_changes_whatever_stands_beside_it(english: Artifact, bound: str, before: list[str]) -> None:
    reading = read(english, " ".join([*before, bound]), bind(english, bound))
    assert bound in reading.text.split()
    assert all(bound not in each.to.split() for each in reading.corrected)


@given(query=queries.filter(lambda query: bool(normalize(query))))
def test_digits_stay_where_they_were(english: Artifact, query: str) -> None:
    reading = read(english, query)
    assert [c for c in reading.text if c.isdigit()] == [c for c in reading.shape.text if c.isdigit()]
