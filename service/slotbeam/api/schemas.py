"""Bodies of the data plane: strict types, no unknown fields, lengths checked after normalisation."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from slotbeam.search.request import MAX_K, canonical_query

MAX_BATCH = 64
_RAW_TEXT = 8192
_HISTORY = 64
_FILTER_VALUES = 256


def _query(text: str) -> str:
    canonical_query(text)
    return text


def _filter(wanted: dict[str, Any]) -> dict[str, Any]:
    for name, value in wanted.items():
        if isinstance(value, list | dict) and len(value) > _FILTER_VALUES:
            raise ValueError(f"{name} has {len(value)} values; at most {_FILTER_VALUES} are allowed")
    return wanted


Query = Annotated[str, Field(max_length=_RAW_TEXT), AfterValidator(_query)]
Text = Annotated[str, Field(max_length=1024)]
Filter = Annotated[dict[str, Any], Field(max_length=16), AfterValidator(_filter)]
ItemId = Annotated[str, Field(min_length=1, max_length=256)]


class Strict(BaseModel):
    """No coercion ("10", true and 10.0 are not integers) and no unknown field."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class User(Strict):
    """What the caller did before, oldest first."""

    recent_queries: list[Text] = Field(default_factory=list, max_length=_HISTORY)
    recent_item_ids: list[ItemId] = Field(default_factory=list, max_length=_HISTORY)


class RetrieveBody(Strict):
    """One query of `POST /retrieve`; only `query` is required."""

    query: Query
    k: int = Field(100, ge=1, le=MAX_K)
    user: User = Field(default_factory=User)
    filter: Filter = Field(default_factory=dict)
    beam_width: int | None = Field(None, ge=1, le=MAX_K)
    use_bindings: bool = True
    explain: bool = False


class BatchBody(Strict):
    """`POST /retrieve:batch`: up to 64 queries, answered on one snapshot."""

    queries: list[RetrieveBody] = Field(min_length=1, max_length=MAX_BATCH)
