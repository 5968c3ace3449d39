"""What a query asks for, before any of its words is encoded: its shape, its spelling, and the bound words in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slotbeam.kae.encode import Match
from slotbeam.language.boundaries import Span
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import BoundMatch, Snapshot


@dataclass(frozen=True, slots=True)
class Corrected:
    """A word that was taken for another one: both canonical; `span` is its place in the canonical query."""

    word: str
    to: str
    span: Span


@dataclass(frozen=True, slots=True)
class QueryReading:
    """A query as it was understood.

    Attributes:
        typed: the canonical query.
        text: what is encoded: without what is excluded, each misspelt word corrected.
        bound: bound words; their places are those in `text`.
        corrected: words that stand otherwise in `text`, in order.
        excluded: canonical texts of what is not wanted.
        filters: what the query says of typed fields, as a filter; applied when `interpret` was asked for.
    """

    typed: str
    text: str
    bound: tuple[BoundMatch, ...] = ()
    corrected: tuple[Corrected, ...] = ()
    excluded: tuple[str, ...] = ()
    filters: dict[str, Any] | None = None

    def span(self, match: Match) -> Span:
        """Return where a match in `text` stands in `typed`."""
        return match.start, match.end


def read_query(snapshot: Snapshot, request: SearchRequest) -> QueryReading:
    """Read one query.

    Raises:
        InputError: an empty or over-long query.
    """
    typed = request.canonical()
    limit = request.max_bindings if request.use_bindings else 0
    bound = snapshot.overlay.match(typed, limit, snapshot.artifact.is_another_word)
    return QueryReading(typed, typed, tuple(bound))
