"""Which language a catalog has, by its titles: right where they tell, none where they do not."""

from __future__ import annotations

import random

import pytest

from slotbeam.catalog.item import Item
from slotbeam.errors import InputError
from slotbeam.indexing.language import LANGUAGES, folding_of, language_of
from slotbeam.language.fold import UNDETERMINED

SHOPS = {
    "en": "red woollen winter jacket for women|stainless steel kitchen knife set|wireless headphones with noise "
    "cancelling|wooden dining table and four chairs|children's waterproof rain boots|garden hose with spray gun|"
    "organic peanut butter without sugar|soft cotton bed sheets",
    "de": "rote winterjacke aus wolle für damen|küchenmesser aus edelstahl|kabellose kopfhörer mit "
    "geräuschunterdrückung|esstisch aus holz mit vier stühlen|wasserdichte gummistiefel für kinder|gartenschlauch mit "
    "brause|erdnussbutter ohne zucker|weiche bettwäsche aus baumwolle",
    "fr": "veste d'hiver rouge en laine pour femme|couteau de cuisine en acier inoxydable|casque sans fil à réduction "
    "de bruit|table à manger en bois et quatre chaises|bottes de pluie pour enfants|tuyau d'arrosage avec pistolet|"
    "beurre de cacahuète sans sucre|draps de lit en coton doux",
    "es": "chaqueta roja de lana para mujer|cuchillo de cocina de acero inoxidable|auriculares inalámbricos con "
    "cancelación de ruido|mesa de comedor de madera con cuatro sillas|botas de agua para niños|manguera de jardín con "
    "pistola|mantequilla de cacahuete sin azúcar|sábanas suaves de algodón",
    "it": "giacca invernale rossa di lana da donna|coltello da cucina in acciaio inossidabile|cuffie senza fili con "
    "cancellazione del rumore|tavolo da pranzo in legno con quattro sedie|stivali da pioggia per bambini|tubo da "
    "giardino con pistola|burro di arachidi senza zucchero|lenzuola morbide di cotone",
    "ru": "красная зимняя куртка из шерсти для женщин|кухонный нож из нержавеющей стали|беспроводные наушники с "
    "шумоподавлением|деревянный обеденный стол|резиновые сапоги для детей|садовый шланг|арахисовая паста без сахара",
    "zh": "红色羊毛冬季女士外套|不锈钢厨房刀具套装|无线降噪耳机|实木餐桌和四把椅子|儿童防水雨靴|花园软管喷枪",
    "ja": "レディース ウール 冬用ジャケット 赤|ステンレス製の包丁セット|ノイズキャンセリング機能付きヘッドホン|"
    "木製のダイニングテーブル|子供用のレインブーツ|砂糖不使用のピーナッツバター",
}


def titles(language: str) -> list[str]:
    return SHOPS[language].split("|")


@pytest.mark.parametrize("language", SHOPS)
def test_the_language_of_a_small_shop_is_told(language: str) -> None:
    assert language_of(titles(language)) == language


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["acme", "bolt", "cobalt"],
        ["zorvex qt-20", "lumiqo", "brantis 4000"],
        ["12345", "0-8-15", "4711"],
        [title for language in SHOPS for title in titles(language)],
    ],
)
def test_brand_names_numbers_and_many_languages_at_once_are_of_none(names: list[str]) -> None:
    assert language_of(names) == UNDETERMINED


def test_the_order_of_the_titles_and_titles_that_come_again_tell_nothing() -> None:
    for language in SHOPS:
        mixed = [*titles(language), *titles(language)[:3]]
        random.Random(0).shuffle(mixed)
        assert language_of(mixed) == language


def test_a_language_that_is_given_is_taken() -> None:
    items = [Item("a", title) for title in titles("de")]
    assert folding_of(items).language == "de"
    assert folding_of(items, "fr").language == "fr"
    assert folding_of(items, UNDETERMINED).language == UNDETERMINED


@pytest.mark.parametrize("given", ["english", "EN", "e", "xx", ""])
def test_a_language_that_is_none_is_refused_with_those_that_are(given: str) -> None:
    with pytest.raises(InputError, match=rf"language '{given}' is unknown; allowed: .*\ben\b.*or und for none or many"):
        folding_of([], given)
    assert given not in LANGUAGES


def test_the_words_that_compounds_are_made_of_are_those_of_several_titles_in_any_order() -> None:
    made = ["winter", "jacke", "winterjacke"]
    items = [Item(f"{word}{n}", f"{word} {n}") for word in made for n in range(3)] + [Item("x", "einzeln")]
    folding = folding_of(items, "de")
    assert folding.parts == folding_of(items[::-1], "de").parts == set(made)
    assert not set(folding.terms("winterjacke")).isdisjoint(folding.terms("jacke"))
    assert not folding_of(items, "en").parts
