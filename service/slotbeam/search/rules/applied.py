"""What the rules that a query triggered do to it, and to its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from slotbeam.arrays import distinct
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.table import Catalog
from slotbeam.language.boundaries import Span
from slotbeam.search.rewriting import TextChange
from slotbeam.search.rules.rule import Rule
from slotbeam.types import IntArray


@dataclass(frozen=True, slots=True)
class TriggeredRule:
    """A rule that a query triggered: `word` stands at `span` of the canonical query; None for every query."""

    rule: Rule
    word: str | None
    span: Span | None


@dataclass(frozen=True, slots=True)
class AppliedRules:
    """The rules that a query triggered, in the order in which they go.

    Attributes:
        each: of them; the one that replaced something comes first.
        replaced: what was replaced in the canonical query; None: nothing.
        cut: spans of the text that left it for a filter.
        aliased: parts that are read as words of the dictionary, in order.
        terms: where the text that is encoded says more than it says, and the words that it says there, too.
    """

    each: tuple[TriggeredRule, ...] = ()
    replaced: TextChange | None = None
    aliased: tuple[TextChange, ...] = ()
    terms: tuple[tuple[Span, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.each)

    @property
    def filters(self) -> list[Mapping[str, Any]]:
        """What items have to pass."""
        return [rule.filter for rule in self._rules() if rule.filter]

    @property
    def metadata(self) -> list[Mapping[str, Any]]:
        """What is passed through."""
        return [rule.metadata for rule in self._rules() if rule.metadata]

    def hidden(self, catalog: Catalog, known: dict[str, IntArray] | None = None) -> IntArray:
        """Return (h,) int64 the rows that are not answered, each once.

        Args:
            catalog: that is asked.
            known: id → rows there of the rules for every query, which are looked up once; it is written to.
        """
        rows = [_hidden(rule, catalog, known) for rule in self._rules() if rule.hide]
        return distinct(np.concatenate(rows)) if rows else np.empty(0, np.int64)

    def scores(self, catalog: Catalog) -> list[tuple[Passing, float]]:
        """Return which items gain how much, in units of the item score; they lose what is below 0."""
        weighted = [(each.test, each.weight) for rule in self._rules() for each in rule.boost]
        weighted += [(each.test, -each.weight) for rule in self._rules() for each in rule.bury]
        return [(catalog.passing(test), weight) for test, weight in weighted]

    def positioned(self, catalog: Catalog, passing: Passing) -> IntArray:
        """Return (n,) int64 rows of the items that come first, in order; of what passes, each once."""
        rows: list[int] = []
        for rule in self._rules():
            if rule.positions:
                own = np.array(catalog.rows_of(rule.positions)[0], np.int64)
                counts = passing.holds(own)
                if rule.when:
                    counts &= catalog.passing(rule.when).holds(own)
                rows += own[counts].tolist()
        return np.array(list(dict.fromkeys(rows)), np.int64)

    def _rules(self) -> Iterator[Rule]:
        return (each.rule for each in self.each)


def _hidden(rule: Rule, catalog: Catalog, known: dict[str, IntArray] | None) -> IntArray:
    if known is None or rule.words:
        return np.array(catalog.rows_of(rule.hide)[0], np.int64)
    if rule.id not in known:
        known[rule.id] = _hidden(rule, catalog, None)
    return known[rule.id]


NONE_APPLIED = AppliedRules()
