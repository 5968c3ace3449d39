"""Indexes as they are listed and switched."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic.config import JsonDict

from slotbeam.api.http.models import Count, Moment, Said, sometimes, with_examples


class IndexName(Said):
    """Which index, and which edits it holds."""

    name: str
    sha: str = Field(description="Of its manifest, which names every byte")
    epoch: str = Field(description='Of the items whose edits it holds; "" where it holds none')
    seq: Count = Field(description="Of the newest edit in it")


_NAME: JsonDict = {"name": "spring-1042", "sha": "5f0c9d77e2", "epoch": "4be1c02f6f0d9a77", "seq": 1042}
_BEFORE: JsonDict = {"name": "spring", "sha": "8a11e0c2b4", "epoch": "", "seq": 0}


class IndexView(IndexName):
    """An index under SLOTBEAM_INDEX_DIR, as the control plane sees it."""

    items: Count
    created: str
    refused: str = sometimes(str, "Why it cannot be activated")


_VIEW: JsonDict = {**_NAME, "items": 105000, "created": "2026-11-27T09:00:00+00:00"}


class IndexList(
    Said,
    json_schema_extra=with_examples(
        {
            "switch": 3,
            "active": _NAME,
            "before": _BEFORE,
            "switched_by": "ci",
            "switched_at": "2026-11-27T09:12:00.000Z",
            "delta": 12,
            "limit": 200000,
            "trimmed": 0,
            "indexes": [_VIEW],
        }
    ),
):
    """`GET /admin/indexes`."""

    switch: Count = Field(description="Number of the newest switch; 0: there was none")
    active: IndexName = Field(description="What every replica is to serve")
    before: IndexName | None = Field(description="What a rollback goes back to")
    switched_by: str | None
    switched_at: Moment | None
    delta: Count = Field(description="Items edited that the index does not hold which the control plane serves")
    limit: Count = Field(description="SLOTBEAM_DELTA_LIMIT")
    trimmed: Count = Field(description="Records up to this seq were let go: an index must hold them")
    indexes: list[IndexView]


class IndexSpread(Said):
    """Whether one replica serves a switch."""

    id: str
    switch: Count
    state: str | None
    applied_ms: float | None
    error: str | None
    applied: bool


_SPREAD: JsonDict = {
    "expected": 1,
    "applied": 1,
    "replicas": [{"id": "serve-1", "switch": 3, "state": "live", "applied_ms": None, "error": None, "applied": True}],
}


class IndexPropagation(Said, json_schema_extra=with_examples(_SPREAD)):
    """Which live replicas serve a switch; the counts are null when nobody could be asked."""

    expected: Count | None
    applied: Count | None
    replicas: list[IndexSpread]
    error: str = sometimes(str, "Why nobody could be asked")


class IndexSwitched(
    Said,
    json_schema_extra=with_examples(
        {
            "did": "activated",
            "switch": 3,
            "active": _NAME,
            "before": _BEFORE,
            "durability": "appendfsync always",
            "propagation": _SPREAD,
        }
    ),
):
    """The index that is active now."""

    did: Literal["activated", "unchanged", "rolled back"]
    switch: Count = Field(description="Its number")
    active: IndexName
    before: IndexName | None
    durability: str
    propagation: IndexPropagation
    look: str = sometimes(str, "Where to look who serves it: not every replica that was waited for does")


class IndexDryRun(
    Said,
    json_schema_extra=with_examples({"dry_run": True, "did": "activated", "active": _NAME, "before": _BEFORE}),
):
    """`?dry_run=true`: what would be active. Nothing was changed."""

    dry_run: Literal[True]
    did: Literal["activated", "unchanged", "rolled back"]
    active: IndexName
    before: IndexName | None
