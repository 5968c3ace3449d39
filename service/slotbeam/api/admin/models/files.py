"""What became of a file of bindings."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, RootModel
from pydantic.config import JsonDict

from slotbeam.api.admin.models.binding import UNSAID, ToldFields
from slotbeam.api.admin.models.edits import DONE, CommitOutcome
from slotbeam.api.admin.models.slots import BOUND, LifecycleName
from slotbeam.api.http.models import Count, Moment, Said, with_examples
from slotbeam.bindings.spec import TOLD


class ExportedBinding(ToldFields, Said):
    """A binding with its items, as an import takes it."""

    id: str
    items: list[str]
    slot: str | None
    state: LifecycleName
    created_at: Moment
    revision: Count


_EXPORTED: JsonDict = {
    **UNSAID,
    **{name: BOUND[name] for name in ("id", "slot", "state", *TOLD, "created_at", "revision") if name in BOUND},
    "items": ["B07", "B08"],
    "starts_at": "2026-11-27T09:00:00.000Z",
}


class Export(RootModel[list[ExportedBinding]]):
    """`GET /admin/slots.json`: every binding."""

    model_config = ConfigDict(strict=True, frozen=True, json_schema_extra={"examples": [[_EXPORTED]]})


class ImportLine(Said):
    """What became, or would become, of one line."""

    line: Count
    status: Literal["ok"]
    did: Literal["created", "updated"]
    slot: str | None
    id: str | None = Field(description="Null for a binding that a dry run would make")
    words: list[str]
    items: Count
    missing: list[str] = Field(description="Ids that the catalog does not hold, the first of them")
    missing_count: Count
    warnings: list[str]


class ForgottenLine(Said):
    """A line of a file that was taken so long ago that the log no longer tells what it did."""

    line: Count
    status: Literal["ok"]


class ImportReport(Said):
    """What became of a file, line by line."""

    rows: Count
    created: Count
    updated: Count
    lines: list[ImportLine | ForgottenLine]


_REPORT: JsonDict = {
    "rows": 1,
    "created": 1,
    "updated": 0,
    "lines": [
        {
            "line": 2,
            "status": "ok",
            "did": "created",
            "slot": "1-2049",
            "id": "b_7kq2mzd4xa",
            "words": ["labubu"],
            "items": 2,
            "missing": [],
            "missing_count": 0,
            "warnings": [],
        }
    ],
}


class ImportCommitted(ImportReport, CommitOutcome, json_schema_extra=with_examples({**DONE, **_REPORT})):
    """Every row of the file is bound."""


class ImportDryRun(ImportReport, json_schema_extra=with_examples({"dry_run": True, "revision": 41, **_REPORT})):
    """`?dry_run=true`: every row could be bound. Nothing was written."""

    dry_run: Literal[True]
    revision: Count
