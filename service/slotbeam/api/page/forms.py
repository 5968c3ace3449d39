"""Fields of the page's forms to bodies of `/admin`, which checks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from slotbeam.api.http.bodies import check_media_type, read_bytes
from slotbeam.catalog.fields import FieldKind
from slotbeam.errors import BodyError

MAX_FIELDS = 300

Form = Mapping[str, str]
"""Name → text; of a name that is given twice, the last."""
Kinds = Callable[[], Mapping[str, FieldKind]]
"""Tells of which kind the values of each field of the catalog are now."""

_YES_OR_NO = {"yes": True, "true": True, "no": False, "false": False}
"""1 and 0 are numbers here."""


async def read_form(request: Request, limit: int) -> Form:
    """Read a form as browsers send it. Raises `BodyError`, `UnsupportedMedia`, `TooLarge`."""
    check_media_type(request, "application/x-www-form-urlencoded")
    raw = await read_bytes(request, limit)
    try:
        fields = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise BodyError(f"the form is not UTF-8, or has more than {MAX_FIELDS} fields") from None
    return dict(fields)


def lines(text: str) -> list[str]:
    """Return what stands between line breaks and commas."""
    return [part for part in (one.strip() for one in text.replace(",", "\n").splitlines()) if part]


def zoned(text: str, zone: str) -> str | None:
    """Return a time of day of a browser's field in a named zone, as bindings take it; None where it is empty."""
    return f"{text.replace('T', ' ')} {zone}" if text else None


def typed(text: str, kind: FieldKind | None) -> Any:
    """Return a value as its field has it; text that is none of its kind stays text, and is refused as such."""
    if kind is FieldKind.BOOL:
        return _YES_OR_NO.get(text.casefold(), text)
    if kind is FieldKind.NUMBER:
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if number.is_integer() else number
    return text


def text_of(value: str | float | None) -> str:
    """Return what a form shows of a field's value, which `typed` reads; "" for none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
