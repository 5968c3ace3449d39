"""Pages of one answer: what was shown goes along from page to page, so that no edit in between shows it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from slotbeam.arrays import among, distinct
from slotbeam.catalog.table import Catalog, id_hash
from slotbeam.types import Hits, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What the pages so far have shown.

    Attributes:
        items: how many.
        marks: (m,) uint64, rising: of each item the hash of its id and, where variants are collapsed, that of its
            value, too: an edit may put another variant first.
    """

    items: int = 0
    marks: IntArray = field(default_factory=lambda: np.empty(0, np.uint64))

    def turn(self, hits: Hits, catalog: Catalog, collapse: str | None, k: int, candidates: int) -> tuple[Hits, Page]:
        """Return the next K hits that were not shown, and what the answer says of itself as a page.

        Args:
            hits: arranged, best first; the first m + K + 1 of them, or all.
            catalog: of the hits.
            collapse: the field of whose every value `hits` holds one item.
            k: K.
            candidates: how many items were scored.
        """
        # One mark keeps back one hit, so these hold the page and one more, which tells whether it is the last.
        hits = hits[: len(self.marks) + k + 1]
        marks = [_marks(catalog.ids.take(hits.rows))]
        if collapse is not None:
            values = catalog.fields[collapse].at(hits.rows).said()
            # −0.0 is 0.0, as where variants are collapsed. An item without a value stands for itself.
            texts = [str(value + 0.0 if isinstance(value, float) else value) for value in values]
            of_value = _marks([f"\0{text}" for text in texts])
            marks.append(np.where([value is None for value in values], marks[0], of_value))
        new = np.flatnonzero(~np.any([among(self.marks, each) for each in marks], axis=0))
        page = new[:k]
        shown = Shown(self.items + len(page), distinct(np.concatenate([self.marks, *(each[page] for each in marks)])))
        return hits.take(page), Page(shown, len(new) > k, candidates)


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What an answer says of itself as a page.

    Attributes:
        shown: by the pages so far, this one among them.
        more: whether something is left.
        candidates: how many items were scored; the popular ones of a `fallback` are not.
    """

    shown: Shown
    more: bool
    candidates: int


def _marks(texts: Iterable[str]) -> IntArray:
    return np.array([id_hash(text) for text in texts], np.uint64)
