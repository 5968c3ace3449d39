"""What a query excludes, and what only looks as if it did: in ten languages."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.language.boundaries import Span
from slotbeam.language.normalize import normalize
from slotbeam.search.excluding import MAX_EXCLUDED, find_exclusions


@dataclass(frozen=True)
class Words:
    """What a dictionary and texts know, given by hand."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()

    def spans(self, text: str) -> list[Span]:
        return [(text.index(word), text.index(word) + len(word)) for word in self.words if word in text]

    def says(self, phrase: str) -> bool:
        return phrase in self.phrases


KNOWN = Words(
    words=("red wine", "t-shirt", "not your mothers", "usb c", "ohne dich", "without you"),
    phrases=("sans sucre", "sin gluten", "ohne zucker", "power steering", "memory card", "not tested"),
)

EXCLUDES = [
    ("en", "shoes -red", ["red"], "a minus before a word"),
    ("en", "-red shoes", ["red"], "also as the first word"),
    ("en", "shoes -red -blue", ["red", "blue"], "each minus counts"),
    ("en", "shoes –red", ["red"], "as a dash that an editor made of it"),
    ("en", 'glass -"red wine"', ["red wine"], "quotes hold words together"),
    ("en", "glass -red wine", ["red"], "a minus reaches over one word, whatever the dictionary knows"),
    ("en", "cotton top -t-shirt", ["t-shirt"], "a hyphen within the word"),
    ("en", "phone -wh-1000xm5", ["wh-1000xm5"], "a model number that begins with a letter"),
    ("en", "dress without red", ["red"], "the word"),
    ("en", "dress without a belt", ["belt"], "an article goes with it"),
    ("en", "glass without red wine", ["red wine"], "as far as a word of the dictionary"),
    ("en", "van without power steering pump", ["power steering"], "as far as what items say"),
    ("en", "camera w/o memory card", ["memory card"], "written short"),
    ("en", "phone without 5g", ["5g"], "a thing with a digit and a letter"),
    ("en", "dress not red", ["red"], "a property"),
    ("en", "not red dress", ["red"], "the property alone, and not what has it"),
    ("en", "dress without red or blue", ["red", "blue"], "or goes on"),
    ("en", "tea without milk nor sugar mug", ["milk", "sugar"], "nor goes on"),
    ("de", "jacke ohne kapuze", ["kapuze"], "German"),
    ("de", "jacke ohne eine kapuze", ["kapuze"], "with an article"),
    ("de", "jacke nicht rot", ["rot"], "a property"),
    ("de", "tee kein zucker", ["zucker"], "kein"),
    ("de", "jacke without hood", ["hood"], "unmistakable in any catalog"),
    ("fr", "veste sans capuche", ["capuche"], "French"),
    ("fr", "veste sans capuche ni poches", ["capuche", "poches"], "ni goes on"),
    ("es", "leche sin lactosa", ["lactosa"], "Spanish"),
    ("it", "giacca senza cappuccio", ["cappuccio"], "Italian"),
    ("pt", "casaco sem capuz", ["capuz"], "Portuguese"),
    ("nl", "jas zonder capuchon", ["capuchon"], "Dutch"),
    ("sv", "jacka utan huva", ["huva"], "Swedish"),
    ("da", "jakke uden hætte", ["hætte"], "Danish"),
    ("no", "jakke uten hette", ["hette"], "Norwegian"),
    ("pl", "kurtka bez kaptura", ["kaptura"], "Polish"),
    ("cs", "bunda bez kapuce", ["kapuce"], "Czech"),
    ("ru", "куртка без капюшона", ["капюшона"], "Russian"),
    ("ro", "lapte fara lactoza", ["lactoza"], "typed without its accents"),
    ("ja", "ワイン -赤", ["赤"], "one character is a word in a script without spaces"),
    ("und", "leche sin lactosa", ["lactosa"], "a catalog of many languages knows the words of all"),
]
EXCLUDES_NOT = [
    ("en", "t-shirt", "a hyphen"),
    ("en", "usb-c hub", "a hyphen in a word of the dictionary"),
    ("en", "wh-1000xm5", "a model number"),
    ("en", "freezer -20°", "a number below zero"),
    ("en", "plate -5 kg", "a number"),
    ("en", "shoes - red", "a dash between spaces"),
    ("en", "a -b", "one letter is an option, and no word"),
    ("en", "shoes -", "nothing behind it"),
    ("en", 'shoes -""', "nothing in quotes"),
    ("en", 'screen -"', "a quote that does not close"),
    ("en", "without", "nothing behind it"),
    ("en", "dress without", "nothing behind it"),
    ("en", "not", "nothing behind it"),
    ("en", "without 2 doors", "a number is no thing"),
    ("en", "not your mothers shampoo", "a brand of the dictionary"),
    ("en", "song without you", "a bound word or one of the dictionary holds the sign"),
    ("en", "the man that would not die", "a title: a verb stands before"),
    ("en", "to be or not to be", "a title"),
    ("en", "dog harness no pull", "no names a quality"),
    ("en", "chanel no 5", "no names a number"),
    ("en", "no-720 screwdriver", "and a series"),
    ("en", "sugar free gum", "a quality"),
    ("en", "sleeveless dress", "a word of its own"),
    ("en", "sin city poster", "Spanish for without is none in English"),
    ("en", "comic sans mug", "nor is French"),
    ("en", "sem microscope", "nor is Portuguese"),
    ("en", "withoutabox", "a part of a word"),
    ("en", "knot red rope", "a part of a word"),
    ("de", "notlicht", "a part of a word"),
    ("de", "not licht", "emergency, in German"),
    ("de", "zuckerfrei", "a quality"),
    ("de", "lied ohne dich", "a word of the dictionary"),
    ("fr", "chaussures pas cher", "cheap"),
    ("fr", "non tissé", "a material"),
    ("es", "zapatos no", "Spanish no is not read"),
    ("sv", "sin jacka", "his, in Swedish"),
]


@pytest.mark.parametrize(("language", "query", "expected", "why"), EXCLUDES)
def test_what_a_query_excludes_is_found(language: str, query: str, expected: list[str], why: str) -> None:
    text = normalize(query)
    assert [each.text for each in find_exclusions(text, language, KNOWN)] == expected, why


@pytest.mark.parametrize(("language", "query", "why"), EXCLUDES_NOT)
def test_what_looks_like_an_exclusion_is_none(language: str, query: str, why: str) -> None:
    assert find_exclusions(normalize(query), language, KNOWN) == [], why


@pytest.mark.parametrize(
    ("language", "query", "is_quality"),
    [
        ("fr", "biscuit sans sucre", True),
        ("fr", "biscuit sans beurre", False),
        ("es", "pan sin gluten", True),
        ("de", "tee ohne zucker", True),
        ("de", "tee -zucker", False),
        ("en", "soap not tested", True),
    ],
)
def test_what_items_say_of_themselves_is_a_quality(language: str, query: str, is_quality: bool) -> None:
    (found,) = find_exclusions(query, language, KNOWN)
    assert found.is_quality is is_quality


PIECES = st.sampled_from(
    ["red", "-red", "without", "not", "or", "-", '-"', '"', "-5", "a", "t-shirt", "no", "-a", "红"]
)


@given(st.lists(PIECES, max_size=12).map(" ".join), st.sampled_from(["en", "fr", "und", "xx"]))
def test_exclusions_come_in_order_apart_from_each_other_and_hold_their_things(query: str, language: str) -> None:
    text = normalize(query)
    found = find_exclusions(text, language, KNOWN)
    assert len(found) <= MAX_EXCLUDED
    at = 0
    for each in found:
        assert at <= each.span[0] < each.thing[0] < each.thing[1] == each.span[1] <= len(text)
        assert each.text == text[slice(*each.thing)].strip('"').strip() != ""
        at = each.span[1]


@given(st.text(alphabet="abcdefgh 0123456789.,", max_size=40), st.sampled_from(["en", "de", "und"]))
def test_without_a_minus_and_its_words_nothing_is_excluded(query: str, language: str) -> None:
    assert find_exclusions(normalize(query), language, KNOWN) == []
