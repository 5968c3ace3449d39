"""Query parameters and headers of the control plane: what they may be, and what the served OpenAPI document says."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import Path
from pydantic import AfterValidator, Field, WithJsonSchema
from starlette.requests import Request

from slotbeam.api.admin.fields import End, Start
from slotbeam.api.admin.history import Filter
from slotbeam.api.admin.models.binding import ActionName
from slotbeam.api.admin.models.rules import RuleState
from slotbeam.api.admin.models.slots import LifecycleName
from slotbeam.api.http.bodies import ITEM_ID
from slotbeam.api.http.query import Digits, Flag, Params
from slotbeam.bindings.binding import ID_PATTERN, MAX_WORD_LENGTH
from slotbeam.bindings.times import ends_ms, starts_ms, zone_of
from slotbeam.bindings.words import MAX_RAW_WORD
from slotbeam.errors import InputError
from slotbeam.kae.categories import CATEGORIES
from slotbeam.language.normalize import normalize
from slotbeam.types import SLOT_PATTERN, Slot

MAX_ENTRY = 2**64 - 1
"""Of the log: what the store takes as an id of its stream."""
MAX_WAIT_S = 60.0
MAX_SEARCH = 256
MAX_ZONE = 64
MAX_KEY = 64

_KEY = re.compile(r"[\x21-\x7e]+", re.ASCII)

_SECONDS = r"^([0-9]{1,4}(\.[0-9]{1,3})?)(ms|s)?$"


def _seconds(text: str) -> float:
    found = re.fullmatch(_SECONDS, text)
    return float(found[1]) / (1000 if found[3] == "ms" else 1) if found else -1.0


def _duration(text: str) -> str:
    if not 0 <= _seconds(text) <= MAX_WAIT_S:
        raise ValueError(f"allowed: 0 to {MAX_WAIT_S:g} s, for example 5s or 500ms")
    return text


def _zone(name: str) -> str:
    try:
        return zone_of(name).key
    except ValueError:
        raise ValueError("allowed: IANA names such as Europe/Berlin, and UTC") from None


Duration = Annotated[str, Field(json_schema_extra={"pattern": _SECONDS}), AfterValidator(_duration)]
Zone = Annotated[str, Field(max_length=MAX_ZONE, examples=["Europe/Berlin"]), AfterValidator(_zone)]

SlotText = Annotated[str, Field(pattern=SLOT_PATTERN, examples=["1-2049"])]
Position = Annotated[str, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": len(CATEGORIES) - 1})]
"""Only the codebook knows how many there are: the route reads the number."""

Limit = Annotated[int, Digits]
PAGE = Field(1000, ge=1, le=1000, description="How many at most")
"""A list that has a `next`."""

SlotPath = Annotated[
    str,
    Path(
        description="A slot, or the id of a binding",
        json_schema_extra={"pattern": f"({SLOT_PATTERN})|(^{ID_PATTERN}$)"},
    ),
]
RulePath = Annotated[str, Path(description="The id of a rule", json_schema_extra={"pattern": f"^{ID_PATTERN}$"})]
RevisionPath = Annotated[str, Path(pattern="^[1-9][0-9]{0,17}$", description="A revision, as /admin/audit tells it")]
ItemPath = Annotated[
    str, Path(description="The id of an item, percent-encoded", json_schema_extra={"minLength": 1, "maxLength": 256})
]
IndexPath = Annotated[
    str,
    Path(
        description="The name of an index: a directory under SLOTBEAM_INDEX_DIR",
        json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
    ),
]
WordPath = Annotated[
    str,
    Path(
        description=f"1 to {MAX_WORD_LENGTH} characters after normalisation",
        json_schema_extra={"minLength": 1, "maxLength": MAX_RAW_WORD},
    ),
]


class SlotsQuery(Params):
    """`GET /admin/slots`: filters, all of which must hold."""

    state: LifecycleName | None = Field(None, description="One state only")
    position: Position | None = Field(None, description="One position only; /info lists those that the codebook has")
    q: str | None = Field(
        None,
        description=f"Part of a word, an id, a slot, an owner or a reason; the first {MAX_SEARCH} characters count",
    )
    bound: Flag = Field(False, description="Leave free slots out")
    limit: Limit = PAGE
    after: str | None = Field(
        None,
        pattern=f"^({SLOT_PATTERN[1:-1]}|{ID_PATTERN})$",
        description="Only what comes behind this slot, or binding id: `next` of the page before",
    )


class RulesQuery(Params):
    """`GET /admin/rules`: filters, all of which must hold."""

    state: RuleState | None = Field(None, description="One state only")
    action: ActionName | None = Field(None, description="Only those that do this")
    q: str | None = Field(
        None,
        description=f"Part of a word, an id, an item, an owner or a reason; the first {MAX_SEARCH} characters count",
    )
    limit: Limit = PAGE
    after: str | None = Field(
        None,
        pattern=rf"^{ID_PATTERN}\.[0-9]{{1,18}}$",
        description="Only what comes behind this rule as it was: `next` of the page before",
    )


class SuggestionsQuery(Params):
    """`GET /admin/suggestions`."""

    count: Annotated[int, Digits] = Field(20, ge=1, le=100, description="How many at most")


class QueriesQuery(Params):
    """`GET /admin/queries`."""

    answered: Literal["none", "unclicked"] = Field(
        "none", description="With how many items: none; or with items of which nobody took one: unclicked"
    )
    count: Annotated[int, Digits] = Field(20, ge=1, le=200, description="How many at most, most asked first")


class AuditQuery(Params):
    """`GET /admin/audit`: filters, all of which must hold."""

    count: Annotated[int, Digits] = Field(100, ge=1, le=1000, description="Entries, newest first")
    before: Annotated[int, Field(ge=1, le=MAX_ENTRY), Digits] | None = Field(None, description="Only revisions before")
    word: str | None = Field(
        None, description=f"A word that a binding had or has, whole; the first {MAX_SEARCH} characters count"
    )
    slot: SlotText | None = Field(None, description="Where a binding was or is")
    binding: str | None = Field(None, max_length=64, description="The id of a binding")
    actor: str | None = Field(None, max_length=64, description="The name of a token, or what acted by itself: expiry")
    since: Start | None = Field(None, description="Committed at this time or after; a date is its first moment")
    until: End | None = Field(None, description="Committed before this time; a date is the end of that day")

    @property
    def filter(self) -> Filter:
        """What entries must be about."""
        return Filter(
            word=None if self.word is None else normalize(self.word[:MAX_SEARCH]),
            slot=None if self.slot is None else str(Slot.parse(self.slot)),
            binding=self.binding,
            actor=self.actor,
            since=starts_ms(self.since),
            until=ends_ms(self.until),
        )


class ItemAuditQuery(Params):
    """`GET /admin/audit/items`: filters, all of which must hold."""

    count: Annotated[int, Digits] = Field(100, ge=1, le=1000, description="Edits, newest first")
    before: Annotated[int, Field(ge=1, le=MAX_ENTRY), Digits] | None = Field(None, description="Only seqs before")
    item: str | None = Field(None, min_length=1, max_length=ITEM_ID, description="The id of an item")
    actor: str | None = Field(None, max_length=64, description="The name of a token, or what acted by itself")
    since: Start | None = Field(None, description="Committed at this time or after; a date is its first moment")
    until: End | None = Field(None, description="Committed before this time; a date is the end of that day")

    @property
    def filter(self) -> Filter:
        """What edits must be about."""
        return Filter(item=self.item, actor=self.actor, since=starts_ms(self.since), until=ends_ms(self.until))


class ItemsQuery(Params):
    """`GET /admin/items`."""

    q: str | None = Field(None, min_length=1, max_length=MAX_SEARCH, description="What to find, as a shopper would")
    limit: Annotated[int, Digits] = Field(20, ge=1, le=200, description="How many at most")


class WriteQuery(Params):
    """Every edit."""

    dry_run: Flag = Field(False, description="Say what it would do, and do nothing")
    wait: Literal["all", "none"] = Field("none", description="Wait for every live replica")
    timeout: Duration = Field("5s", description=f"How long to wait, 0 to {MAX_WAIT_S:g} s")

    @property
    def wait_s(self) -> float:
        """Seconds to wait for every live replica; 0 does not wait."""
        return _seconds(self.timeout) if self.wait == "all" else 0.0


class ZoneQuery(Params):
    """`GET /admin/slots.csv`."""

    zone: Zone | None = Field(
        None, description="Time zone of times that name none, and of those that are shown; UTC otherwise"
    )


class ImportQuery(WriteQuery, ZoneQuery):
    """`POST /admin/slots:import`."""

    mode: Literal["create", "update"] = Field(
        "create",
        description="update: a row replaces the binding that it was exported from, or that holds one of its words",
    )


KEY: dict[str, object] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same request, it answers again and changes nothing",
    "schema": {"type": "string", "pattern": f"^[!-~]{{1,{MAX_KEY}}}$"},
}
IF_MATCH: dict[str, object] = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag that was read",
    "schema": {"type": "string"},
}


def idempotency_key_of(request: Request) -> str | None:
    """Read the `Idempotency-Key` header: 1 to 64 visible ASCII characters."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]) or len(keys[0]) > MAX_KEY:
        raise InputError(f"Idempotency-Key must be one value of 1 to {MAX_KEY} visible ASCII characters")
    return keys[0]
