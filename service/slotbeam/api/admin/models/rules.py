"""Rules: what has no slot."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic.config import JsonDict

from slotbeam.api.admin.models.binding import UNSAID, ActionName, RuleFields
from slotbeam.api.admin.models.edits import DONE, CommitForgotten, CommitOutcome
from slotbeam.api.http.models import Count, Moment, Said, StateName, sometimes, with_examples
from slotbeam.bindings.spec import RULE_TOLD

RuleState = Literal["draft", "scheduled", "active", "expired", "failed"]
_RULE: JsonDict = {
    "id": "b_7kq2mzd4xa",
    "state": "active",
    "actions": ["hide"],
    "words": ["rain jacket"],
    **{name: value for name, value in UNSAID.items() if name in RULE_TOLD},
    "hide": ["B07"],
    "owner": "outdoor",
    "reason": "recall",
    "created_at": "2026-11-27T09:00:00.000Z",
    "revision": 42,
    "etag": '"b_7kq2mzd4xa.42"',
}
_SIGNED: JsonDict = {**_RULE, "changed_by": "merchandising", "changed_at": "2026-11-27T09:00:00.000Z"}


class RuleView(RuleFields, Said, json_schema_extra=with_examples(_RULE)):
    """A rule; null is an object or a time that it does not say."""

    id: str
    state: RuleState
    actions: list[ActionName] = Field(description="What it does, in the order in which that is done")
    created_at: Moment
    revision: Count
    etag: str
    error: str = sometimes(str, "Why it could not be built here")


class SignedRule(RuleView, json_schema_extra=with_examples(_SIGNED)):
    """A rule with who made it what it is; null where the log no longer tells."""

    changed_by: str | None
    changed_at: Moment | None


class RuleDetail(SignedRule, json_schema_extra=with_examples({**_SIGNED, "missing": []})):
    """A rule, and which of its items are not there."""

    missing: list[str] = Field(description="Ids of positions and hide that the catalog does not hold")


class RuleList(
    Said,
    json_schema_extra=with_examples(
        {
            "state": "live",
            "epoch": "9f3c51d07ab2e648",
            "revision": 42,
            "active": "c1a0b2",
            "counts": {"active": 1},
            "rules": [_SIGNED],
            "next": None,
        }
    ),
):
    """`GET /admin/rules`: those that were asked for, newest change first; `counts` is of all."""

    state: StateName
    epoch: str
    revision: Count
    active: str
    counts: dict[RuleState, Count]
    rules: list[SignedRule]
    next: str | None = Field(description="What `after` is for the next page; null where this one is the last")


class RuleCommitted(CommitOutcome, RuleView, json_schema_extra=with_examples({**_RULE, **DONE, "warnings": []})):
    """A rule was made or changed."""

    warnings: list[str]


class RuleRemoved(
    CommitOutcome,
    json_schema_extra=with_examples(
        {"id": "b_7kq2mzd4xa", "words": ["rain jacket"], "actions": ["hide"], **DONE, "warnings": []}
    ),
):
    """A rule was removed."""

    id: str
    words: list[str]
    actions: list[ActionName]
    warnings: list[str]


RuleDone = RuleCommitted | CommitForgotten
"""What a commit that left a rule answers."""
RuleGone = RuleRemoved | CommitForgotten
"""What a commit that removed a rule answers."""
