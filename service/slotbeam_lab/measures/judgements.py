"""Human judgements: `query,docid,rating` in a CSV file, ratings 0 to 3."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from slotbeam.catalog.loaders.faults import Faults
from slotbeam.catalog.loaders.records import open_bytes
from slotbeam.catalog.loaders.tables import table_rows

RELEVANT = 2
"""The least rating that counts as relevant."""
_COLUMNS = ("query", "docid", "rating")


@dataclass(frozen=True, slots=True)
class Judged:
    """One query with the ratings of its judged items, by id."""

    query: str
    ratings: dict[str, int]

    @property
    def relevant(self) -> frozenset[str]:
        return frozenset(item for item, rating in self.ratings.items() if rating >= RELEVANT)

    @property
    def other(self) -> frozenset[str]:
        return frozenset(item for item, rating in self.ratings.items() if rating < RELEVANT)

    def within(self, ids: Collection[str]) -> Judged:
        """The same query, judged over the items of `ids` alone."""
        return Judged(self.query, {item: rating for item, rating in self.ratings.items() if item in ids})


def read_judgements(path: Path) -> list[Judged]:
    """Read a judgements file, queries in file order.

    Raises:
        InputError: for all that is wrong, each with file, line, field and what is allowed; a pair judged twice with two
            ratings is refused.
    """
    found: dict[str, dict[str, int]] = {}
    faults = Faults()
    with open_bytes(path) as file:
        for place, row in table_rows(path, file, faults):
            rating = row.get("rating", "")
            faulty = [name for name in _COLUMNS[:2] if name not in row]
            for name in faulty:
                faults.note(place.error(name, None, f"text; the columns are {', '.join(_COLUMNS)}"))
            if rating not in ("0", "1", "2", "3"):
                faults.note(place.error("rating", row.get("rating"), "0, 1, 2, 3"))
            elif not faulty:
                query, item = row["query"], row["docid"]
                if found.setdefault(query, {}).setdefault(item, int(rating)) != int(rating):
                    faults.note(place.fault("rating", f"{query!r} and {item!r} have two ratings; allowed: one", "one"))
    faults.refuse()
    return [Judged(query, ratings) for query, ratings in found.items()]
