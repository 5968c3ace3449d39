"""Bodies, headers and query parameters of the control plane, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict
from starlette.requests import Request

from slotbeam.api.problems import shown
from slotbeam.api.schemas import ItemId, Strict
from slotbeam.bindings.binding import LIFECYCLES, MAX_ITEMS, MAX_WORDS
from slotbeam.bindings.times import LOCAL, ends_ms, starts_ms, zone_of
from slotbeam.errors import InputError
from slotbeam.kae.categories import CATEGORIES

MAX_KEY = 64
MAX_WAIT_S = 60.0
MAX_ZONE = 64
MAX_SAMPLES = 8

_SECONDS = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)(ms|s)?", re.ASCII)
_KEY = re.compile(r"[\x21-\x7e]+", re.ASCII)


def _line(text: str) -> str:
    text = " ".join(text.split())
    if not text.isprintable():
        raise ValueError("holds a control or invisible character")
    return text


def _read_by(read: Callable[[str], object]) -> AfterValidator:
    """Check a text by reading it; it stays as it was sent."""

    def check(text: str) -> str:
        read(text)
        return text

    return AfterValidator(check)


_MOMENT: JsonDict = {
    "anyOf": [{"format": "date-time"}, {"pattern": f"^{LOCAL}$"}],
    "examples": ["2026-12-31T00:00:00Z", "2026-12-31 09:00 Europe/Berlin", "2026-12-31"],
}

Word = Annotated[str, Field(max_length=2048)]
Line = Annotated[str, Field(max_length=256), AfterValidator(_line)]
Start = Annotated[str, Field(max_length=64, json_schema_extra=_MOMENT), _read_by(starts_ms)]
End = Annotated[str, Field(max_length=64, json_schema_extra=_MOMENT), _read_by(ends_ms)]
Category = Annotated[str, Field(max_length=64, json_schema_extra=cast(JsonDict, {"enum": list(CATEGORIES)}))]
Placement = Literal["top", "blend", "only"]


class ItemsForm(Strict):
    """Items by id, or every item whose text holds one of the words, or both."""

    ids: list[ItemId] = Field(default_factory=list, max_length=MAX_ITEMS)
    match: bool = False


class BindForm(Strict):
    """`POST /admin/slots` and `PUT /admin/slots/{slot}` (there `slot` is the path's)."""

    words: list[Word] = Field(min_length=1, max_length=MAX_WORDS)
    category: Category
    items: ItemsForm
    slot: Annotated[str, Field(max_length=64)] | None = None
    placement: Placement = "top"
    near_miss: bool = False
    draft: bool = False
    starts_at: Start | None = None
    ends_at: End | None = None
    owner: Line = ""
    reason: Line = ""
    sample_queries: list[Word] = Field(default_factory=list, max_length=MAX_SAMPLES)


class PatchForm(Strict):
    """`PATCH /admin/slots/{slot}`: what is left out stays; `starts_at` and `ends_at` may be set to null."""

    words: list[Word] | None = Field(None, min_length=1, max_length=MAX_WORDS)
    category: Category | None = None
    items: ItemsForm | None = None
    placement: Placement | None = None
    near_miss: bool | None = None
    draft: bool | None = None
    starts_at: Start | None = None
    ends_at: End | None = None
    owner: Line | None = None
    reason: Line | None = None
    sample_queries: list[Word] = Field(default_factory=list, max_length=MAX_SAMPLES)


class AcceptForm(Strict):
    """`POST /admin/suggestions/{word}:accept`: what is left out is as suggested."""

    category: Category | None = None
    items: ItemsForm = Field(default_factory=lambda: ItemsForm(match=True))
    owner: Line = ""


class RowForm(Strict):
    """One row of `POST /admin/slots:import`: what `slotbeam slots export` writes.

    `items` are exactly the items; without any, `match` finds them. `id` and `revision` say what the row was exported
    from; `state` matters only where `draft` is left out; `created_at` is ignored.
    """

    words: list[Word] = Field(min_length=1, max_length=MAX_WORDS)
    category: Category
    items: list[ItemId] = Field(default_factory=list, max_length=MAX_ITEMS)
    match: bool = False
    slot: Annotated[str, Field(max_length=64)] | None = None
    placement: Placement = "top"
    near_miss: bool = False
    draft: bool | None = None
    starts_at: Start | None = None
    ends_at: End | None = None
    owner: Line = ""
    reason: Line = ""
    id: Annotated[str, Field(max_length=64)] | None = None
    state: Literal["draft", "scheduled", "active", "expired", "failed"] | None = None
    revision: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    created_at: Start | None = None


def flag(request: Request, name: str) -> bool:
    """A `true`/`false` query parameter."""
    value = request.query_params.get(name, "false").lower()
    if value not in ("true", "false", "1", "0", ""):
        raise InputError(f"{name} is {shown(value)}; allowed: true, false")
    return value in ("true", "1", "")


def wait_s(request: Request) -> float:
    """`?wait=all|none&timeout=5s` → seconds to wait for every live replica; 0 does not wait."""
    wait = request.query_params.get("wait", "none")
    if wait not in ("all", "none"):
        raise InputError(f"wait is {shown(wait)}; allowed: all, none")
    text = request.query_params.get("timeout", "5s")
    found = _SECONDS.fullmatch(text)
    seconds = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else -1.0
    if not 0 <= seconds <= MAX_WAIT_S:
        raise InputError(f"timeout is {shown(text)}; allowed: 0 to {MAX_WAIT_S:g} s, for example 5s or 500ms")
    return seconds if wait == "all" else 0.0


def update_mode(request: Request) -> bool:
    """`?mode=create|update` of an import: whether rows may replace bindings."""
    mode = request.query_params.get("mode", "create")
    if mode not in ("create", "update"):
        raise InputError(f"mode is {shown(mode)}; allowed: create, update")
    return mode == "update"


def zone_name(request: Request) -> str | None:
    """`?zone=`: the time zone of times that name none, and of those that are shown."""
    name = request.query_params.get("zone")
    try:
        return None if name is None else zone_of(name[:MAX_ZONE]).key
    except ValueError as error:
        raise InputError(f"zone {error}") from None


def count_of(request: Request, name: str, default: int, most: int) -> int:
    """An integer query parameter from 1 to `most`."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and 1 <= int(text) <= most):
        raise InputError(f"{name} is {shown(text)}; allowed: 1 to {most}")
    return int(text)


def idempotency_key(request: Request) -> str | None:
    """The `Idempotency-Key` header: 1 to 64 visible ASCII characters."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]) or len(keys[0]) > MAX_KEY:
        raise InputError(f"Idempotency-Key must be one value of 1 to {MAX_KEY} visible ASCII characters")
    return keys[0]


def lifecycle_filter(request: Request) -> str | None:
    """The `state` query parameter."""
    state = request.query_params.get("state")
    if state is not None and state not in LIFECYCLES:
        raise InputError(f"state is {shown(state)}; allowed: {', '.join(LIFECYCLES)}")
    return state
