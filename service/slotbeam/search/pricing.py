"""What a query says something may cost: `under 50`, `20-50 €`, `bis 50 Euro`, as filters on the catalog's field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from slotbeam.catalog.fields import FieldKind, Fields
from slotbeam.language import pricewords as words
from slotbeam.language.boundaries import Span
from slotbeam.language.shapewords import Words, of_language

_SIGN = rf"(?:us|ca|au|nz|hk|r)?[{words.CURRENCY_SIGNS}]"
_MONEY = rf"(?:{_SIGN}|(?:{'|'.join(sorted(words.CURRENCY_WORDS, key=len, reverse=True))})(?!\w))"
_NUMBER = r"\d{1,3}(?:[ .,]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_NO_END = r"(?![-x.,:/]?\w|[%°\"'])"
"""Behind an amount: it is a number in something longer, a size, a share."""
_BEFORE = {"below": "lt", "most": "lte", "above": "gt", "least": "gte"}
_COMPARED = {"<": "lt", "<=": "lte", "=<": "lte", "≤": "lte", ">": "gt", ">=": "gte", "=>": "gte", "≥": "gte"}
_UNIT = re.compile(r" ([^\W\d_]+)")
_PARTS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class ProposedFilter:
    """What a query says of a field.

    Attributes:
        text: canonical, as it stands in the query.
        span: its place there.
        filter: as a request's `filter` takes it.
    """

    text: str
    span: Span
    filter: dict[str, Any]


def find_prices(text: str, language: str, fields: Fields) -> list[ProposedFilter]:
    """Return the bounds that a canonical query sets, in order.

    Without a currency only a range (`between 20 and 50`) and an upper bound are of a price, where nothing says that
    they are an age or a size. A size is proposed where a field of numbers is called as its unit.

    Args:
        text: the query.
        language: of the catalog: which words set bounds; English ones always do.
        fields: of the catalog.
    """
    if not any(map(str.isdigit, text)):
        return []
    found = []
    for said in _bounds(language).finditer(text):
        bounds = _bounds_of(said)
        field = _field_of(text, said, fields) if bounds else None
        if field is not None:
            start, end = said.span()
            if field != price_field(fields) and (unit := _UNIT.match(text, end)):
                end = unit.end()
            found.append(ProposedFilter(text[start:end], (start, end), {field: bounds}))
    return found


@lru_cache(64)
def _bounds(language: str) -> re.Pattern[str]:
    """Return what finds a bound: words or a sign before an amount, two amounts, or words behind one."""

    def any_of(table: Words) -> str:
        return "|".join(map(re.escape, of_language(table, language, "en")))

    def amount(name: str) -> str:
        return rf"(?:{_MONEY} ?)?(?P<{name}>{_NUMBER})(?: ?{_MONEY})?"

    tables = {"most": words.AT_MOST, "least": words.AT_LEAST, "below": words.BELOW, "above": words.ABOVE}
    before = "|".join(f"(?P<{name}>{any_of(table)})" for name, table in tables.items())
    two = rf"{amount('low')} ?(?:-|(?<= )(?:{any_of(words.TO)})(?= )) ?{amount('high')}"
    return re.compile(
        rf"(?<!\S)(?:(?:(?P<between>{any_of(words.BETWEEN)}) |(?:{any_of(words.FROM)}) )?{two}"
        rf"|(?:(?:{before}) |(?P<compared>[<>]=?|=[<>]|[≤≥]) ?){amount('limit')}"
        rf"|{amount('top')} (?:{any_of(words.OR_LESS)})(?!\w)){_NO_END}"
    )


def _bounds_of(said: re.Match[str]) -> dict[str, float]:
    """Return the bounds of a field; none where they bound nothing."""
    if said["limit"]:
        name = next((bound for word, bound in _BEFORE.items() if said[word]), None) or _COMPARED[said["compared"]]
        return {name: _number(said["limit"])}
    if said["top"]:
        return {"lte": _number(said["top"])}
    low, high = _number(said["low"]), _number(said["high"])
    return {"gte": low, "lte": high} if low < high else {}


def _field_of(text: str, said: re.Match[str], fields: Fields) -> str | None:
    """Return the field that an amount is one of."""
    if re.search(_MONEY, said[0]):
        return price_field(fields)
    behind = _UNIT.match(text, said.end())
    if behind and behind[1] in words.OTHER_UNITS:
        named = [name for name in _numbers(fields) if _PARTS.split(name.casefold())[-1] == behind[1]]
        return named[0] if len(named) == 1 else None
    before = text[: said.start()].split()
    is_price = said["between"] or said["most"] or said["below"] or (said["compared"] or "")[:1] in ("<", "=", "≤")
    if not is_price or (before and before[-1] in words.PERSONS) or _largest(said) < _LEAST:
        return None
    return price_field(fields)


_LEAST = 10
"""Without a currency a smaller number is an age, a count or a version."""


def price_field(fields: Fields) -> str | None:
    """Return the field of prices: the one that is called so, or the only one whose name holds such a word."""
    numbers = _numbers(fields)
    for name in words.PRICE_FIELDS:
        if name in numbers:
            return name
    named = [name for name in numbers if set(words.PRICE_FIELDS) & set(_PARTS.split(name.casefold()))]
    return named[0] if len(named) == 1 else None


def _numbers(fields: Fields) -> list[str]:
    return [name for name, field in fields.items() if field.kind is FieldKind.NUMBER]


def _largest(said: re.Match[str]) -> float:
    return max(_number(said[name]) for name in ("limit", "top", "high") if said[name])


def _number(text: str) -> float:
    """Read an amount: a point or comma before three digits groups thousands, another one begins the cents."""
    whole, cents = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", text).groups()  # type: ignore[union-attr]
    number = float(f"{re.sub(r'[ .,]', '', whole)}.{cents or 0}")
    return int(number) if number.is_integer() else number
