"""Words that were offered for binding."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slotbeam.api.http.models import Count, Said, with_examples


class GuessedCategory(Said):
    """One category that a word may have."""

    category: str
    share: float
    why: str


class SuggestionView(Said):
    """An unknown word that stands out against its own past."""

    word: str
    queries: int
    hours: Count
    share: float
    past_share: float
    evidence: float
    examples: list[str]
    category: str
    why: str
    categories: list[GuessedCategory]
    items: Count = Field(description="Items whose text holds the word")


class SuggestionList(
    Said,
    json_schema_extra=with_examples(
        {
            "queries": 5000,
            "suggestions": [
                {
                    "word": "labubu",
                    "queries": 120,
                    "hours": 3,
                    "share": 0.024,
                    "past_share": 0.0,
                    "evidence": 310.2,
                    "examples": ["labubu keychain"],
                    "category": "brand",
                    "why": "it stands before an entity",
                    "categories": [{"category": "brand", "share": 0.91, "why": "it stands before an entity"}],
                    "items": 12,
                }
            ],
        }
    ),
):
    """`GET /admin/suggestions`: `queries` is how many were counted of late."""

    queries: Count
    suggestions: list[SuggestionView]


class WordDismissed(Said, json_schema_extra=with_examples({"word": "labubu", "dismissed": True, "new": True})):
    """The word is not suggested again; `new` is false when that was so before."""

    word: str
    dismissed: Literal[True]
    new: bool
