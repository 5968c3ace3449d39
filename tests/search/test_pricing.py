"""What a query says something may cost, and numbers that are no price: in ten languages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.catalog.fields import Fields
from slotbeam.catalog.filters import read_filter
from slotbeam.language.normalize import normalize
from slotbeam.search.pricing import find_prices, price_field

FIELDS = Fields.of([{"price": 12.5, "brand": "acme", "sale": True, "weight_kg": 2.0}])

PRICES: list[tuple[str, str, str, dict[str, float], str]] = [
    ("en", "shoes under 50", "under 50", {"lt": 50}, "an upper bound without a currency"),
    ("en", "shoes under $50", "under $50", {"lt": 50}, "with one"),
    ("en", "shoes below 49.99 eur", "below 49.99 eur", {"lt": 49.99}, "cents"),
    ("en", "shoes < 50 €", "< 50 €", {"lt": 50}, "a sign"),
    ("en", "shoes <50€", "<50€", {"lt": 50}, "without spaces"),
    ("en", "shoes <= 50 €", "<= 50 €", {"lte": 50}, "that includes the bound"),
    ("en", "shoes ≤ 50 €", "≤ 50 €", {"lte": 50}, "written as one"),
    ("en", "shoes > 20 €", "> 20 €", {"gt": 20}, "a lower bound"),
    ("en", "laptop up to 500 dollars", "up to 500 dollars", {"lte": 500}, "in words"),
    ("en", "laptop less than 500", "less than 500", {"lt": 500}, "in words"),
    ("en", "laptop over $500", "over $500", {"gt": 500}, "above"),
    ("en", "laptop from 500 euro", "from 500 euro", {"gte": 500}, "from, with a currency"),
    ("en", "laptop $500 or less", "$500 or less", {"lte": 500}, "words behind"),
    ("en", "laptop $500 and under", "$500 & under", {"lte": 500}, "as the normaliser writes and"),
    ("en", "laptop under 1,500", "under 1,500", {"lt": 1500}, "a comma groups thousands"),
    ("en", "laptop under 1.500,50 €", "under 1.500,50 €", {"lt": 1500.5}, "as in Europe"),
    ("en", "gift under 50 for dad", "under 50", {"lt": 50}, "words behind that are no unit"),
    ("en", "desk 50-100 €", "50-100 €", {"gte": 50, "lte": 100}, "a range"),
    ("en", "desk 50 – 100 €", "50 - 100 €", {"gte": 50, "lte": 100}, "with a dash"),
    ("en", "desk $50-$100", "$50-$100", {"gte": 50, "lte": 100}, "two currencies"),
    ("en", "desk between 20 and 50", "between 20 & 50", {"gte": 20, "lte": 50}, "between says a range by itself"),
    ("en", "desk from 20 to 50 euros", "from 20 to 50 euros", {"gte": 20, "lte": 50}, "from and to"),
    ("de", "jacke unter 50 euro", "unter 50 euro", {"lt": 50}, "German"),
    ("de", "jacke bis 50 €", "bis 50 €", {"lte": 50}, "bis"),
    ("de", "jacke bis zu 50 €", "bis zu 50 €", {"lte": 50}, "bis zu"),
    ("de", "jacke ab 20 €", "ab 20 €", {"gte": 20}, "ab"),
    ("de", "jacke günstiger als 100", "günstiger als 100", {"lt": 100}, "than"),
    ("de", "jacke zwischen 20 und 50 euro", "zwischen 20 und 50 euro", {"gte": 20, "lte": 50}, "zwischen"),
    ("de", "jacke 20 bis 50 euro", "20 bis 50 euro", {"gte": 20, "lte": 50}, "bis between two amounts"),
    ("de", "jacke under 50", "under 50", {"lt": 50}, "English words count everywhere"),
    ("fr", "veste moins de 50 euros", "moins de 50 euros", {"lt": 50}, "French"),
    ("fr", "veste jusqu'à 50 €", "jusquà 50 €", {"lte": 50}, "an apostrophe that the normaliser took out"),
    ("fr", "veste entre 20 et 50 €", "entre 20 et 50 €", {"gte": 20, "lte": 50}, "entre"),
    ("es", "zapatos menos de 50", "menos de 50", {"lt": 50}, "Spanish"),
    ("es", "zapatos mas de 50 euros", "mas de 50 euros", {"gt": 50}, "typed without its accent"),
    ("it", "scarpe meno di 50 euro", "meno di 50 euro", {"lt": 50}, "Italian"),
    ("pt", "sapatos até r$50", "até r$50", {"lte": 50}, "Portuguese, reais"),
    ("nl", "jas onder 50 euro", "onder 50 euro", {"lt": 50}, "Dutch"),
    ("sv", "jacka under 500 kr", "under 500 kr", {"lt": 500}, "Swedish"),
    ("pl", "kurtka do 200 zł", "do 200 zł", {"lte": 200}, "Polish"),
    ("cs", "bunda do 1000 kč", "do 1000 kč", {"lte": 1000}, "Czech"),
    ("ru", "куртка до 5000 руб", "до 5000 руб", {"lte": 5000}, "Russian"),
    ("und", "veste moins de 50 euros", "moins de 50 euros", {"lt": 50}, "a catalog of many languages"),
]
NO_PRICES = [
    ("en", "shelf under 50 cm", "a size"),
    ("en", "shelf under 50cm", "a size in one piece"),
    ("en", "tv under 50 inch", "a size"),
    ("en", 'tv under 50"', "a size"),
    ("en", "tv under 50-inch", "a size"),
    ("en", "bulb under 60 watt", "a power"),
    ("en", "bulb under 60w", "a power"),
    ("en", "dumbbell below 20 lbs", "a weight"),
    ("en", "juice under 100 calories", "calories"),
    ("en", "toys for kids under 12", "an age"),
    ("en", "toys under 12 months", "an age"),
    ("en", "vitamins for women over 50", "an age"),
    ("en", "game over 2", "a lower bound without a currency is none"),
    ("en", "ring from 5 to 9", "sizes"),
    ("en", "desk 50-100", "a range without a currency is a model or a size"),
    ("en", "fabric 50-100 cm", "a size"),
    ("en", "under armour 50", "no number behind the word"),
    ("en", "under", "nothing behind it"),
    ("en", "battery under 50%", "a share"),
    ("en", "i <3 cats", "a heart"),
    ("en", "toys under 5", "so small a number is an age"),
    ("en", "thunder 50", "a part of a word"),
    ("en", "50 shades", "a number alone"),
    ("en", "50 €", "an amount alone bounds nothing"),
    ("en", "desk 100-50 €", "a range that holds nothing"),
    ("en", "scale under 1:50", "a scale"),
    ("en", "bolt under 1/2", "a fraction"),
    ("en", "route below 66x", "a number in a code"),
    ("en", "2 max 4", "no upper bound below ten"),
    ("de", "regal unter 50 cm", "a size"),
    ("de", "spiel ab 12", "an age"),
    ("de", "spiel bis 99 jahre", "an age"),
    ("fr", "jeu moins de 12 ans", "an age"),
    ("es", "juego hasta 12 años", "an age"),
    ("ru", "игра до 12 лет", "an age"),
    ("en", "jacke bis 50", "a German word in an English catalog"),
]


@pytest.mark.parametrize(("language", "query", "text", "bounds", "why"), PRICES)
def test_a_price_is_proposed_as_a_filter(
    language: str, query: str, text: str, bounds: dict[str, float], why: str
) -> None:
    canonical = normalize(query)
    (found,) = find_prices(canonical, language, FIELDS)
    assert (found.text, found.filter) == (text, {"price": bounds}), why
    assert canonical[slice(*found.span)] == text


@pytest.mark.parametrize(("language", "query", "why"), NO_PRICES)
def test_a_number_that_is_no_price_proposes_nothing(language: str, query: str, why: str) -> None:
    assert find_prices(normalize(query), language, FIELDS) == [], why


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"price": 1.0, "preis": 2.0}, "price"),
        ({"preis": 2.0}, "preis"),
        ({"price_eur": 2.0, "weight": 1.0}, "price_eur"),
        ({"Sale Price": 2.0}, "Sale Price"),
        ({"price_eur": 2.0, "price_usd": 2.0}, None),
        ({"price": "12 €"}, None),
        ({"priceless": 2.0}, None),
        ({"weight": 2.0}, None),
        ({}, None),
    ],
)
def test_the_field_of_prices_is_a_field_of_numbers_that_is_called_so(item: dict[str, Any], field: str | None) -> None:
    assert price_field(Fields.of([item])) == field
    assert [each.filter for each in find_prices("shoes under 50 €", "en", Fields.of([item]))] == (
        [{field: {"lt": 50}}] if field else []
    )


def test_a_size_is_proposed_where_a_field_of_numbers_is_called_as_its_unit() -> None:
    (found,) = find_prices("dumbbell under 5 kg", "en", FIELDS)
    assert (found.text, found.filter) == ("under 5 kg", {"weight_kg": {"lt": 5}})


PIECES = st.sampled_from(
    [
        *[
            "under",
            "below",
            "between",
            "and",
            "to",
            "from",
            "-",
            "<",
            ">",
            "<=",
            "50",
            "20",
            "1,500.50",
            "$",
            "€",
            "euro",
            "cm",
            "max",
            "or",
            "less",
            "bis",
            "ab",
            "9",
            "9999999999",
        ],
        "1 000",
    ]
)


@given(st.lists(PIECES, max_size=9).map(" ".join), st.sampled_from(["en", "de", "und", "xx"]))
def test_whatever_is_proposed_is_a_filter_that_the_catalog_takes(query: str, language: str) -> None:
    canonical, at = normalize(query), 0
    for each in find_prices(canonical, language, FIELDS):
        read_filter(FIELDS, each.filter)()
        assert at <= each.span[0]
        assert canonical[slice(*each.span)] == each.text
        at = each.span[1]
