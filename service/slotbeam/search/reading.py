"""What a query asks for, before any of its words is encoded: its rules, shape, spelling, and the bound words in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from slotbeam.kae.encode import Match
from slotbeam.language.boundaries import Span
from slotbeam.search.pricing import ProposedFilter
from slotbeam.search.request import SearchRequest
from slotbeam.search.rewriting import TextChange, moved, origin, rewritten
from slotbeam.search.rules.applied import NONE_APPLIED, AppliedRules
from slotbeam.search.rules.reading import read_rules
from slotbeam.search.shape import Shape
from slotbeam.search.snapshot import BoundMatch, Snapshot
from slotbeam.search.spelling import Considered


@dataclass(frozen=True, slots=True)
class QueryReading:
    """A query as it was understood.

    Attributes:
        typed: the canonical query.
        text: what is encoded: without what is excluded, each misspelt word corrected, aliases as what they stand for.
        shape: what it excludes, and what it says of typed fields.
        bound: bound words; their places are those in `text`.
        corrected: words that stand otherwise in `text`, in order.
        applied: filters that the query itself asks for, where `interpret` was asked for.
        considered: words that nobody knows, and what each may have been.
        rules: what the rules do that it triggered.
    """

    typed: str
    text: str
    shape: Shape
    bound: tuple[BoundMatch, ...] = ()
    corrected: tuple[TextChange, ...] = ()
    applied: tuple[dict[str, Any], ...] = ()
    considered: tuple[Considered, ...] = ()
    rules: AppliedRules = NONE_APPLIED

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
        span, replaced = self.shape.typed(self.uncorrected(match)), self.rules.replaced
        return origin(span, [replaced]) if replaced else span

    def uncorrected(self, match: Match) -> Span:
        """Return where a match in `text` stands in `shape.text`; a corrected word stands there whole."""
        return origin((match.start, match.end), _in_order(self.corrected, self.rules.aliased))


def read_query(snapshot: Snapshot, request: SearchRequest) -> QueryReading:
    """Read one query.

    Raises:
        InputError: an empty or over-long query.
    """
    typed = request.canonical()
    ruled = read_rules(snapshot, typed, request)
    shape, bound, rules = ruled.shape, ruled.bound, ruled.applied
    considered: list[Considered] = []
    if request.spelling:
        taken = [*shape.closed, *((each.match.start, each.match.end) for each in bound)]
        taken += [each.span for each in rules.aliased]
        considered = snapshot.artifact.speller.consider(shape.text, taken)
    corrected = tuple(each.corrected for each in considered if each.corrected is not None)
    changes = _in_order(corrected, rules.aliased)
    placed = tuple(each.at(moved((each.match.start, each.match.end), changes)) for each in bound)
    if rules.terms:
        rules = replace(rules, terms=tuple((moved(span, changes), term) for span, term in rules.terms))
    applied = tuple(each.filter for each in shape.filters) if request.interpret else ()
    text = rewritten(shape.text, changes)
    return QueryReading(typed, text, shape, placed, corrected, applied, tuple(considered), rules)


def _in_order(corrected: Sequence[TextChange], aliased: Sequence[TextChange]) -> Sequence[TextChange]:
    return sorted([*corrected, *aliased], key=lambda change: change.span) if aliased else corrected
