"""What edits do to items, as plain dictionaries: a second implementation, for tests, from docs/http.md alone.

A row is an item as it was given, in the documented schema. Nothing of slotbeam is imported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Row = Mapping[str, Any]
WROTE = ("created", "updated", "deleted")


@dataclass(frozen=True)
class Operation:
    """One edit of one item: `put` its row, `patch` it (RFC 7396), or `delete` it, without a row."""

    verb: str
    id: str
    row: Row | None = None


def carried_out(operation: Operation, before: Row | None) -> tuple[str, Row | None]:
    """What becomes of an operation on an item that is `before` (None: there is none), and the row afterwards."""
    if operation.verb != "put" and before is None:
        return "refused", before
    if operation.verb == "delete":
        return "deleted", None
    row = operation.row if operation.verb == "put" else merge(before, operation.row)
    after = {**(row or {}), "id": operation.id}
    if not (after.get("title") or "").strip() or (after.get("popularity") or 0) < 0:
        return "refused", before
    if before is not None and meaning(after) == meaning(before):
        return "unchanged", before
    return "created" if before is None else "updated", after


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396, as it stands there."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def meaning(row: Row) -> Any:
    """What a row says, whichever way it says it."""
    attributes = {kind: [word] for kind, word in (row.get("attributes") or {}).items() if word is not None}
    fields = {
        name: (type(value) is bool, value) for name, value in (row.get("fields") or {}).items() if value is not None
    }
    told = (row["title"], row.get("description") or "", row.get("popularity") or 0)
    return (*told, attributes, fields)


def record_of(item_id: str, row: Row | None, seq: int) -> str:
    """The record of an item that `row` is since the edit `seq`; None: that deleted it."""
    said = {"item": {"id": item_id} if row is None else row, "op": "delete" if row is None else "put", "seq": seq}
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=10_000)
def row_of(record: str) -> Row | None:
    """The row that a record says there is; None for a deleted item."""
    said = json.loads(record)
    return said["item"] if said["op"] == "put" else None
