"""What is one word and what is not: a row is language, stored word, text, whether it holds it, and why."""

from __future__ import annotations

import pytest

from slotbeam.kae.matcher import Matcher
from slotbeam.language.fold import Folding
from slotbeam.language.normalize import normalize

ACCENTS = """
fr | crème brûlée | creme brulee dessert | yes | typed without accents
fr | creme brulee | Crème Brûlée | yes | stored without accents
fr | creme brulee | chaussures d'été | no | another thing altogether
fr | œuf | oeufs frais | yes | a ligature
fr | pâte | pâté | yes | told by nothing but an accent
fr | café | cafe moulu | yes | acute
de | brötchen | Broetchen | yes | an umlaut written out
de | brötchen | brotchen | yes | an umlaut left out
de | broetchen | Brötchen | yes | stored written out
de | müller | mueller | yes | a name
de | kuchen | Küchen | no | two words but for the umlaut
de | küche | Kueche weiss | yes | the same written out
de | schon | schön | no | two words but for the umlaut
de | straße | strasse | yes | sharp s
de | steuer | stur | no | ue behind e is none
de | israel | israel | yes | ae in a name
de | blau | blaue jacke | yes | ue behind a is none
de | neu | neue schuhe | yes | ue behind e is none
es | piñata | pinata | yes | tilde
es | jamón | jamon serrano | yes | acute
es | jamón | jamaica | no | another word
pt | pão | pao | yes | tilde
pt | maçã | maca | yes | cedilla
pt | açúcar | acucar | yes | both
it | caffè | caffe | yes | grave
it | tè | te verde | yes | grave
sv | köttbullar | kottbullar | yes | umlaut
sv | smör | smor | yes | umlaut
da | smør | smoer | yes | ø written out
da | smør | smor | yes | ø left out
da | blåbær | blaabaer | yes | both written out
no | brød | brod | yes | ø left out
pl | łosoś | losos | yes | stroke
pl | żółty | zolty | yes | dot, acute and stroke
tr | ısırgan | isirgan | yes | dotless i
tr | İncir | incir | yes | dotted capital
tr | çay | cay | yes | cedilla
tr | şeker | seker | yes | cedilla
el | καφές | καφες | yes | tonos
el | ΚΑΦΈΣ | καφές | yes | capitals and final sigma
vi | đường | duong | yes | stroke and tones
cs | čaj | caj | yes | caron
ro | brânză | branza | yes | circumflex and breve
ar | أرز | ارز | yes | hamza
ar | قهوة | قهوه | yes | teh marbuta
ru | чай | чаи | no | й is a letter of its own
und | résumé | resume | yes | of no language
und | müsli | mueslis | no | of no language, nothing has endings
"""

ENDINGS = """
en | sneaker | white sneakers | yes | plural
en | sneakers | a sneaker | yes | stored in the plural
en | berry | berries | yes | ies
en | cookie | cookies | yes | ies of ie
en | potato | potatoes | yes | oes
en | shoe | shoes | yes | oe
en | box | boxes | yes | xes
en | knife | steak knives | yes | ves
en | shelf | bookshelves shelves | yes | ves
en | woman | women | yes | irregular
en | man | men's shirt | yes | irregular and possessive
en | mouse | two mice | yes | irregular
en | university | universe | no | another word
en | organ | organization | no | made of it
en | organization | organizations | yes | plural
en | general | generic | no | another word
en | new | news | no | another word
en | short | shorts | no | another word
en | pant | pants | no | another word
en | glass | glasses | yes | plural
en | gas | gass | no | no plural
en | bus | bu | no | no plural
en | dress | dre | no | no plural
en | wireless | wireles | no | no plural
en | lens | len | no | no plural
en | paint | painter | no | made of it
en | hand | handle | no | another word
en | van | vans | no | a brand
de | jacke | jacken | yes | plural
de | schuh | schuhe | yes | plural
de | maus | mäuse | yes | plural with an umlaut
de | haus | häuser | yes | plural with an umlaut
de | apfel | äpfel | yes | plural with an umlaut
de | rot | roter rock | yes | adjective
de | kissen | kissens | yes | genitive
de | druck | drucker | no | made of it
de | watt | watte | no | another word
de | lesen | leser | no | made of it
fr | chaussure | chaussures | yes | plural
fr | cheval | chevaux | yes | aux
fr | gâteau | gâteaux | yes | eaux
fr | poire | poivre | no | another word
fr | port | porte | no | another word
fr | noir | chaussures noires | yes | adjective
fr | carte | cartons | no | another word
es | zapato | zapatos | yes | plural
es | color | colores | yes | plural
es | luz | luces | yes | ces
es | puerto | puerta | no | another word
es | negro | camisas negras | yes | adjective
es | libro | libra | no | another word
it | pomodoro | pomodori | yes | plural
it | pesce | pesci | yes | plural
it | pesca | pesche | yes | plural
it | pesca | pesce | no | another word
it | scarpa | scarpe | yes | plural
it | porto | porta | no | another word
pt | limão | limões | yes | plural
pt | animal | animais | yes | plural
pt | sapato | sapatos | yes | plural
pt | porto | porta | no | another word
nl | schoen | schoenen | yes | plural
nl | brood | broden | yes | open syllable
nl | jas | jassen | yes | doubled consonant
nl | kaas | kazen | yes | z for s
nl | man | maan | no | another word
sv | flicka | flickor | yes | plural
sv | bil | bilar | yes | plural
sv | skor | sko | yes | plural
da | bog | bøger | yes | irregular
da | stol | stole | yes | plural
no | stol | stolene | yes | definite plural
ru | молоко | молока | yes | case
ru | кофе | кофта | no | another word
tr | elma | elmalar | yes | plural
tr | kitap | kitaplar | yes | plural
fi | talo | talot | yes | plural
hu | alma | almák | yes | plural
und | shoe | shoes | no | of no language
"""

JOINED = """
en | t-shirt | tshirt | yes | joined
en | t-shirt | t shirt | yes | apart
en | t-shirt | t-shirts | yes | plural
en | t-shirt | tshirts | yes | joined plural
en | tshirt | t-shirt | yes | stored joined
en | tshirt | t shirt | yes | a letter that is no word
en | t shirt | tshirt | yes | stored apart
en | wh-1000xm5 | wh1000xm5 | yes | a code
en | wh-1000xm5 | WH 1000 XM5 | yes | a code apart
en | wh1000xm5 | wh-1000xm5 | yes | a code stored joined
en | wh1000xm5 | wh 1000 xm 5 | yes | a code in pieces
en | wh-1000xm5 | wh-1000xm4 | no | another code
en | wh-1000xm5 | wh-1000xm55 | no | another code
en | wh | wh1000xm5 | no | a piece of a code
en | xm5 | wh1000xm5 | no | a piece of a code
en | iphone 15 pro | iphone15 pro | yes | letters and digits
en | iphone15 | iphone 15 | yes | letters and digits
en | iphone | iphone15 | yes | the name of a series
en | iphone | iphone 15 | yes | the name of a series
en | iphone 1 | iphone15 | no | a piece of a number
en | 15 | iphone15 | no | a piece of a name
en | xm | xm5 | no | too short for a name
en | e-bike | ebike | yes | joined
en | e-bike | e bike | yes | apart
en | ebike | e-bikes | yes | plural
en | carpet | car pet bed | no | words apart
en | therapist | the rapist | no | words apart
en | notable | no table | no | words apart
en | abed | a bed | no | a word of one letter
en | ipad | i pad | no | a word of one letter
en | usa | u.s.a. flag | yes | initials
en | wifi | wi-fi router | yes | hyphen
en | wi-fi | wi fi router | yes | apart
en | c++ | c book | no | signs that mean something
en | vitamin c | vitamin-c | yes | hyphen
fr | l'eau | l eau | yes | a letter that is no word
fr | à jour | ajour | no | a word of one letter
de | e-mail | email | yes | joined
de | u-boot | uboot | yes | joined
es | y pan | ypan | no | a word of one letter
it | e pane | epane | no | a word of one letter
und | x-box | xbox | yes | joined
"""

UNITS = """
en | 5" | 5 in | yes | inch
en | 5" | 5-inch display | yes | inch
en | 5" | 5 inches | yes | inch
en | 5" | 5” screen | yes | a quotation mark
en | 5 inch | 5" screen | yes | stored in words
en | 5" | 15" | no | another number
en | 2" | 1/2" | no | inside of a fraction
en | 1/2" | 1/2 inch pipe | yes | a fraction
en | 1/2" | 0.5" | yes | a fraction as a decimal
en | 1-1/2" | 1 1/2 in | yes | a mixed number
en | 1-1/2" | 1.5 inch | yes | a mixed number as a decimal
en | 1/2" | 1-1/2" | no | inside of a mixed number
en | 5 inch | 5 in 1 | no | a preposition
en | 500ml | 500 ml | yes | a space
en | 500ml | 0.5 l | yes | in litres
en | 500ml | 50 cl | yes | in centilitres
en | 500 ml | 0.5 litre | yes | in words
en | 500ml | 1500ml | no | another number
en | 500ml | 500 mg | no | another system
en | 1 kg | 1000 g | yes | one system
en | 1 kg | 2.2 lb | no | another system
en | 1 tb | 1000 gb | yes | as they are sold
en | 10 cm | 100 mm | yes | one system
en | 6 ft | 6 feet | yes | feet
en | 1,000 ml | 1 litre | yes | thousands of English
en | 8 m | 1.8 m | no | inside of a number
en | 5 km | 5 km/h | yes | as it is spelt
en | 60 km | 60km/h | yes | as it is spelt but for a space
en | 60w | 60 watt bulb | yes | watts
de | 0,5 l | 500ml | yes | decimal comma
de | 1.000 ml | 1 l | yes | thousands of German
de | 1,5 liter | 1.5 l | yes | both signs
de | 1.000 ml | 1 ml | no | a thousand is not one
de | 55 zoll | 55" fernseher | yes | unit of the language
de | 5 zoll | 5 in der packung | no | a preposition
de | 250 gramm | 250g | yes | grams
fr | 32 pouces | 32" | yes | unit of the language
fr | 0,75 l | 75 cl | yes | decimal comma
fr | 2 litres | 2l | yes | litres
es | 40 pulgadas | 40" | yes | unit of the language
es | 1,5 l | 1500 ml | yes | decimal comma
it | 10 pollici | 10" | yes | unit of the language
ru | 10 дюймов | 10" | yes | unit of the language
ru | 0,5 л | 500 мл | yes | decimal comma
nl | 1,5 liter | 1,5l | yes | decimal comma
und | 0,5 l | 500 ml | yes | a comma that groups nothing
"""

PARTS = {
    "de": "winter jacke regen drucker patrone garten hand schuh tisch decke arbeit hose reis wand bus kinder wagen tee "
    "kräuter öl olive oliven schule ranzen lein eis leder tasche damen ei",
    "nl": "winter jas tuin stoel kinder wagen keuken tafel",
    "sv": "vinter jacka barn vagn",
    "da": "vinter jakke",
    "no": "vinter jakke",
    "fr": "orange eau huile olive",
    "en": "car pet winter jacket",
}
COMPOUNDS = """
de | jacke | Winterjacke | yes | the head
de | jacke | Winterjacken | yes | the head in the plural
de | jacke | Damenwinterjacke | yes | the head of three
de | winterjacke | winter jacke | yes | apart
de | winter jacke | Winterjacke | yes | stored apart
de | winterjacke | Winter-Jacke | yes | hyphen
de | winter | Winterjacke | no | what stands before a head
de | druckerpatrone | Drucker Patrone | yes | apart
de | drucker-patrone | Druckerpatronen | yes | joined, plural
de | drucker patrone | Drucker-Patrone | yes | hyphen
de | drucker | Druckerpatrone | no | what stands before a head
de | hose | Arbeitshose | yes | a linking s
de | arbeit hose | Arbeitshose | yes | the linking s is of no word
de | tasche | Ledertaschen | yes | plural
de | öl | Olivenöl | no | a head of two letters is none
de | tee | Kräutertee | yes | a short head
de | ei | Eimer | no | no compound
de | bus | Busen | no | no compound
de | reis | Kreis | no | no compound
de | wand | Leinwand | no | a word of its own
de | wand | Gewand | no | a word of its own
de | schuh | Handschuh | no | a word of its own
de | hand | Handschuh | no | a word of its own
de | reis | Preis | no | no compound
de | tisch | tischdecke | no | what stands before a head
de | decke | tischdecke | yes | the head
de | ranzen | Schulranzen | no | a modifier that is no word as it stands
de | rote jacke | rote Winterjacke | no | another word between
de | jacke herren | Winterjacke Herren | yes | the head and what follows
nl | jas | winterjas | yes | the head
nl | stoel | tuinstoelen | yes | the head in the plural
nl | tuin | tuinstoel | no | what stands before a head
nl | wagen | kinderwagen | yes | the head
sv | jacka | vinterjacka | yes | the head
sv | vinter | vinterjacka | no | what stands before a head
da | jakke | vinterjakke | yes | the head
no | jakke | vinterjakke | yes | the head
fr | orange | jus d'orange | yes | elision
fr | eau | l'eau minérale | yes | elision
fr | huile d'olive | huile d olive | yes | elision apart
en | pet | carpet | no | no compounding language
en | jacket | winterjacket | no | no compounding language
"""


def rows(kind: str) -> list[tuple[str, str, str, bool]]:
    table = [[cell.strip() for cell in row.split("|")] for row in kind.strip().splitlines()]
    return [(language, word, text, holds == "yes") for language, word, text, holds, _ in table]


@pytest.mark.parametrize(
    ("language", "word", "text", "holds"),
    [row for kind in (ACCENTS, ENDINGS, JOINED, UNITS, COMPOUNDS) for row in rows(kind)],
)
def test_a_text_holds_the_spellings_of_a_word_and_no_other_words(
    language: str, word: str, text: str, holds: bool
) -> None:
    matcher = Matcher([normalize(word)], Folding(language, PARTS.get(language, "").split()))
    assert bool(matcher.find(normalize(text))) == holds


def test_every_kind_has_a_table_of_thirty_rows_in_both_directions() -> None:
    for kind in (ACCENTS, ENDINGS, JOINED, UNITS, COMPOUNDS):
        verdicts = [holds for _, _, _, holds in rows(kind)]
        assert len(verdicts) >= 30
        assert {True, False} == set(verdicts)
