"""Inflectional endings by language: `ending>what it leaves:letters before it`, three where none are given.

The longest ending that fits is taken off, once; an ending that is left as it is guards words that only look inflected,
however short they are.
No ending makes another word (`organization`, `organ`). They are of words without accents. A full word is an ending
with `:0`, and fits compounds, too.
"""

from __future__ import annotations

from typing import NamedTuple


class Endings(NamedTuple):
    """How words of a language are inflected: its endings, and whole words that are another one's form, or "
    "their own."""

    of: str
    words: str = ""


ENDINGS: dict[str, Endings] = {
    "en": Endings(
        "s> ss>ss us>us is>is ics>ics ies>y:2 ie>y sses>ss sse>ss ches>ch:2 che>ch shes>sh:2 xes>x:1 xe>x "
        "zzes>zz oes>o "
        "oe>o knives>knife:0 shelves>shelf:0 scarves>scarf:0 leaves>leaf:0 loaves>loaf:0 halves>half:0 wolves>wolf:0 "
        "wives>wife:0 calves>calf:0 teeth>tooth:0 geese>goose:0 women>woman:0 womens>woman:0",
        "men>man mens>man children>child childrens>child feet>foot mice>mouse menus>menu kiwis>kiwi bikinis>bikini "
        "skis>ski taxis>taxi fabrics>fabric topics>topic comics>comic mosaics>mosaic clinics>clinic tofus>tofu "
        "emus>emu gnus>gnu "
        "news lens canvas atlas christmas texas shorts pants briefs boxers tights overalls blinds goods arms customs "
        "vans series species always perhaps adidas pyjamas pajamas bias alias gallows means does",
    ),
    "de": Endings(
        "e> en> em> es> s> ens> eln>el:2 ern>er:2 innen>in:4 ss>ss us>us is>is os>os as>as glas>glas:0 gras>gras:0 "
        "haus>haus:0 eis>eis:0 hals>hals:0 kurs>kurs:0 puls>puls:0 lachs>lachs:0 autos>auto:0 fotos>foto:0 "
        "videos>video:0 "
        "radios>radio:0 kilos>kilo:0 sofas>sofa:0 pizzas>pizza:0 kameras>kamera:0 tacos>taco:0 kiwis>kiwi:0 "
        "hauser>haus:0 hausern>haus:0 kinder>kind:0 kindern>kind:0 kleider>kleid:0 kleidern>kleid:0 bilder>bild:0 "
        "bildern>bild:0 glaser>glas:0 glasern>glas:0 bucher>buch:0 buchern>buch:0 rader>rad:0 radern>rad:0 "
        "bretter>brett:0 eier>ei:0 eiern>ei:0 huhner>huhn:0 tucher>tuch:0 bander>band:0 schilder>schild:0 "
        "blatter>blatt:0 holzer>holz:0 locher>loch:0 fasser>fass:0 worter>wort:0 manner>mann:0 lammer>lamm:0 "
        "krauter>kraut:0 krautern>kraut:0 felle>fell:0 motoren>motor:0",
        "roter>rot weisser>weiss schwarzer>schwarz blauer>blau gruner>grun gelber>gelb brauner>braun grauer>grau "
        "grosser>gross kleiner>klein neuer>neu langer>lang kurzer>kurz breiter>breit runder>rund "
        "busen mars topfen golden schnitte "
        "watte matte decke marke ware wanne lage latte platte leine das des den dem der die dies alles als was bis",
    ),
    "fr": Endings(
        "s> x>x ss>ss us>us is>is eaux>eau:1 aux>al:2 oux>ou:2 yaux>yau:2 eux>eux ees>e:2 ee>e ais>ais ois>ois "
        "oirs>oir:1 choux>chou:0 eaus>eau:0 jeux>jeu:0 feux>feu:0 cheveux>cheveu:0 pneus>pneu:0 menus>menu:0 "
        "fruits>fruit:0 epis>epi:0 bleus>bleu:0 crus>cru:0 raviolis>ravioli:0 sushis>sushi:0 kiwis>kiwi:0 "
        "biscuits>biscuit:0 tofus>tofu:0 tissus>tissu:0",
        "noire>noir noires>noir bleue>bleu bleues>bleu verte>vert vertes>vert grise>gris grises>gris blanche>blanc "
        "blanches>blanc petite>petit petites>petit grande>grand grandes>grand longue>long longues>long courte>court "
        "courtes>court entiere>entier entieres>entier complete>complet completes>complet noirs>noir yeux>oeil "
        "oeils>oeil anglaise>anglais anglaises>anglais francaise>francais francaises>francais nue>nu nues>nu "
        "moulue>moulu moulues>moulu crue>cru crues>cru cuite>cuit cuites>cuit fraiche>frais fraiches>frais "
        "puree musee poupee fusee bouee cafe fee plus jus bras gras gros dans sans tres pas les des mes ses temps "
        "poids corps puits velours cours os repas matelas ananas cassis lilas cas bas tapas pates>pate",
    ),
    "es": Endings(
        "s> ss>ss us>us is>is as>a os>o es> e> ces>c:2 z>c:2 iones>ion:2",
        "negra>negro negras>negro blanca>blanco blancas>blanco roja>rojo rojas>rojo amarilla>amarillo "
        "amarillas>amarillo pequena>pequeno pequenas>pequeno larga>largo largas>largo corta>corto cortas>corto "
        "nueva>nuevo nuevas>nuevo morada>morado moradas>morado rosada>rosado rosadas>rosado "
        "entera>entero enteras>entero seca>seco secas>seco cruda>crudo crudas>crudo cocida>cocido cocidas>cocido "
        "los las les nos des mas tres gas atlas dos desde entre este sobre",
    ),
    "it": Endings(
        "i>o:2 e>o:2 che>ca:2 ghe>ga:2 chi>co:2 ghi>go:2 ette>etta arpe>arpa:1 ine>ina:2 ole>ola:2 ure>ura:2 "
        "ose>osa:2 ate>ata:2 "
        "adde>adda glie>glia:2 ance>ancia:2 cce>ccia:2 elle>ella:2 esse>essa lle>lla:3 nne>nna:2",
        "rossa>rosso nera>nero bianca>bianco bianche>bianco nere>nero rosse>rosso gialla>giallo gialle>giallo "
        "piccola>piccolo "
        "piccole>piccolo nuova>nuovo nuove>nuovo lunga>lungo lunghe>lungo corta>corto corte>corto grigia>grigio "
        "grige>grigio "
        "intera>intero intere>intero secca>secco secche>secco cruda>crudo crude>crudo cotta>cotto cotte>cotto "
        "mele>mela "
        "pere>pera uova>uovo scarpe>scarpa borse>borsa "
        "sole>sole pelle>pello estate>estat nelle delle dalle alle sulle che perche anche come oltre",
    ),
    "pt": Endings(
        "s> ss>ss us>us oes>ao:1 aes>ao:1 aos>ao:1 ais>al:2 eis>el:2 ois>ol:2 uis>ul:2 is>il:3 ns>m:2 res>r:2 zes>z:2 "
        "ases>as:2 paes>pao:0 maos>mao:0",
        "branca>branco brancas>branco preta>preto pretas>preto amarela>amarelo amarelas>amarelo vermelha>vermelho "
        "vermelhas>vermelho pequena>pequeno pequenas>pequeno nova>novo novas>novo longa>longo longas>longo "
        "inteira>inteiro inteiras>inteiro seca>seco secas>seco cozida>cozido cozidas>cozido "
        "mais dois depois mas tres gas lapis pires atlas onus virus leis pais arres mares lares",
    ),
    "nl": Endings(
        "s> en>+ e>+ ss>ss us>us is>is as>as os>os ens>en ies>ie:2 ieen>ie:2 ien>ie:2 ie>ie es>e eren>er:4 elen>el:3 "
        "oen>oen een>een aas>aas oos>oos ees>ees eis>eis uis>uis oes>oes aus>aus ijs>ijs ee>ee:1 kinderen>kind:0 "
        "kinders>kind:0 "
        "eieren>ei:0 eiers>ei:0 fotos>foto:0 autos>auto:0 pizzas>pizza:0 sofas>sofa:0 mangos>mango:0",
        "peren>peer dagen>dag wegen>weg glazen>glas vaten>vat steden>stad daken>dak gaten>gat spelen>spel de een het "
        "den der des mens keuken>keuken deken>deken laken>laken kussen>kussen wagen>wagen haken>haken varken>varken "
        "kuiken>kuiken molen>molen regen>regen zegen>zegen teken>teken open>open eigen>eigen zonder voor geen "
        "eten tegen",
    ),
    "sv": Endings(
        "arna> erna> orna>a or>a:3 ar> er> en>:3 et>:3 na>:4 s> a> e> ss>ss us>us is>is as>as heten>het heter>het "
        "ornas>a arnas> ernas> ens> ets> arnes> ors>a skor>sko:0 skorna>sko:0 skon>sko:0 bocker>bok:0 hander>hand:0 "
        "fotter>fot:0 tander>tand:0 strander>strand:0",
        "rott>rod vitt>vit nytt>ny blatt>bla gratt>gra flickor>flick flicka>flick "
        "glas gas vatten botten ocken oken socken vapen papper vinter vintrar>vinter fiber leder peter center dator "
        "motor doktor traktor for mor bror som den det ett alla utan utan med eller sen ren",
    ),
    "da": Endings(
        "erne> ene> er> en> et>:3 e> s> ss>ss us>us is>is as>as ers> ens> ets> ernes> enes> born>barn:0 "
        "bornene>barn:0 "
        "bornenes>barn:0 boger>bog:0 hander>hand:0 fodder>fod:0 tander>tand:0 sko>sko:0 skoene>sko:0 skoen>sko:0",
        "rodt>rod hvidt>hvid sort>sort stort>stor nyt>ny glas gas vand vinter peber laeder lader leder papir "
        "for eller "
        "den det der uden med til under over efter motor computer",
    ),
    "no": Endings(
        "ene> er> en> et>:3 e> a>:3 s> ss>ss us>us is>is as>as ers> ens> ets> enes> barna>barn:0 boker>bok:0 "
        "hender>hand:0 "
        "fotter>fot:0 tenner>tann:0 skoene>sko:0 skoen>sko:0",
        "rodt>rod hvitt>hvit stort>stor nytt>ny glas glass gass vann vinter pepper laer for eller den det der "
        "uten med "
        "til under over etter motor",
    ),
    "tr": Endings(
        "lar> ler> lari> leri> larin> lerin> lara> lere> larda> lerde> lardan> lerden> larimiz> lerimiz> "
        "larini> lerini> "
        "si> su> sini> sinin> sine> yi> yu> ya> ye> nin> nun> li>li lu>lu siz>siz suz>suz"
    ),
}
ENDINGS["nb"] = ENDINGS["no"]
"""`+` in Dutch: the syllable that was open is closed (`broden`, `brood`; `jassen`, `jas`)."""
