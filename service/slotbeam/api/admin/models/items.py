"""Items as they are asked for, edited and told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema
from pydantic.config import JsonDict
from typing_extensions import TypeAliasType

from slotbeam.api.admin.models.edits import DONE
from slotbeam.api.http.bodies import ItemId, Strict
from slotbeam.api.http.models import Count, Moment, Said, StateName, sometimes, with_examples
from slotbeam.items.edits import MAX_OPERATIONS

_ROW: JsonDict = {
    "id": "B07",
    "title": "Labubu plush keychain",
    "description": "A soft keychain of vinyl and plush",
    "attributes": {"entity": ["keychain"], "brand": ["pop mart"]},
    "fields": {"department": "toys", "price": 21.5},
    "popularity": 7,
}
Number = Annotated[int | float, Field(ge=-(2**63), le=2**63 - 1)]
Json = TypeAliasType("Json", "bool | str | Number | list[Json] | dict[str, Json] | None")
"""Of a batch: what is wrong with one item does not keep the others back, so no more is asked of it here."""
_ANY_ROW: JsonDict = {"anyOf": [{"type": "object", "additionalProperties": True}, {"type": "null"}]}
"""As the document has it: of a schema that holds itself generated clients make nothing."""
Words = dict[str, str | list[str] | None]
Values = dict[str, str | bool | Number | None]


class ItemForm(BaseModel):
    """An item in the documented schema (docs/catalog.md), as a row of a catalog; its id stands in the path.

    For the document: a row is read by the catalog's own reader, which says more exactly what is wrong with it.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_ROW]})

    title: str = Field(description="Not blank", min_length=1)
    id: str | None = Field(None, description="As in the path")
    description: str | None = None
    attributes: Words | None = Field(None, description="Category → word or list of words")
    fields: Values | None = Field(None, description="Name → text, number or true/false")
    popularity: Number | None = Field(None, ge=0, description="On any scale")


class ItemPatch(BaseModel):
    """A JSON merge patch (RFC 7396) of an item: null takes a member away, objects merge, anything else replaces."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"fields": {"price": 19.9}}]})

    title: str | None = None
    description: str | None = None
    attributes: Words | None = None
    fields: Values | None = None
    popularity: Number | None = Field(None, ge=0)


class OperationForm(Strict):
    """One operation of a batch."""

    op: Literal["put", "patch", "delete"]
    id: ItemId
    item: Annotated[dict[str, Json] | None, WithJsonSchema(_ANY_ROW)] = Field(
        None, description="The whole item, or its merge patch; none to delete"
    )
    if_match: str | None = Field(None, description="ETag that the item must have, or *")


class BatchForm(Strict):
    """Up to 1 000 operations; each is done whole or refused whole, all that are done at one moment."""

    operations: list[OperationForm] = Field(min_length=1, max_length=MAX_OPERATIONS)


class ItemPropagation(Said):
    """Whether one replica serves an edit."""

    id: str
    seq: Count
    state: str | None
    applied_ms: float | None = Field(description="From the commit until it was served there")
    error: str | None
    applied: bool


_SPREAD: JsonDict = {
    "expected": 1,
    "applied": 1,
    "replicas": [{"id": "serve-1", "seq": 42, "state": "live", "applied_ms": 31, "error": None, "applied": True}],
}
_DONE: JsonDict = {**{n: v for n, v in DONE.items() if n != "revision"}, "seq": 42, "propagation": _SPREAD}


class ItemsPropagation(Said, json_schema_extra=with_examples(_SPREAD)):
    """Which live replicas serve an edit; the counts are null when nobody could be asked."""

    expected: Count | None
    applied: Count | None
    replicas: list[ItemPropagation]
    error: str = sometimes(str, "Why nobody could be asked")


class ItemsOutcome(Said):
    """What every answer to an edit of items says."""

    epoch: str
    seq: Count = Field(description="Of the last edit that was made")
    replayed: bool = Field(description="Whether it was made before: nothing was done again")
    durability: str
    propagation: ItemsPropagation
    look: str = sometimes(str, "Where to look who has it: not every replica that was waited for has it")


class ItemEdit(Said):
    """What became of one item."""

    id: str
    did: Literal["created", "updated", "unchanged", "deleted"]
    edit_seq: Count | None = Field(description="Of the edit that made it what it is; null for one of the index")
    etag: str | None = Field(description="Null for a deleted item, and for an edit that is told again")
    changed: list[str] = Field(description="Parts that changed; of an edit that is told again they are not known")
    encodes: bool = Field(description="Whether title, description or attributes did: then it is encoded anew")


_EDIT: JsonDict = {
    "id": "B07",
    "did": "updated",
    "edit_seq": 42,
    "etag": '"9f3c51d07ab2e6489f3c51d07ab2e648"',
    "changed": ["fields.price"],
    "encodes": False,
}


class ItemCommitted(ItemEdit, ItemsOutcome, json_schema_extra=with_examples({**_EDIT, **_DONE})):
    """An item was edited."""


class ItemDryRun(ItemEdit, json_schema_extra=with_examples({**_EDIT, "dry_run": True, "seq": 41})):
    """`?dry_run=true`: what it would do. Nothing was written; `edit_seq` and `etag` are those it would get now."""

    dry_run: Literal[True]
    seq: Count


class OperationRefused(Said):
    """An operation that was not done, and why."""

    id: str
    did: Literal["refused"]
    problem: dict[str, JsonValue] = Field(description="Its own problem document")


class BatchReport(Said):
    """What became of each operation, in order."""

    operations: Count
    created: Count
    updated: Count
    unchanged: Count
    deleted: Count
    refused: Count
    results: list[ItemEdit | OperationRefused]


_REPORT: JsonDict = {
    "operations": 1,
    "created": 0,
    "updated": 1,
    "unchanged": 0,
    "deleted": 0,
    "refused": 0,
    "results": [_EDIT],
}


class BatchCommitted(BatchReport, ItemsOutcome, json_schema_extra=with_examples({**_REPORT, **_DONE})):
    """All operations that were not refused are done."""


class BatchDryRun(BatchReport, json_schema_extra=with_examples({**_REPORT, "dry_run": True, "seq": 41})):
    """`?dry_run=true`: what each would do. Nothing was written."""

    dry_run: Literal[True]
    seq: Count


_SIGNED: JsonDict = {
    "id": "B07",
    "seq": 42,
    "etag": '"9f3c51d07ab2e6489f3c51d07ab2e648"',
    "changed_by": "ci",
    "changed_at": "2026-11-27T09:00:00.000Z",
}


class ItemView(Said, json_schema_extra=with_examples({**_SIGNED, "item": _ROW})):
    """An item as it is now."""

    id: str
    item: dict[str, JsonValue] = Field(description="The row as it was given")
    seq: Count | None = Field(description="Of the edit that made it so; null for one as the index has it")
    etag: str
    changed_by: str | None = Field(description="Who made that edit; null where the feed no longer tells")
    changed_at: Moment | None


class FoundItem(Said):
    """An item that was found."""

    id: str
    title: str
    seq: Count | None = Field(description="Of the edit that made it so; null for one as the index has it")


class FoundItems(
    Said,
    json_schema_extra=with_examples(
        {"state": "live", "seq": 42, "edited": 7, "items": [{"id": "B07", "title": "Labubu keychain", "seq": 42}]}
    ),
):
    """`GET /admin/items`: what a text finds; without one the items that were edited, the newest first."""

    state: StateName
    seq: Count
    edited: Count = Field(description="Items that were edited since the index was built, deleted ones included")
    items: list[FoundItem]
