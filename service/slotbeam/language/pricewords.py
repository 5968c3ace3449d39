"""The words by which a query says what something may cost, as the normaliser leaves them; `shapewords` is alike."""

from __future__ import annotations

from slotbeam.language.shapewords import Words

BELOW: Words = {
    "cs": ("pod", "méně než", "levnější než"),
    "da": ("under", "mindre end", "billigere end"),
    "de": ("unter", "weniger als", "günstiger als", "billiger als", "kleiner als"),
    "en": ("under", "below", "less than", "cheaper than", "lower than"),
    "es": ("menos de", "por debajo de", "menor de", "inferior a"),
    "fr": ("moins de", "en dessous de", "sous", "inférieur à"),
    "it": ("sotto", "sotto i", "meno di", "inferiore a"),
    "nb": ("under", "mindre enn", "billigere enn"),
    "nl": ("onder", "minder dan", "goedkoper dan"),
    "no": ("under", "mindre enn", "billigere enn"),
    "pl": ("poniżej", "mniej niż", "taniej niż"),
    "pt": ("menos de", "abaixo de", "por menos de"),
    "ro": ("sub", "mai puțin de"),
    "ru": ("дешевле", "меньше", "менее", "ниже"),
    "sv": ("under", "mindre än", "billigare än"),
}
AT_MOST: Words = {
    "cs": ("do", "maximálně", "max"),
    "da": ("op til", "maks", "højst"),
    "de": ("bis", "bis zu", "höchstens", "maximal", "max"),
    "en": ("up to", "at most", "max", "maximum", "no more than", "not over"),
    "es": ("hasta", "máximo", "max"),
    "fr": ("jusquà", "jusqu'à", "au plus", "maximum", "max", "maxi"),
    "it": ("fino a", "al massimo", "max", "massimo"),
    "nb": ("opptil", "opp til", "maks"),
    "nl": ("tot", "maximaal", "max", "hooguit"),
    "no": ("opptil", "opp til", "maks"),
    "pl": ("do", "maksymalnie", "max"),
    "pt": ("até", "no máximo", "max"),
    "ro": ("până la", "maxim"),
    "ru": ("до", "не дороже", "максимум"),
    "sv": ("upp till", "max", "högst"),
}
ABOVE: Words = {
    "da": ("over", "mere end"),
    "de": ("über", "mehr als", "teurer als"),
    "en": ("over", "above", "more than"),
    "es": ("más de", "mas de", "por encima de"),
    "fr": ("plus de", "au dessus de"),
    "it": ("sopra", "più di", "oltre"),
    "nb": ("over", "mer enn"),
    "nl": ("boven", "meer dan"),
    "no": ("over", "mer enn"),
    "pl": ("powyżej", "więcej niż"),
    "pt": ("mais de", "acima de"),
    "ru": ("дороже", "больше", "более", "выше"),
    "sv": ("över", "mer än"),
}
AT_LEAST: Words = {
    "cs": ("od",),
    "da": ("fra", "mindst"),
    "de": ("ab", "mindestens"),
    "en": ("from", "at least", "starting at", "min", "minimum"),
    "es": ("desde", "a partir de", "mínimo"),
    "fr": ("à partir de", "au moins", "dès"),
    "it": ("da", "a partire da", "almeno"),
    "nb": ("fra", "minst"),
    "nl": ("vanaf", "minstens"),
    "no": ("fra", "minst"),
    "pl": ("od",),
    "pt": ("a partir de", "desde"),
    "ru": ("от",),
    "sv": ("från", "minst"),
}
BETWEEN: Words = {
    "cs": ("mezi",),
    "da": ("mellem",),
    "de": ("zwischen",),
    "en": ("between",),
    "es": ("entre",),
    "fr": ("entre",),
    "it": ("tra", "fra"),
    "nb": ("mellom",),
    "nl": ("tussen",),
    "no": ("mellom",),
    "pl": ("między",),
    "pt": ("entre",),
    "ru": ("между",),
    "sv": ("mellan",),
}
"""What stands before two amounts and says a range by itself."""
FROM: Words = {
    "cs": ("od",),
    "da": ("fra",),
    "de": ("von",),
    "en": ("from",),
    "es": ("de",),
    "fr": ("de",),
    "it": ("da",),
    "nb": ("fra",),
    "nl": ("van",),
    "no": ("fra",),
    "pl": ("od",),
    "pt": ("de",),
    "ru": ("от",),
    "sv": ("från",),
}
"""What may stand there."""
TO: Words = {
    "cs": ("a", "až", "do"),
    "da": ("og", "til"),
    "de": ("und", "bis"),
    "en": ("&", "to"),
    "es": ("y", "a"),
    "fr": ("et", "à"),
    "it": ("e", "a"),
    "nb": ("og", "til"),
    "nl": ("en", "tot"),
    "no": ("og", "til"),
    "pl": ("a", "i", "do"),
    "pt": ("e", "a", "até"),
    "ru": ("и", "до"),
    "sv": ("och", "till"),
}
"""What stands between them, as a hyphen does."""
OR_LESS: Words = {
    "de": ("oder weniger", "maximal", "max"),
    "en": ("or less", "or under", "& under", "or below", "max", "maximum"),
    "es": ("o menos", "máximo"),
    "fr": ("ou moins", "maximum", "max", "maxi"),
    "it": ("o meno", "max"),
    "nl": ("of minder", "max"),
    "pt": ("ou menos", "no máximo"),
    "sv": ("eller mindre", "max"),
}
"""What stands behind an amount."""

CURRENCY_SIGNS = "$€£¥₹₽₺₩₴"
CURRENCY_WORDS = (
    *("euro", "euros", "eur", "dollar", "dollars", "usd", "bucks", "gbp", "quid", "chf", "franken", "kr"),
    *("kronor", "kroner", "sek", "nok", "dkk", "pln", "zł", "zl", "zloty", "złotych", "czk", "kč", "kc", "korun"),
    *("rub", "руб", "рублей", "рубля", "евро", "доллар", "долларов", "lei", "ron", "huf", "forint", "yen", "jpy"),
    *("円", "元", "reais", "real", "brl", "pesos", "mxn", "inr", "rupees", "tl", "lira", "cad", "aud"),
)
PRICE_FIELDS = (
    *("price", "preis", "prix", "precio", "prezzo", "preço", "preco", "prijs", "pris", "cena", "цена", "preț"),
    *("pret", "hinta", "fiyat", "ár", "価格", "价格"),
)
"""What the field of a price is called, or ends or begins with: `sale_price`, `price_eur`."""
PERSONS = frozenset(
    {
        *("age", "aged", "ages", "women", "womens", "men", "mens", "kids", "children", "child", "toddlers"),
        *("toddler", "baby", "babies", "boys", "girls", "adults", "seniors", "people", "kinder", "frauen"),
        *("männer", "enfants", "femme", "femmes", "homme", "hommes", "niños", "mujeres", "bambini", "crianças"),
        *("kinderen", "детей", "dzieci"),
    }
)
"""Before a bound without a currency these say an age: `kids under 5`."""
OTHER_UNITS = frozenset(
    {
        *("mm", "cm", "dm", "m", "km", "in", "inch", "inches", "ft", "feet", "foot", "yd", "yard", "yards", "mg"),
        *("g", "gr", "gram", "grams", "gramm", "kg", "kilo", "kilos", "lb", "lbs", "pound", "pounds", "oz"),
        *("ounce", "ounces", "ml", "cl", "dl", "l", "liter", "liters", "litre", "litres", "gallon", "gallons"),
        *("w", "watt", "watts", "kw", "v", "volt", "volts", "mah", "ah", "wh", "hz", "khz", "mhz", "ghz", "kb"),
        *("mb", "gb", "tb", "db", "dpi", "mp", "bar", "psi", "lm", "lumen", "lumens", "kcal", "cal", "calories"),
        *("kj", "percent", "degrees", "mph", "kmh", "year", "years", "yr", "yrs", "yo", "month", "months", "week"),
        *("weeks", "day", "days", "hour", "hours", "hr", "minute", "minutes", "min", "mins", "second", "seconds"),
        *("sec", "piece", "pieces", "pcs", "pc", "pack", "count", "people", "persons", "players", "jahre"),
        *("jahren", "jahr", "monate", "monaten", "stück", "personen", "zoll", "ans", "mois", "jours", "pouces"),
        *("personnes", "años", "meses", "anni", "mesi", "pollici", "pulgadas", "anos", "jaar", "maanden", "år"),
        *("lat", "let", "лет", "года", "см", "мм", "м", "кг", "г", "гр", "мл", "л", "вт", "шт", "ct", "carat"),
        *("carats", "sq", "gsm", "x", "amp", "amps", "ma", "a", "rpm", "tall", "wide", "long", "lang", "breit"),
        *("hoch", "letters", "pages", "seiten"),
    }
)
"""Behind a number: it is no price."""
