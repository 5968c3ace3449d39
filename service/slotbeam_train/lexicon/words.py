"""Words as people write them: tokens, plural folding, spelling variants, numbers with units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from slotbeam.language.boundaries import is_cjk

TOKEN = re.compile(r"[^\W_]+(?:[-.'&+][^\W_]+)*\+?")
_UNITS: dict[str, tuple[str, ...]] = {
    "tb": ("tb", "terabyte", "terabytes"),
    "gb": ("gb", "gigabyte", "gigabytes"),
    "mb": ("mb", "megabyte", "megabytes"),
    "kg": ("kg", "kilo", "kilogram", "kilograms", "kgs"),
    "g": ("g", "gram", "grams", "gr"),
    "mg": ("mg",),
    "lb": ("lb", "lbs", "pound", "pounds"),
    "oz": ("oz", "ounce", "ounces"),
    "km": ("km",),
    "m": ("m", "meter", "meters", "metre", "metres"),
    "cm": ("cm", "centimeter", "centimetre"),
    "mm": ("mm", "millimeter", "millimetre"),
    "inch": ("inch", '"', "in", "inches"),
    "ft": ("ft", "foot", "feet", "ft."),
    "l": ("l", "liter", "litre", "liters", "litres", "ltr"),
    "ml": ("ml", "milliliter", "millilitre"),
    "w": ("w", "watt", "watts"),
    "kw": ("kw",),
    "v": ("v", "volt", "volts"),
    "va": ("va",),
    "a": ("amp", "amps"),
    "mah": ("mah",),
    "ah": ("ah",),
    "wh": ("wh",),
    "hz": ("hz", "hertz"),
    "khz": ("khz",),
    "mhz": ("mhz",),
    "ghz": ("ghz",),
    "mp": ("mp", "megapixel", "megapixels"),
    "dpi": ("dpi",),
    "rpm": ("rpm",),
    "db": ("db",),
    "ppm": ("ppm",),
    "mbit/s": ("mbit/s", "mbps", "mbits"),
    "gbit/s": ("gbit/s", "gbps"),
    "btu": ("btu",),
    "pc": ("pc(s)", "pcs", "piece", "pieces"),
    "pack": ("pack", "packs", "pk"),
    "sheets": ("sheets", "sheet"),
    "pages": ("pages", "page"),
    "port": ("port", "ports", "-port"),
    "pin": ("pin", "-pin"),
    "gsm": ("gsm", "g/m²", "g/m2"),
    "克": ("克",),
    "斤": ("斤",),
    "寸": ("寸", "英寸"),
    "片": ("片",),
    "只": ("只",),
    "瓶": ("瓶",),
    "包": ("包",),
    "件": ("件",),
    "支": ("支",),
    "米": ("米",),
    "升": ("升",),
    "毫升": ("毫升",),
    "度": ("度",),
}
_UNIT_OF = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings}
_ALTERNATIVES = "|".join(sorted(map(re.escape, _UNIT_OF), key=len, reverse=True))
SPECIFICATION = re.compile(rf"(?<![\w.,/-])(\d{{1,6}}(?:[.,]\d{{1,3}})?)[ -]?({_ALTERNATIVES})(?![\w])")
_KEEP_S = ("ss", "us", "is", "ics", "as", "os", "news", "lens", "series", "species", "chess")
_IE = frozenset(
    "beanie birdie bootie brownie calorie cookie genie hoodie movie onesie rookie selfie smoothie veggie zombie".split()  # noqa: SIM905
)
_NOT_PLURAL = frozenset(
    [
        "wireless",
        "business",
        "access",
        "address",
        "gas",
        "bus",
        "plus",
        "lens",
        "canvas",
        "atlas",
        "christmas",
        "ios",
        "windows",
        "has",
        "was",
        "this",
        "process",
        "express",
        "glass",
        "class",
        "brass",
        "press",
        "pass",
        "mass",
        "dress",
        "compass",
        "chess",
        "harness",
        "mattress",
    ]
)


@lru_cache(maxsize=1 << 18)
def singular(word: str) -> str:
    """Fold an English plural of one word; anything else comes back as it is."""
    if len(word) < 4 or not (word.isascii() and word.isalpha()) or not word.endswith("s") or word in _NOT_PLURAL:
        return word
    if word.endswith("ies"):
        return word[:-1] if len(word) <= 4 or word[:-1] in _IE else word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    if word.endswith(("knives", "shelves", "scarves", "leaves", "loaves", "halves", "wolves")):
        return word[:-3] + ("fe" if word.endswith("knives") else "f")
    if word.endswith(("ss", "us", "is", "ics")):
        return word
    return word[:-1]


def plural(word: str) -> str:
    """Return the regular English plural of a word or phrase; text of other scripts comes back as it is."""
    if len(word) < 3 or not (word[-1].isascii() and word[-1].isalpha()) or word.endswith("s"):
        return word
    if word.endswith(("x", "sh", "ch", "z")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


@lru_cache(maxsize=1 << 18)
def key(surface: str) -> str:
    """Return what two spellings of one word share: `Wi-Fi`, `wi fi` and `wifi`; `T-shirts` and `t shirt`."""
    parts = surface.replace("-", " ").split(" ")
    parts[-1] = singular(parts[-1])
    joined = parts[0]
    for part in parts[1:]:
        joined += (" " if joined[-1:].isdigit() and part[:1].isdigit() else "") + part
    return joined


def tokens(text: str) -> list[tuple[str, int, int]]:
    """(token, start, end) of canonical text; a run of CJK characters is one token."""
    return [(found[0], found.start(), found.end()) for found in TOKEN.finditer(text)]


def specification(text: str) -> str | None:
    """Return the canonical form of a number with a unit (`128 GB`, `128gb` → `128gb`), or None."""
    found = SPECIFICATION.fullmatch(text)
    return _canonical(found) if found else None


def specifications(text: str) -> Iterator[tuple[str, str, int, int]]:
    """(canonical form, as written, start, end) of every number with a unit."""
    for found in SPECIFICATION.finditer(text):
        yield _canonical(found), found[0], found.start(), found.end()


def spellings(canonical: str) -> tuple[str, ...]:
    """How people write a specification: `128gb`, `128 gb`, `15.6"`, `15.6-inch` …"""
    found = re.fullmatch(r"([\d.]+)(.+)", canonical)
    if found is None or found[2] not in _UNITS:
        return (canonical,)
    number, unit = found[1], found[2]
    written = [canonical]
    for spelling in _UNITS[unit]:
        bare = spelling.lstrip("-")
        written += [number + bare, f"{number} {bare}"]
        if bare.isalpha() and not is_cjk(bare[0]):
            written.append(f"{number}-{bare}")
    return tuple(dict.fromkeys(written))


def is_model(token: str) -> bool:
    """Return whether it is an alphanumeric product code: letters and digits mixed, at least three characters."""
    return (
        len(token) >= 3
        and any(c.isdigit() for c in token)
        and any(c.isalpha() for c in token)
        and not any(is_cjk(c) for c in token)
    )


def _canonical(found: re.Match[str]) -> str:
    number = re.sub(r",(?=\d{3}$)", "", found[1]).replace(",", ".")
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return number + _UNIT_OF[found[2]]
