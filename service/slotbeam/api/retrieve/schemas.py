"""Bodies of the data plane: strict types, no unknown fields, lengths checked after normalisation."""

from __future__ import annotations

from typing import Annotated, Literal

import orjson
from pydantic import AfterValidator, Field

from slotbeam.api.http.bodies import ITEM_ID, RAW_TEXT, ItemId, Strict
from slotbeam.api.retrieve.cursor import BEGIN, MAX_CURSOR, MAY_CHANGE, Cursor, digest
from slotbeam.api.retrieve.filtermodels import FilterObject
from slotbeam.language.normalize import normalize
from slotbeam.search.request import MAX_K, MAX_QUERY, Fallback, SearchRequest, SortKey, canonical_query

MAX_BATCH = 64
_HISTORY = 64
_HISTORY_TEXT = 1024
_REQUEST_ID = 256
_EXCLUDED = 1000


def _earlier_queries(texts: list[str]) -> list[str]:
    """Return the newest ones, canonical, without what no query could be: a history is a hint, no reason to refuse."""
    newest = (normalize(text) for text in texts[-_HISTORY:] if len(text) <= _HISTORY_TEXT)
    return [canonical for canonical in newest if canonical]


def _earlier_items(ids: list[str]) -> list[str]:
    return [item for item in ids[-_HISTORY:] if 0 < len(item) <= ITEM_ID]


Query = Annotated[
    str,
    Field(
        max_length=RAW_TEXT,
        json_schema_extra={"minLength": 1},
        description=f"1 to {MAX_QUERY} characters after normalisation, at most {RAW_TEXT} as they are sent",
    ),
    AfterValidator(canonical_query),
]


FieldName = Annotated[str, Field(min_length=1, max_length=256)]


class User(Strict):
    """What the caller did before, oldest first; what cannot be used is ignored."""

    recent_queries: Annotated[list[str], AfterValidator(_earlier_queries)] = Field(
        default_factory=list,
        description=f"The last {_HISTORY} are looked at; of nothing visible, or longer than {_HISTORY_TEXT}: ignored",
    )
    recent_item_ids: Annotated[list[str], AfterValidator(_earlier_items)] = Field(
        default_factory=list,
        description=f"The last {_HISTORY} are looked at; an empty id, or one longer than {ITEM_ID}, is ignored",
    )


class SortBy(Strict):
    """A field to sort by."""

    field: FieldName
    order: Literal["asc", "desc"] = "asc"


class RetrieveBody(Strict):
    """One query of `POST /retrieve`; only `query` is required. Once checked, the queries in it are canonical."""

    query: Query
    k: int = Field(100, ge=1, le=MAX_K)
    user: User = Field(default_factory=User)
    filter: FilterObject = Field(default_factory=dict)
    exclude_ids: list[ItemId] = Field(
        default_factory=list, max_length=_EXCLUDED, description="Items that are not answered; unknown ids are ignored"
    )
    fields: list[FieldName] = Field(default_factory=list, max_length=32, description="Shown of each item")
    facets: list[FieldName] = Field(
        default_factory=list, max_length=8, description="Whose values are counted over the candidates"
    )
    collapse: FieldName | None = Field(None, description="Of each value of this field only the best item is shown")
    sort: list[SortBy] = Field(
        default_factory=list, max_length=3, description="Orders the items that k = 1000 would show"
    )
    min_relevance: float = Field(
        0.0, ge=0, le=1, description="Of the items that k = 1000 would show those below are left out; bound ones stay"
    )
    fallback: Literal["popular"] | None = Field(
        None, description="What is answered where nothing of the query is known; null: no items"
    )
    beam_width: int | None = Field(None, ge=1, le=MAX_K)
    use_bindings: bool = True
    interpret: bool = Field(False, description="What the query says of typed fields is a filter, and no text")
    spelling: Literal["on", "off"] = Field(
        "on", description="`off` takes every word as it was typed; `on` corrects words that nobody knows"
    )
    explain: bool = False
    cursor: str | None = Field(
        None,
        max_length=MAX_CURSOR,
        description=f"`{BEGIN}` asks for a first page, `next` of an answer for the one after",
    )

    def read_cursor(self) -> Cursor | None:
        """Return where the pages stand, None where none are asked for. Raises `CursorError`."""
        if self.cursor is None:
            return None
        asked = self.model_dump(exclude={*MAY_CHANGE, "cursor"})
        return Cursor.read(self.cursor, digest(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)))

    def request(self, beam_width: int | None, max_bindings: int, cursor: Cursor | None = None) -> SearchRequest:
        """Return what the pipeline is asked.

        Args:
            beam_width: the plane's, where the body says none.
            max_bindings: pinned groups at most.
            cursor: where the pages stand; all of them together show `MAX_K` items at most.
        """
        shown = cursor.shown if cursor else None
        return SearchRequest(
            query=self.query,
            k=min(self.k, MAX_K - shown.items) if shown else self.k,
            recent_queries=tuple(self.user.recent_queries),
            recent_item_ids=tuple(self.user.recent_item_ids),
            filter=self.filter,
            exclude_ids=tuple(self.exclude_ids),
            fields=tuple(self.fields),
            facets=tuple(self.facets),
            collapse=self.collapse,
            sort=tuple(SortKey(by.field, by.order == "desc") for by in self.sort),
            min_relevance=self.min_relevance,
            fallback=Fallback(self.fallback) if self.fallback else None,
            beam_width=self.beam_width or beam_width,
            use_bindings=self.use_bindings,
            interpret=self.interpret,
            spelling=self.spelling == "on",
            explain=self.explain,
            shown=shown,
            max_bindings=max_bindings,
            normalised=True,
        )


class BatchBody(Strict):
    """`POST /retrieve:batch`: up to 64 queries, answered on one snapshot."""

    queries: list[RetrieveBody] = Field(min_length=1, max_length=MAX_BATCH)


class Event(Strict):
    """What a user did with one item of an answer; `rank` is the item's place in it, from 0."""

    request_id: str = Field(min_length=1, max_length=_REQUEST_ID)
    type: Literal["view", "click", "cart", "order"] = Field(
        description="It was seen, clicked, put into the cart, or ordered"
    )
    item_id: ItemId
    rank: int | None = Field(None, ge=0, lt=MAX_K)


class EventsBody(Strict):
    """`POST /events`: up to 64 events, all taken or none."""

    events: list[Event] = Field(min_length=1, max_length=MAX_BATCH)
