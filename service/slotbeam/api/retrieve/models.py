"""What the data plane answers, for its OpenAPI document; see `slotbeam.api.http.models`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from slotbeam.api.http.models import (
    SEEN,
    Count,
    Said,
    SeenBindings,
    SeenItems,
    SlotKindName,
    TextSpan,
    sometimes,
    with_examples,
)
from slotbeam.api.retrieve.explained import Correction, Explanation
from slotbeam.api.retrieve.filtermodels import FilterObject

Probability = Annotated[float, Field(ge=0, le=1)]


class QuerySlot(Said):
    """One position of the query SID."""

    position: Count
    group: str
    slot: Count = Field(description="Index of the slot in its position; 0 is empty")
    kind: SlotKindName
    word: str | None = Field(description="The word that represents the position; null when it is empty")


RuleAction = Literal["replace", "filter", "alias", "hide", "boost", "bury", "positions", "metadata"]


class AppliedBinding(Said):
    """A binding that the query triggered."""

    id: str
    slot: str
    word: str
    span: TextSpan = Field(description="Where the word is in the canonical query")
    items: Count = Field(description="How many items the binding has")


class AppliedRule(Said):
    """A rule that the query triggered."""

    id: str
    word: str | None = Field(description="As it is typed; null of a rule that every query triggers")
    span: TextSpan | None = Field(description="Where the word is in the canonical query; null likewise")
    actions: list[RuleAction] = Field(description="What the rule does, in the order in which it is done")


class RankedItem(Said):
    """One hit."""

    id: str
    title: str
    score: float = Field(description="Orders this answer only")
    sid: list[Count] = Field(description="Index of the slot in each position")
    sid_logp: float | SkipJsonSchema[None] = sometimes(
        lambda: None, "Log-probability of the SID, in nats; there when all of it was decoded"
    )
    source: Literal["binding", "rule", "model", "popular"] = Field(description="What brought it")
    relevance: Probability = Field(description="How likely it is what the query asks for; compares between answers")
    matched: list[str] = Field(description="Words of the query that it carries, in any spelling or by concept")
    fields: dict[str, str | float | bool] = sometimes(dict, "Those that were asked for and have a value")


class SaidOfField(Said):
    """What the query says of a typed field."""

    text: str = Field(description="As it stands in the canonical query")
    filter: FilterObject = Field(description="As a request's `filter` takes it; applied with `interpret` alone")


class UnderstoodWords(Said):
    """The words of the query by what became of them."""

    known: list[str] = Field(description="Bound, in the dictionary, or carried by an item, as they were read")
    corrected: list[Correction]
    unknown: list[str]
    filters: list[SaidOfField] = Field(description="What the query says of typed fields")


class FacetValue(Said):
    """A value, and how many of the counted items have it."""

    value: str | bool
    count: Count


class Facet(Said):
    """What values of one field the counted items have."""

    count: Count = Field(description="Items that have a value")
    missing: Count = Field(description="Items that have none")
    values: list[FacetValue] = sometimes(list, "Of keywords and true or false: the 50 most frequent ones, those first")
    min: float | SkipJsonSchema[None] = sometimes(lambda: None, "Of numbers, where an item has one")
    max: float | SkipJsonSchema[None] = sometimes(lambda: None, "Likewise")


_ANSWER: JsonDict = {
    "request_id": "AQAAAA",
    "model": "demo-3",
    "bindings": SEEN,
    "catalog": {"index": "demo-3", "state": "live", "seq": 42},
    "query_sid": [{"position": 0, "group": "entity", "slot": 17, "kind": "solo", "word": "keychain"}],
    "applied_bindings": [{"id": "b_7kq2mzd4xa", "slot": "1-2049", "word": "labubu", "span": [0, 6], "items": 12}],
    "understood": {"known": ["labubu", "keychain"], "corrected": [], "unknown": [], "filters": []},
    "confidence": 0.97,
    "items": [
        {
            "id": "B07",
            "title": "Labubu keychain",
            "score": 7.1,
            "sid": [17, 2049, 0, 4, 9, 0],
            "source": "binding",
            "relevance": 0.94,
            "matched": ["labubu", "keychain"],
            "fields": {"price": 12.5, "brand": "Pop Mart"},
        }
    ],
    "facets": {
        "brand": {"count": 3988, "missing": 108, "values": [{"value": "Pop Mart", "count": 12}]},
        "price": {"count": 4096, "missing": 0, "min": 1.5, "max": 899.0},
    },
    "counted": 4096,
    "next": "AQABbW",
    "end": None,
    "changed": False,
    "candidates": 4096,
}


class RetrieveAnswer(Said, json_schema_extra=with_examples(_ANSWER)):
    """`POST /retrieve`: what one snapshot answers to one query."""

    request_id: str = Field(description="Signed; give it back with `/events`")
    model: str = Field(description="The artifact's name")
    bindings: SeenBindings
    catalog: SeenItems
    query_sid: list[QuerySlot]
    applied_bindings: list[AppliedBinding]
    applied_rules: list[AppliedRule] = sometimes(list, "There when the query triggered one, in their order")
    metadata: list[dict[str, Any]] = sometimes(list, "There when a rule says some: that of each such rule, in order")
    understood: UnderstoodWords
    confidence: Probability = Field(description="How likely the answer holds what the query asks for")
    items: list[RankedItem]
    facets: dict[str, Facet] = sometimes(dict, "There when they were asked for: counts over the candidates")
    counted: Count = sometimes(int, "With `facets`: the candidates")
    next: str | None = sometimes(lambda: None, "With `cursor`: the one of the next page; null on the last")
    end: Literal["exhausted", "limit"] | None = sometimes(
        lambda: None,
        "With `cursor`: why this is the last page: nothing is left, or 1 000 items were shown; else null",
    )
    changed: bool = sometimes(bool, "With `cursor`: whether anything was edited since the page before")
    candidates: Count = sometimes(int, "With `cursor`: how many items were scored, not how many fit the query")
    explain: Explanation = sometimes(Explanation.model_construct, "There when it was asked for")


class BatchAnswer(Said, json_schema_extra=with_examples({"answers": [_ANSWER]})):
    """`POST /retrieve:batch`: in the order of the queries, all of one snapshot."""

    answers: list[RetrieveAnswer]


class EventsAccepted(Said, json_schema_extra=with_examples({"accepted": 1})):
    """`POST /events`."""

    accepted: Count
