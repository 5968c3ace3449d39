"""Queries by what they were answered."""

from __future__ import annotations

from pydantic import Field

from slotbeam.api.http.models import Count, Said, with_examples


class UnansweredQuery(Said):
    """A query that got no items, or of which nobody took one."""

    query: str = Field(description="Canonical")
    count: Count = Field(description="How often it was asked, since it was last forgotten")
    askers: Count = Field(description="Who asked it on one day at one replica, the most of any; 32: or more")
    last_seen: str = Field(description="When it was asked last")


class QueryList(
    Said,
    json_schema_extra=with_examples(
        {
            "queries": [{"query": "qwertyuiop", "count": 41, "askers": 9, "last_seen": "2026-11-27T14:00:00.000Z"}],
            "withheld": 12,
        }
    ),
):
    """`GET /admin/queries`: most asked first."""

    queries: list[UnansweredQuery]
    withheld: Count = Field(description="Others, whose texts too few asked for, each as often as replicas saw it")
