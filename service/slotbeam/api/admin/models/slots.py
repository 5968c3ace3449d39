"""Slots and bindings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic.config import JsonDict

from slotbeam.api.admin.models.binding import UNSAID, SlotFields
from slotbeam.api.http.models import Count, Moment, Said, StateName, sometimes, with_examples
from slotbeam.bindings.spec import SLOT_TOLD

LifecycleName = Literal["free", "draft", "scheduled", "active", "expired", "failed"]
_PLACE: JsonDict = {"slot": "1-2049", "position": 1, "group": "brand"}
FREE: JsonDict = {**_PLACE, "state": "free"}
_UNREADABLE: JsonDict = {**_PLACE, "state": "failed", "id": "b_7kq2mzd4xa", "error": "NACK:RECORD owner: is missing"}
BOUND: JsonDict = {
    **_PLACE,
    "state": "active",
    "id": "b_7kq2mzd4xa",
    "words": ["labubu"],
    "category": "brand",
    "item_count": 2,
    **{name: value for name, value in UNSAID.items() if name in SLOT_TOLD},
    "match": True,
    "ends_at": "2026-12-31T00:00:00.000Z",
    "owner": "toys",
    "reason": "launch",
    "created_at": "2026-11-27T09:00:00.000Z",
    "revision": 42,
    "etag": '"b_7kq2mzd4xa.42"',
}
_SIGNED: JsonDict = {**BOUND, "changed_by": "merchandising", "changed_at": "2026-11-27T09:00:00.000Z"}


class SlotPlace(Said):
    """Where it is; null for a binding without a slot: a draft, or one of another codebook."""

    slot: str | None
    position: Count | None
    group: str | None


class FreeSlot(SlotPlace, json_schema_extra=with_examples(FREE)):
    """A reserved slot that nothing is bound to."""

    state: Literal["free"]


class UnreadableSlot(SlotPlace, json_schema_extra=with_examples(_UNREADABLE)):
    """A slot held by a binding whose record cannot be read."""

    state: Literal["failed"]
    id: str
    error: str | None


class BoundSlot(SlotFields, SlotPlace, json_schema_extra=with_examples(BOUND)):
    """A binding, and the slot that it holds."""

    state: LifecycleName
    id: str
    item_count: Count
    created_at: Moment
    revision: Count
    etag: str
    error: str = sometimes(str, "Why it could not be built here")


class SignedSlot(BoundSlot, json_schema_extra=with_examples(_SIGNED)):
    """A binding with who made it what it is; null where the log no longer tells."""

    changed_by: str | None
    changed_at: Moment | None


class BindingDetail(SignedSlot, json_schema_extra=with_examples({**_SIGNED, "item_ids": ["B07", "B08"], "found": 2})):
    """A binding with its items."""

    item_ids: list[str]
    found: Count | None = Field(
        description="How many items it brings: of those listed what the catalog holds, and those that a live match "
        "finds; null where the control plane does not serve it"
    )


class SlotList(
    Said,
    json_schema_extra=with_examples(
        {
            "state": "live",
            "epoch": "9f3c51d07ab2e648",
            "revision": 42,
            "active": "c1a0b2",
            "counts": {"active": 1, "free": 63},
            "slots": [_SIGNED, {**FREE, "slot": "1-2050"}],
            "next": None,
        }
    ),
):
    """`GET /admin/slots`: those that were asked for; `counts` is of all."""

    state: StateName
    epoch: str
    revision: Count
    active: str
    counts: dict[LifecycleName, Count]
    slots: list[SignedSlot | UnreadableSlot | FreeSlot]
    next: str | None = Field(description="What `after` is for the next page; null where this one is the last")
