"""How an answer came about, for the data plane's OpenAPI document; `search/explain.py` makes it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from slotbeam.api.http.models import Count, Said, SlotKindName, TextSpan, sometimes


class Correction(Said):
    """A word of the query that was taken for another one."""

    from_: str = Field(alias="from", description="As typed")
    to: str


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
    range: Count | None = sometimes(
        lambda: None, "Number of its range among those of the base group; null where none held it"
    )
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
