"""Values of a row, each checked by what it is to become: ids, texts, numbers, words."""

from __future__ import annotations

from typing import Any

from slotbeam.catalog.fields import FieldKind
from slotbeam.catalog.item import FieldValue
from slotbeam.catalog.loaders.numbers import number_of
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.catalog.loaders.plain import plain

CATEGORIES = frozenset(
    (
        *("entity", "modifier", "brand", "material", "style", "function", "location", "audience", "color", "scene"),
        *("specifications", "price", "model", "anchor", "series", "marketing", "season", "pattern"),
    )
)
_KINDS = {FieldKind.KEYWORD: "text", FieldKind.NUMBER: "a number", FieldKind.BOOL: "true or false; or yes, no, 1, 0"}
"""What each kind of a field may be."""
_SUCH_AS = {
    ",": "12,99 or 1.299,00 € (of this locale)",
    ".": "12.99 or $1,299.00 (of this locale)",
    None: '12.99; for any other form name a "locale" in the mapping',
}
"""Decimal sign → numbers that are read."""
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def identifier(place: SourcePlace, field: str, value: Any) -> str:
    """Return an id: text or an integer (kept as its decimal text)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > 256:
        raise place.error(field, value, "text of 1 to 256 characters, or an integer")
    return value


def text(place: SourcePlace, field: str, value: Any, required: bool = False) -> str:
    """Return a text, without HTML; `required` refuses a missing or blank one."""
    if value is None and not required:
        return ""
    found = plain(value) if isinstance(value, str) else None
    if found is None or (required and not found.strip()):
        raise place.error(field, value, "text that is not blank" if required else "text")
    return found


def amount(place: SourcePlace, field: str, value: Any, decimal: str | None = None) -> float:
    """Return a number >= 0; None is 0. Text counts where `decimal` is given."""
    if value is None:
        return 0.0
    if isinstance(value, str) and decimal is not None:
        value = number_of(value, decimal)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise place.error(field, value, "a number >= 0")
    return float(value)


def truth(text: str) -> bool | None:
    """Return whether a text says true or false, in any case; None where it says neither."""
    return _TRUTH.get(text.strip().lower())


def typed(place: SourcePlace, field: str, value: Any, kind: FieldKind, decimal: str | None = None) -> FieldValue:
    """Return a filter value of the kind that the mapping file states; `decimal` reads numbers as `number_of` does."""
    if kind is FieldKind.NUMBER and isinstance(value, str):
        number = number_of(value, decimal)
        if number is None:
            raise place.error(field, value, f"a number such as {_SUCH_AS[decimal]}")
        return number
    if kind is FieldKind.BOOL and isinstance(value, str) and truth(value) is not None:
        return bool(truth(value))
    if kind is FieldKind.NUMBER and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind is FieldKind.BOOL and isinstance(value, bool):
        return value
    if kind is FieldKind.KEYWORD and isinstance(value, str | int) and not isinstance(value, bool):
        return plain(str(value)).strip()
    raise place.error(field, value, _KINDS[kind])
