"""Fields of the page's forms to bodies of `/admin`, which checks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from slotbeam.api.http.bodies import check_media_type, read_bytes
from slotbeam.errors import BodyError

MAX_FIELDS = 100

Form = Mapping[str, str]
"""Name → text; of a name that is given twice, the last."""


async def read_form(request: Request, limit: int) -> Form:
    """Read a form as browsers send it. Raises `BodyError`, `UnsupportedMedia`, `TooLarge`."""
    check_media_type(request, "application/x-www-form-urlencoded")
    raw = await read_bytes(request, limit)
    try:
        fields = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise BodyError(f"the form is not UTF-8, or has more than {MAX_FIELDS} fields") from None
    return dict(fields)


def binding_body(form: Form) -> dict[str, Any]:
    """Return what a form says of a binding, as `POST` and `PATCH /admin/slots` take it."""
    zone = form.get("zone", "UTC")
    match: bool | str = {"": False, "true": True}.get(form.get("match", ""), form.get("match", ""))
    return {
        "words": lines(form.get("words", "")),
        "category": form.get("category", ""),
        "items": {"ids": lines(form.get("items", "")), "match": match},
        "placement": form.get("placement", "top"),
        "near_miss": "near_miss" in form,
        "exact": "exact" in form,
        "draft": "draft" in form,
        "starts_at": zoned(form.get("starts_at", ""), zone),
        "ends_at": zoned(form.get("ends_at", ""), zone),
        "owner": form.get("owner", ""),
        "reason": form.get("reason", ""),
        "sample_queries": lines(form.get("samples", "")),
    }


def lines(text: str) -> list[str]:
    """Return what stands between line breaks and commas."""
    return [part for part in (one.strip() for one in text.replace(",", "\n").splitlines()) if part]


def zoned(text: str, zone: str) -> str | None:
    """Return a time of day of a browser's field in a named zone, as bindings take it; None where it is empty."""
    return f"{text.replace('T', ' ')} {zone}" if text else None
