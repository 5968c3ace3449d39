"""What a query asks for, before any of its words is encoded: its shape, its spelling, and the bound words in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slotbeam.kae.encode import Match
from slotbeam.language.boundaries import Span
from slotbeam.search.pricing import ProposedFilter
from slotbeam.search.request import SearchRequest
from slotbeam.search.shape import Shape, read_shape
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
        shape: what it excludes, and what it says of typed fields.
        bound: bound words; their places are those in `text`.
        corrected: words that stand otherwise in `text`, in order.
        applied: filters that the query itself asks for, where `interpret` was asked for.
    """

    typed: str
    text: str
    shape: Shape
    bound: tuple[BoundMatch, ...] = ()
    corrected: tuple[Corrected, ...] = ()
    applied: tuple[dict[str, Any], ...] = ()

    @property
    def excluded(self) -> tuple[str, ...]:
        """Canonical texts of what is not wanted."""
        return self.shape.excluded

    @property
    def filters(self) -> tuple[ProposedFilter, ...]:
        """What the query says of typed fields."""
        return self.shape.filters

    def span(self, match: Match) -> Span:
        """Return where a match in `text` stands in `typed`."""
        return self.shape.typed((match.start, match.end))


def read_query(snapshot: Snapshot, request: SearchRequest) -> QueryReading:
    """Read one query.

    Raises:
        InputError: an empty or over-long query.
    """
    typed = request.canonical()
    shape = read_shape(snapshot, typed, request.interpret)
    limit = request.max_bindings if request.use_bindings else 0
    bound = snapshot.overlay.match(shape.open_text, limit, snapshot.artifact.is_another_word)
    applied = tuple(each.filter for each in shape.filters) if request.interpret else ()
    return QueryReading(typed, shape.text, shape, tuple(bound), applied=applied)
