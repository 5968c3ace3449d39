"""What a query asks for, before any of its words is encoded: its shape, its spelling, and the bound words in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from slotbeam.kae.encode import Match
from slotbeam.language.boundaries import Span
from slotbeam.search.pricing import ProposedFilter
from slotbeam.search.request import SearchRequest
from slotbeam.search.shape import Shape, read_shape
from slotbeam.search.snapshot import BoundMatch, Snapshot
from slotbeam.search.spelling import Considered, Corrected


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
        considered: words that nobody knows, and what each may have been.
    """

    typed: str
    text: str
    shape: Shape
    bound: tuple[BoundMatch, ...] = ()
    corrected: tuple[Corrected, ...] = ()
    applied: tuple[dict[str, Any], ...] = ()
    considered: tuple[Considered, ...] = ()

    @property
    def excluded(self) -> tuple[str, ...]:
        """Canonical texts of what is not wanted."""
        return self.shape.excluded

    @property
    def filters(self) -> tuple[ProposedFilter, ...]:
        """What the query says of typed fields."""
        return self.shape.filters

    @property
    def unbound(self) -> str:
        """`text` without its bound words."""
        text = self.text
        for start, end in sorted(((each.match.start, each.match.end) for each in self.bound), reverse=True):
            text = f"{text[:start]} {text[end:]}"
        return " ".join(text.split())

    def span(self, match: Match) -> Span:
        """Return where a match in `text` stands in `typed`."""
        return self.shape.typed(self.uncorrected(match))

    def uncorrected(self, match: Match) -> Span:
        """Return where a match in `text` stands in `shape.text`; a corrected word stands there whole."""
        start, end = match.start, match.end
        longer = 0
        for word, to, (first, last) in self.corrected:
            begin = first + longer
            longer += len(to) - len(word)
            if match.start >= begin + len(to):
                start = match.start - longer
            elif match.start > begin:
                start = first
            if match.end >= begin + len(to):
                end = match.end - longer
            elif match.end > begin:
                end = last
        return start, end


def read_query(snapshot: Snapshot, request: SearchRequest) -> QueryReading:
    """Read one query.

    Raises:
        InputError: an empty or over-long query.
    """
    typed = request.canonical()
    shape = read_shape(snapshot, typed, request.interpret)
    limit = request.max_bindings if request.use_bindings else 0
    bound = snapshot.overlay.match(shape.open_text, limit, snapshot.artifact.is_another_word)
    considered: list[Considered] = []
    if request.spelling:
        taken = [*shape.closed, *((each.match.start, each.match.end) for each in bound)]
        considered = snapshot.artifact.speller.consider(shape.text, taken)
    corrected = tuple(each.corrected for each in considered if each.corrected is not None)
    text, placed = _rewritten(shape.text, corrected, bound)
    applied = tuple(each.filter for each in shape.filters) if request.interpret else ()
    return QueryReading(typed, text, shape, placed, corrected, applied, tuple(considered))


def _rewritten(
    given: str, corrected: Sequence[Corrected], bound: Sequence[BoundMatch]
) -> tuple[str, tuple[BoundMatch, ...]]:
    """Return a text with its words corrected, and the bound words at their places in that."""
    text, at = "", 0
    for _, to, (start, end) in corrected:
        text, at = text + given[at:start] + to, end
    return text + given[at:], tuple(_moved(each, corrected) for each in bound)


def _moved(bound: BoundMatch, corrected: Sequence[Corrected]) -> BoundMatch:
    match = bound.match
    longer = sum(len(to) - len(word) for word, to, (start, _) in corrected if start < match.start)
    return replace(bound, match=replace(match, start=match.start + longer, end=match.end + longer))
