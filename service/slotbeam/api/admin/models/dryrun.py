"""What an edit would do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic.config import JsonDict

from slotbeam.api.http.models import Count, Moment, Said, TextSpan, sometimes, with_examples

OpName = Literal["bind", "update", "unbind", "add", "remove", "expire", "import", "revert"]


class OverriddenSlot(Said):
    """A word of the dictionary that stands in a bound word."""

    word: str
    slot: str
    label: str


class PreviewSpelling(Said):
    """Another spelling of a word that triggers the binding."""

    text: str
    seen: Literal["queries", "catalog", "dictionary"] | None = Field(
        description="Who uses it; null where nobody is known to"
    )


class PreviewCharacters(Said):
    """A text that holds the characters of a word beside others of its script."""

    text: str
    found: bool = Field(description="Whether the word is found in it")


class PreviewLookAlikes(Said):
    """Where the characters of a word stand in longer runs: what it would hit, or not, besides itself."""

    words: list[PreviewCharacters] = Field(description="Longer words of the dictionary")
    titles: list[PreviewCharacters]


class PreviewWord(Said):
    """A word to be bound, its other spellings, and what the dictionary knows in it."""

    word: str
    overrides: list[OverriddenSlot]
    spellings: list[PreviewSpelling] = Field(description="Some of those that trigger the binding, too")
    spelling_of: str | None = Field(description="The word of this binding that makes it needless; null without one")
    characters: PreviewLookAlikes | None = Field(description="Of a word of a script without spaces; else null")


class PreviewItems(Said):
    """The items to be bound."""

    count: Count
    found: Count
    matched: Count | None = Field(description="How many the words matched; null when no match was asked for")
    missing: list[str] = Field(description="Ids that the catalog does not hold, the first of them")
    missing_count: Count


class PreviewTraffic(Said):
    """How many queries of the last day's sample would trigger the binding."""

    sampled: Count
    taken: Count
    share: float | None
    examples: list[str]


class PreviewOverridden(Said):
    """A base word of a sample query that the bound word takes the place of."""

    word: str
    span: TextSpan
    slot: str


class PreviewSpan(Said):
    """Where a sample query holds the bound word."""

    word: str
    span: TextSpan
    overrides: list[PreviewOverridden]


class PreviewHit(Said):
    """One item of an answer."""

    id: str
    title: str
    source: Literal["binding", "model", "rule"]


class PreviewSample(Said):
    """One query before and after."""

    query: str
    canonical: str
    matches: bool
    spans: list[PreviewSpan]
    before: list[PreviewHit]
    after: list[PreviewHit]


class RefusedSample(Said):
    """A query that cannot be asked, and why."""

    query: str
    error: str


class PreviewChange(Said):
    """One of the bindings and rules that an edit is of."""

    did: Literal["created", "updated", "removed"]
    slot: str | None = Field(description="That it would hold, or gives back; null of a rule and of a draft")
    words: list[str]


_HIT: JsonDict = {"id": "B07", "title": "Labubu keychain", "source": "binding"}


class DryRun(
    Said,
    json_schema_extra=with_examples(
        {
            "dry_run": True,
            "op": "bind",
            "slot": "1-2049",
            "revision": 41,
            "starts_at": None,
            "ends_at": None,
            "words": [
                {
                    "word": "t-shirt",
                    "overrides": [],
                    "spellings": [{"text": "tshirt", "seen": "queries"}, {"text": "t-shirts", "seen": None}],
                    "spelling_of": None,
                    "characters": None,
                }
            ],
            "items": {"count": 2, "found": 2, "matched": 2, "missing": [], "missing_count": 0},
            "traffic": {"sampled": 500, "taken": 10, "share": 0.02, "examples": ["labubu keychain"]},
            "samples": [
                {
                    "query": "Labubu",
                    "canonical": "labubu",
                    "matches": True,
                    "spans": [{"word": "labubu", "span": [0, 6], "overrides": []}],
                    "before": [],
                    "after": [_HIT],
                }
            ],
            "warnings": [],
        }
    ),
):
    """`?dry_run=true`: what the edit would do. Nothing was written."""

    dry_run: Literal[True]
    op: OpName
    slot: str | None
    revision: Count = Field(description="The one that it was planned on")
    starts_at: Moment | None
    ends_at: Moment | None
    words: list[PreviewWord]
    items: PreviewItems | None = Field(description="Null when the edit names none")
    traffic: PreviewTraffic
    samples: list[PreviewSample | RefusedSample]
    warnings: list[str]
    changes: list[PreviewChange] = sometimes(
        list, "There when it is of several bindings or rules: each; the rest is of the first"
    )
