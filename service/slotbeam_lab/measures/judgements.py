"""Human judgements (Icecat's, or any file of the same shape) and what systems make of the judged queries.

The file is a CSV of `query,docid,rating`, ratings 0 to 3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slotbeam.catalog.loaders.faults import Faults, good_rows
from slotbeam.catalog.loaders.files import opened
from slotbeam.catalog.loaders.tables import table_rows
from slotbeam_lab.measures import metrics
from slotbeam_lab.measures.run import Asked, Progress, System, Table, evaluate

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
    file, raw = opened(path)
    with raw, file:
        for place, row, _ in good_rows(table_rows(path, file), faults):
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


def judged_table(
    systems: Mapping[str, System], judged: Sequence[Judged], ks: Sequence[int], progress: Progress | None = None
) -> Table:
    """Recall@K for each K, nDCG@10, condensed nDCG@10, bpref and MRR at the largest K.

    Queries without a relevant item are left out: every metric is undefined there.
    """
    judged = [one for one in judged if one.relevant]
    most = max(ks)

    def score(number: int, ranked: Sequence[str]) -> dict[str, float]:
        one = judged[number]
        return {
            **{f"Recall@{k}": metrics.recall(ranked, one.relevant, k) for k in ks},
            "nDCG@10": metrics.ndcg(ranked, one.ratings),
            "condensed nDCG@10": metrics.condensed_ndcg(ranked, one.ratings),
            "bpref": metrics.bpref(ranked, one.relevant, one.other),
            f"MRR@{most}": metrics.reciprocal_rank(ranked, one.relevant, most),
        }

    return evaluate(systems, [Asked(one.query) for one in judged], most, score, progress)


def judged_recall(system: System, judged: Sequence[Judged], k: int) -> tuple[float, float]:
    """Mean recall of everything that `system` returns, and how many items that is on average."""
    judged = [one for one in judged if one.relevant]
    answers = [system(Asked(one.query), k) for one in judged]
    found = [metrics.recall(answer, one.relevant, len(answer)) for answer, one in zip(answers, judged, strict=True)]
    return sum(found) / len(judged), sum(map(len, answers)) / len(judged)
