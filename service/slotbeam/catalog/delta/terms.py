"""Terms of a live catalog: those of an index, and behind them those that live items brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from slotbeam.catalog.delta.passing import LivePassing
from slotbeam.catalog.delta.postings import LivePostings
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.terms import TermIndex
from slotbeam.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class LiveTermIndex(TermIndex):
    """What `TermIndex` is of an index, of an index and a delta. Statistics stay those of the index.

    Attributes:
        new: hash → place of terms that the index does not have, shared with later versions.
        many: places that there are yet.
        places_of_rows: (D,) see `DeltaOrder.places`.
    """

    new: Mapping[int, int] = field(default_factory=dict)
    many: int = 0
    places_of_rows: FloatArray = field(default_factory=lambda: np.empty(0))

    def best(self, places: IntArray, limit: int, passing: Passing | LivePassing | None) -> IntArray:
        """Return (n,) rows of the items with the largest overlap, best first, ties in the catalog's order."""
        assert isinstance(self.postings, LivePostings)
        members = passing if isinstance(passing, LivePassing) else self.postings.alive
        return self.postings.best(places, limit, members, self.places_of_rows)

    def _places_of(self, hashes: IntArray) -> IntArray:
        places = TermIndex._places_of(self, hashes)
        for at in np.flatnonzero(places < 0).tolist():
            place = self.new.get(int(hashes[at]), self.many)
            places[at] = place if place < self.many else -1
        # A term whose every item is gone is one that no item carries.
        held = np.flatnonzero(places >= 0)
        assert isinstance(self.postings, LivePostings)
        places[held[~self.postings.is_carried(places[held])]] = -1
        return places
