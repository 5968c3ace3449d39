"""Who changed what."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from slotbeam.api.admin.models.binding import RecordFields
from slotbeam.api.http.models import Count, Moment, Said, with_examples


class BindingRecord(RecordFields):
    """A binding as the store holds it."""

    id: str
    items: str = Field(description="SHA-256 of its item list")
    item_count: int
    created_at: Moment
    revision: int


class UnreadableRecord(Said):
    """A record that is no JSON object, as it is."""

    unreadable: str


ForeignRecord = Annotated[dict[str, JsonValue], Field(description="A record that slotbeam did not write")]
RecordView = BindingRecord | UnreadableRecord | ForeignRecord | None


class ItemChanges(Said):
    """Which items a change brought and took away; of the ids, the first."""

    added: Count
    removed: Count
    first_added: list[str]
    first_removed: list[str]


class AuditChange(Said):
    """One binding before and after."""

    id: str
    slot: str | None
    slot_before: str | None
    before: RecordView
    after: RecordView
    items: ItemChanges | None = Field(description="Null when it was not written down")


class AuditEntry(Said):
    """One commit."""

    revision: Count
    at: Moment | None
    op: str | None
    actor: str | None
    epoch: str | None
    state: str | None
    change_count: Count = Field(description="Changes of the commit, shown or not")
    changes: list[AuditChange] = Field(description="Those that were asked for")


class AuditPage(
    Said,
    json_schema_extra=with_examples(
        {
            "entries": [
                {
                    "revision": 42,
                    "at": "2026-11-27T09:00:00.000Z",
                    "op": "unbind",
                    "actor": "merchandising",
                    "epoch": "9f3c51d07ab2e648",
                    "state": "5ae1",
                    "change_count": 1,
                    "changes": [
                        {
                            "id": "b_7kq2mzd4xa",
                            "slot": None,
                            "slot_before": "1-2049",
                            "before": {"unreadable": "not JSON"},
                            "after": None,
                            "items": {"added": 0, "removed": 2, "first_added": [], "first_removed": ["B07", "B08"]},
                        }
                    ],
                }
            ],
            "next": None,
        }
    ),
):
    """`GET /admin/audit`: newest first; `next` is the `before` of what follows, null at the end."""

    entries: list[AuditEntry]
    next: Count | None


class ItemAuditEntry(Said):
    """One edit of an item."""

    seq: Count
    at: Moment | None
    op: str | None = Field(description="put or delete; restore and trim are of many items")
    actor: str | None
    epoch: str | None
    id: str | None
    item: dict[str, JsonValue] | None = Field(description="The row that it left; null of one that is gone")


class ItemAuditPage(
    Said,
    json_schema_extra=with_examples(
        {
            "entries": [
                {
                    "seq": 42,
                    "at": "2026-11-27T09:00:00.000Z",
                    "op": "put",
                    "actor": "ci",
                    "epoch": "4be1c2d3a4b5c6d7",
                    "id": "B07",
                    "item": {"id": "B07", "title": "Labubu plush keychain", "fields": {"price": 19.9}},
                }
            ],
            "next": None,
        }
    ),
):
    """`GET /admin/audit/items`: newest first; `next` is the `before` of what follows, null at the end."""

    entries: list[ItemAuditEntry]
    next: Count | None
