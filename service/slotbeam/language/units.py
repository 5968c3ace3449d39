"""Numbers and what they measure: one key for each way to write a size, within one system of units."""

from __future__ import annotations

import re
from fractions import Fraction

from slotbeam.language.tokens import MEASURE, NUMBER, SIGN, WORD, Piece

DECIMAL_COMMA = frozenset(
    "bg ca cs da de el es et eu fi fr hr hu hy id it lt lv nb nl no pl pt ro ru sk sl sr sv tr uk vi".split()  # noqa: SIM905
)
"""Languages that write `1.000,5`; `UNDETERMINED` and all others write `1,000.5`."""

_UNITS = {
    # base unit: (factor, words)
    "ml": (
        ("1", "ml milliliter milliliters millilitre millilitres millilitro mililitro mililitros millilitri мл 毫升"),
        ("10", "cl centiliter centilitre centilitres centilitro centilitros centilitri"),
        ("100", "dl deciliter decilitre decilitro decilitri"),
        ("1000", "l lt ltr liter liters litre litres litro litros litri litr litry litru л литр литра литров 升"),
    ),
    "g": (
        ("1/1000", "mg milligram milligrams milligramm milligramme milligrammes miligramo miligramos мг"),
        ("1", "g gr gram grams gramm gramme grammes gramo gramos grammo grammi grama gramas gramow г гр грамм 克"),
        ("1000", "kg kgs kilo kilos kilogram kilograms kilogramm kilogramme kilogrammes kilogramo kilogramos кг 公斤"),
    ),
    "mm": (
        ("1", "mm millimeter millimeters millimetre millimetres milimetro milimetros millimetri мм"),
        ("10", "cm centimeter centimeters centimetre centimetres zentimeter centimetro centimetros centimetri см"),
        ("100", "dm"),
        ("1000", "m meter meters metre metres metro metros metri м метр метра метров"),
        ("1000000", "km kilometer kilometers kilometre kilometres kilometro kilometros км"),
    ),
    "in": (
        ("1", '" in inch inches zoll pouce pouces pulgada pulgadas pollice pollici polegada polegadas inci tum '
         "tommer tuum cal cale cali дюйм дюйма дюймов"),
        ("12", "' ft foot feet"),
    ),
    "oz": (("1", "oz ounce ounces"), ("16", "lb lbs pound pounds")),
    "gb": (
        ("1/1000", "mb megabyte megabytes мб"),
        ("1", "gb gig gigabyte gigabytes гб"),
        ("1000", "tb terabyte terabytes тб"),
    ),
    "w": (("1", "w watt watts vatios watios вт ватт"), ("1000", "kw kilowatt kilowatts квт")),
    "wh": (("1", "wh"), ("1000", "kwh")),
    "v": (("1", "v volt volts voltios вольт"),),
    "amp": (("1", "amp amps ampere amperes"),),
    "mah": (("1", "mah мач"), ("1000", "ah")),
    "hz": (("1", "hz hertz гц"), ("1000", "khz"), ("1000000", "mhz"), ("1000000000", "ghz")),
    "mp": (("1", "mp megapixel megapixels"),),
    "lm": (("1", "lm lumen lumens"),),
    "db": (("1", "db dezibel decibel decibels"),),
    "%": (("1", "% percent prozent procent pourcent"),),
}  # fmt: skip
_WORDLIKE = {"in"}
"""In English alone: elsewhere, and before a number ("2 in 1"), a preposition."""
_BASE = {
    word: (base, Fraction(factor))
    for base, sizes in _UNITS.items()
    for factor, words in sizes
    for word in words.split()
}
_FRACTION = re.compile(r"(?:(\d{1,3})-)?(\d{1,3})/(\d{1,3})(?![\d/])")
_NUMBER = re.compile(r"\d{1,15}(?:[.,]\d{1,9})?")
_GROUPED = {",": re.compile(r"[1-9]\d{0,2}(?:,\d{3}){1,4}"), ".": re.compile(r"[1-9]\d{0,2}(?:\.\d{3}){1,4}")}


class Measures:
    """Reads numbers as a language writes them. `UNDETERMINED` reads them as English does."""

    def __init__(self, language: str) -> None:
        self._group = "." if language in DECIMAL_COMMA else ","
        self._english = language == "en"

    def plain(self, number: str) -> str:
        """Return a number without signs between thousands, a decimal point before its fraction; others as they are."""
        if number.isdigit():
            return number
        whole, point, fraction = self._parts(number)
        whole = whole.replace(self._group, "") if _GROUPED[self._group].fullmatch(whole) else whole
        return f"{whole}.{fraction}" if point else whole

    def read(self, text: str, found: list[Piece]) -> list[Piece]:
        """Return the pieces of `text`, a number and its unit as one: `0.5 l` is `500ml`; `found` itself without any."""
        if not any(piece.kind == NUMBER for piece in found):
            return found
        read: list[Piece] = []
        at, any_read = 0, False
        while at < len(found):
            size = self._size(text, found, at) if found[at].kind == NUMBER else None
            read.append(size[0] if size else found[at])
            at += size[1] if size else 1
            any_read = any_read or size is not None
        return read if any_read else found

    def _size(self, text: str, found: list[Piece], at: int) -> tuple[Piece, int] | None:
        """Return the number at `found[at]` and its unit as one piece, and how many pieces these were."""
        first = found[at]
        fraction = _FRACTION.match(text, first.start)
        end = fraction.end() if fraction else first.end
        unit = at
        while unit < len(found) and found[unit].start < end:
            unit += 1
        if unit == len(found) or found[unit].kind not in (WORD, SIGN) or not self._is_unit(text, end, found, unit):
            return None
        value = _mixed(*fraction.groups()) if fraction else self._value(first.text)
        base, factor = _BASE[found[unit].text]
        if value is None:
            return None
        return Piece(f"{value * factor}{base}", first.start, found[unit].end, MEASURE), unit + 1 - at

    def _is_unit(self, text: str, end: int, found: list[Piece], at: int) -> bool:
        word, start, stop = found[at][:3]
        if word not in _BASE or text[end:start] not in ("", " ", "-") or text[stop : stop + 1].isdigit():
            return False
        after = text[stop : stop + 2]
        if after[:1] == "/" and after[1:].isalpha():  # km/h
            return False
        return word not in _WORDLIKE or (self._english and not text[stop : stop + 2].strip(" ").isdigit())

    def _value(self, number: str) -> Fraction | None:
        plain = self.plain(number)
        return Fraction(plain.replace(",", ".")) if _NUMBER.fullmatch(plain) else None

    def _parts(self, number: str) -> tuple[str, str, str]:
        if _GROUPED[self._group].fullmatch(number):
            return number, "", ""
        whole, point, fraction = number.rpartition("," if self._group == "." else ".")
        if not point and number.count(self._group) == 1:  # the other sign, where it can group nothing
            whole, point, fraction = number.partition(self._group)
        return (whole, point, fraction) if point and fraction.isdigit() else (number, "", "")


def _mixed(whole: str | None, over: str, under: str) -> Fraction | None:
    return int(whole or 0) + Fraction(int(over), int(under)) if int(under) else None
