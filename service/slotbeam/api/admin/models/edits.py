"""What an edit answers once it is committed."""

from __future__ import annotations

from pydantic import Field
from pydantic.config import JsonDict

from slotbeam.api.admin.models.slots import BOUND, FREE, BoundSlot, FreeSlot
from slotbeam.api.http.models import Count, Said, sometimes, with_examples


class ReplicaPropagation(Said):
    """Whether one replica serves a commit."""

    id: str
    revision: Count
    state: str | None
    applied_ms: float | None = Field(description="From the commit until it was served there")
    error: str | None
    applied: bool


_SPREAD: JsonDict = {
    "expected": 1,
    "applied": 1,
    "replicas": [{"id": "serve-1", "revision": 42, "state": "live", "applied_ms": 31, "error": None, "applied": True}],
}


class Propagation(Said, json_schema_extra=with_examples(_SPREAD)):
    """Which live replicas serve a commit; the counts are null when nobody could be asked."""

    expected: Count | None
    applied: Count | None
    replicas: list[ReplicaPropagation]
    error: str = sometimes(str, "Why nobody could be asked")


DONE: JsonDict = {
    "epoch": "9f3c51d07ab2e648",
    "revision": 42,
    "replayed": False,
    "durability": "appendfsync always",
    "propagation": _SPREAD,
}


class CommitOutcome(Said):
    """What every answer to a commit says."""

    epoch: str
    revision: Count = Field(description="The one that the commit made")
    replayed: bool = Field(description="Whether it was made before: nothing was done again")
    durability: str
    propagation: Propagation
    look: str = sometimes(str, "Where to look who has it: not every replica that was waited for has it")


class BindingCommitted(CommitOutcome, BoundSlot, json_schema_extra=with_examples({**BOUND, **DONE, "warnings": []})):
    """A binding was made or changed."""

    warnings: list[str]


class BindingRemoved(
    CommitOutcome,
    FreeSlot,
    json_schema_extra=with_examples({**FREE, "id": "b_7kq2mzd4xa", "words": ["labubu"], **DONE, "warnings": []}),
):
    """A binding was removed; its slot, where it had one, is free."""

    id: str
    words: list[str]
    warnings: list[str]


class CommitForgotten(CommitOutcome, json_schema_extra=with_examples({**DONE, "replayed": True, "warnings": []})):
    """The commit was made before, so long ago that the log no longer tells what it did."""

    warnings: list[str]


Done = BindingCommitted | CommitForgotten
"""What a commit that left a binding answers."""
Removed = BindingRemoved | CommitForgotten
"""What a commit that removed a binding answers."""
