"""Human judgements: `query,docid,rating` in a CSV file, ratings 0 to 3."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from slotbeam.errors import InputError

RELEVANT = 2
"""The least rating that counts as relevant."""


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
        InputError: names the line, the field and what is allowed; a pair judged twice with two ratings is refused.
    """
    found: dict[str, dict[str, int]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            wanted = {"query", "docid", "rating"}
            if not wanted <= set(reader.fieldnames or ()):
                raise InputError(f"{path.name} line 1: columns are {reader.fieldnames}; allowed: query, docid, rating")
            for row in reader:
                where = f"{path.name} line {reader.line_num}"
                query, item, rating = (row[name] or "" for name in ("query", "docid", "rating"))
                if not query.strip():
                    raise InputError(f"{where}: field 'query' is empty; allowed: text")
                if not item.strip():
                    raise InputError(f"{where}: field 'docid' is empty; allowed: an item id")
                if rating not in ("0", "1", "2", "3"):
                    raise InputError(f"{where}: field 'rating' is {rating!r}; allowed: 0, 1, 2, 3")
                if found.setdefault(query, {}).setdefault(item, int(rating)) != int(rating):
                    raise InputError(f"{where}: {query!r} and {item!r} have two ratings; allowed: one")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    return [Judged(query, ratings) for query, ratings in found.items()]
