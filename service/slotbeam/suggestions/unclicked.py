"""Queries that got items of which nobody took one, counted in bounded memory; told as those without items. Pure code.

A click names its answer by a request id alone, which holds a keyed mark of the query: any replica can count it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slotbeam.suggestions.unanswered import CAPACITY, UnansweredCounter, UnansweredTally, merge_tallies

MIN_COUNT = 20
"""Of how often a query was asked, from which on it says something that nobody clicked."""
REMEMBERED = 20_000
"""Marks of queries that were clicked, at most."""
TOLD = 2000
"""Of them that a replica tells the others, the newest."""


class UnclickedCounter:
    """The queries with items that were asked most and not clicked. Not thread-safe.

    Args:
        capacity: queries at most.
        remembered: marks of clicked ones at most; the one that was not clicked for longest is forgotten first.
    """

    def __init__(self, capacity: int = CAPACITY, remembered: int = REMEMBERED) -> None:
        self._queries = UnansweredCounter(capacity)
        self._texts: dict[bytes, str] = {}
        self._clicked: OrderedDict[bytes, None] = OrderedDict()
        self._remembered = remembered

    def add(self, mark: bytes, query: str, asker: int, now_s: int) -> None:
        """Count a canonical query that `asker` got items for, unless it is known to be clicked."""
        if mark in self._clicked:
            return
        self._queries.add(query, asker, now_s)
        self._texts[mark] = query
        if len(self._texts) > 2 * self._queries.capacity + 1:
            self._texts = {mark: text for mark, text in self._texts.items() if text in self._queries.entries}

    def click(self, mark: bytes) -> None:
        """Count that somebody took an item of an answer to the query of `mark`, here or at another replica."""
        self._clicked[mark] = None
        self._clicked.move_to_end(mark)
        if len(self._clicked) > self._remembered:
            self._clicked.popitem(last=False)
        self._queries.entries.pop(self._texts.pop(mark, ""), None)

    def advance(self, now_s: int) -> None:
        """Let time pass, as for queries without items."""
        self._queries.advance(now_s)

    def document(self) -> dict[str, Any]:
        """Return what is published, as JSON values: as of queries without items, their marks, and what was clicked."""
        told = self._queries.document()
        marks = {text: mark.hex() for mark, text in self._texts.items() if text in told["queries"]}
        return {**told, "marks": marks, "clicked": [mark.hex() for mark in list(self._clicked)[-TOLD:]]}


def merge_unclicked(documents: Sequence[Any]) -> tuple[dict[str, UnansweredTally], int]:
    """Merge what replicas published, most asked first, without what was clicked at any of them.

    Nothing is told while none of them knows of a click: then nobody reports any.

    Returns:
        As `merge_unanswered`; but a text is told once it was asked `MIN_COUNT` times.
    """
    found = [one for one in map(_part, documents) if one]
    clicked = {str(mark) for one in found for mark in _list(one.get("clicked"))[-TOLD:]}
    if not clicked:
        return {}, 0
    merged, withheld = merge_tallies(found)
    gone = {text for one in found for text, mark in _pairs(one.get("marks")) if str(mark) in clicked}
    return {text: one for text, one in merged.items() if text not in gone and one.count >= MIN_COUNT}, withheld


def _part(document: Any) -> Mapping[str, Any] | None:
    part = document.get("unclicked") if isinstance(document, dict) else None
    return part if isinstance(part, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _pairs(value: Any) -> Iterable[tuple[str, Any]]:
    return value.items() if isinstance(value, dict) else ()
