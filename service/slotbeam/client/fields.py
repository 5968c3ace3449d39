"""What a search may say beside its query, so that a type checker reads over no misspelt name.

`slotbeam.api.retrieve.schemas.RetrieveBody` is what the service checks; it stands on numpy, which no client loads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict


class UserFields(TypedDict, total=False):
    """What the caller did before, newest last."""

    recent_queries: Sequence[str]
    recent_item_ids: Sequence[str]


class SortFields(TypedDict):
    """A field to sort by."""

    field: str
    order: NotRequired[Literal["asc", "desc"]]


class SearchFields(TypedDict, total=False):
    """Further fields of `POST /retrieve`; docs/http.md tells them."""

    k: int
    user: UserFields
    filter: Mapping[str, Any]
    exclude_ids: Sequence[str]
    fields: Sequence[str]
    facets: Sequence[str]
    collapse: str | None
    sort: Sequence[SortFields]
    min_relevance: float
    fallback: Literal["popular"] | None
    beam_width: int | None
    use_bindings: bool
    interpret: bool
    spelling: Literal["on", "off"]
    explain: bool
    cursor: str | None
