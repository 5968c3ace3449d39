"""What the data plane answers, for its OpenAPI document; see `slotbeam.api.http.models`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.config import JsonDict

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
from slotbeam.api.retrieve.filtermodels import FilterObject

Probability = Annotated[float, Field(ge=0, le=1)]


class QuerySlot(Said):
    """One position of the query SID."""

    position: Count
    group: str
    slot: Count = Field(description="Index of the slot in its position; 0 is empty")
    kind: SlotKindName
    word: str | None = Field(description="The word that represents the position; null when it is empty")


RuleAction = Literal["replace", "filter", "alias", "hide", "boost", "bury", "position", "metadata"]


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
    sid_logp: float = sometimes(float, "Log-probability of the SID, in nats; there when all of it was decoded")
    source: Literal["binding", "rule", "model", "popular"] = Field(description="What brought it")
    relevance: Probability = Field(description="How likely it is what the query asks for; compares between answers")
    matched: list[str] = Field(description="Words of the query that it carries, in any spelling or by concept")
    fields: dict[str, str | float | bool] = sometimes(dict, "Those that were asked for and have a value")


class Correction(Said):
    """A word of the query that was taken for another one."""

    from_: str = Field(alias="from", description="As typed")
    to: str


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
    min: float = sometimes(float, "Of numbers, where an item has one")
    max: float = sometimes(float, "Likewise")


class ExplainedWord(Said):
    """A word found in the query, its slot, and whether and why it represents its position."""

    start: Count
    end: Count
    surface: str
    word: str
    category: str
    position: Count
    group: str
    slot: str
    kind: SlotKindName
    chosen: bool
    reason: str


class OverriddenWord(Said):
    """A base word that a bound word takes the place of in its pinned group."""

    word: str
    span: TextSpan
    slot: str


class PrefixSlot(Said):
    """A slot of a prefix that was decoded."""

    slot: str
    words: list[str] = Field(description="The most frequent words of the slot; none for an empty one")


class OpenedRange(Said):
    """Items that share a prefix of their SIDs: a state of the trie, all of which was scored."""

    prefix: list[PrefixSlot] = Field(description="No slot: every item")
    rows: Count
    logp: float = Field(description="Log-probability of the prefix, in nats")


class DecodedGroup(Said):
    """What one group looked at: ranges by budget, or with `beam_width` full SIDs, as `beams` and `expanded` tell."""

    group: str = Field(description="`base`, or the id of a binding")
    candidates: Count = Field(description="Items that were scored")
    lexical: Count = sometimes(int, "Candidates that words brought; of the base group")
    near: Count = sometimes(int, "Candidates whose texts mean much the same; of the base group")
    rows: Count = sometimes(int, "Items of the ranges, before the filter")
    steps: Count = sometimes(int, "Decoder steps")
    decoded: Count = sometimes(int, "Rows of these steps")
    opened: Count = sometimes(int, "Ranges")
    ranges: list[OpenedRange] = sometimes(list, "The first of them: most probability a row")
    beams: Count = sometimes(int, "SIDs that were decoded")
    expanded: Count = sometimes(int, "Prefixes that were looked at")


class BroughtBy(Said):
    """Why an item was among the candidates."""

    bindings: list[str] = sometimes(list, "Of an item of bindings: their ids")
    range: Count | None = sometimes(int, "Number of its range among those of the base group; null where none held it")
    words: bool = sometimes(bool, "Whether the query's words brought it")
    meaning: bool = sometimes(bool, "Whether it came for what the query means; never where the model had no teacher")


class SpellingCandidate(Said):
    """What a word that nobody knows may have been."""

    to: str
    slips: Count = Field(description="Letters put in, left out, changed or swapped; or a space too many or too few")
    times: Count = Field(description="How often it stands in the catalog, twice where in a title")
    fits: bool = Field(description="Whether the title of an item holds it beside the query's other words")


class ConsideredWord(Said):
    """A word that nobody knows, and what it may have been, best first."""

    word: str
    to: str | None = Field(description="What it was taken for; null where that is not safe")
    candidates: list[SpellingCandidate]


class ExplainedRules(Said):
    """What the rules did that the query triggered."""

    read: str = Field(description="The text that was encoded")
    replaced: Correction | None = Field(description="What a rule reads otherwise, before anything else is read")
    aliases: list[Correction] = Field(description="Words that are read as words of the dictionary")
    filters: list[dict[str, Any]]
    hidden: Count = Field(description="Items that rules leave out, whatever brought them")
    positioned: list[str] = Field(description="Ids of the items that rules put first, in order")


class Explanation(Said):
    """How an answer came about."""

    canonical: str
    excluded: list[str] = Field(description="What the query does not want: items of it come last in the base group")
    spelling: list[ConsideredWord] = Field(description="Words that nobody knows; none with `spelling` off")
    words: list[ExplainedWord]
    overridden: dict[str, list[OverriddenWord]] = Field(description="By the id of the binding")
    groups: list[DecodedGroup]
    brought_by: list[BroughtBy] = Field(description="In the order of the items")
    rules: ExplainedRules = sometimes(ExplainedRules.model_construct, "There when the query triggered one")


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
    next: str | None = sometimes(str, "With `cursor`: the one of the next page; null on the last")
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
