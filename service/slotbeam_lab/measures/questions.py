"""What is asked: rows of a log's test day (one row one query), judged queries, or both; and what systems make of it.

Human judgements (Icecat's, or any file of the same shape) are a CSV of `query,docid,rating`, ratings 0 to 3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

from slotbeam.catalog.item import Interaction
from slotbeam.catalog.loaders import load_log
from slotbeam.catalog.loaders.faults import Faults, good_rows
from slotbeam.catalog.loaders.files import opened
from slotbeam.catalog.loaders.tables import table_rows
from slotbeam.errors import InputError
from slotbeam.types import Progress
from slotbeam_lab.measures import metrics
from slotbeam_lab.measures.run import Asked, System, Table, evaluate

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
        """Return the same query, judged over the items of `ids` alone."""
        return Judged(self.query, {item: rating for item, rating in self.ratings.items() if item in ids})


def read_judgements(path: Path) -> list[Judged]:
    """Read a judgements file, queries in file order.

    Raises:
        InputError: for all that is wrong, each with file, line, field and what is allowed; a pair judged twice with two
            ratings is refused.
    """
    judged: dict[str, dict[str, int]] = {}
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
                if judged.setdefault(query, {}).setdefault(item, int(rating)) != int(rating):
                    faults.note(place.fault("rating", f"{query!r} and {item!r} have two ratings; allowed: one", "one"))
    faults.refuse()
    return [Judged(query, ratings) for query, ratings in judged.items()]


@dataclass(frozen=True, slots=True)
class Questions:
    """Queries with what is right for them.

    Attributes:
        log: every row of the test day. kinds: its rows that are asked, by kind (`click`, `order`).
        judged: queries with a relevant item in the catalog.
        lost: judgements of items that the catalog does not hold.
    """

    log: tuple[Interaction, ...]
    kinds: Mapping[str, Sequence[Interaction]]
    judged: Sequence[Judged]
    lost: int

    def counts(self) -> dict[str, int]:
        """Return table name → queries."""
        counts = {kind: len(rows) for kind, rows in self.kinds.items()}
        return counts | ({"judged": len(self.judged)} if self.judged else {})

    def alone(self, name: str) -> Questions:
        """Return the questions of one table."""
        kinds = {kind: rows for kind, rows in self.kinds.items() if kind == name}
        return replace(self, kinds=kinds, judged=self.judged if name == "judged" else ())


def find_questions(catalog: Path, judgements: Path | None, world: Path | None) -> tuple[Path | None, Path | None]:
    """Return the judgements and the test log: those given, else what lies beside the catalog.

    Raises:
        InputError: there is nothing to measure on.
    """
    beside = catalog if catalog.is_dir() else catalog.parent
    if judgements is None and world is None:
        if (beside / "world.json").is_file():
            world = beside
        else:
            judgements = next(iter(sorted(beside.glob("judgements*.csv"))), None)
    if judgements is None and world is None:
        raise InputError(f"nothing to measure on: {beside} has no world.json and no judgements*.csv; name a file")
    if world is not None and (world / "test.jsonl").is_file():
        world = world / "test.jsonl"
    return judgements, world


def read_questions(
    judgements: Path | None, world: Path | None, ids: Collection[str], queries: int | None = None
) -> Questions:
    """Read what is asked.

    Args:
        judgements: a CSV file. world: a log. ids: of the catalog.
        queries: rows of the log at most of each kind, always the same ones.

    Raises:
        InputError: a file is malformed, or no judged query has a relevant item in the catalog.
    """
    log = tuple(load_log(world)) if world else ()
    kinds = {kind: sample([row for row in log if row.kind == kind], queries) for kind in ("click", "order")}
    judged, lost = _judged(judgements, ids) if judgements else ([], 0)
    return Questions(log, {kind: rows for kind, rows in kinds.items() if rows}, judged, lost)


def days_before(day: int, logs: Path | None) -> list[Interaction]:
    """Return the rows of earlier days of a log; without a log, none."""
    return [row for row in load_log(logs) if row.day < day] if logs is not None else []


def ask(
    systems: Mapping[str, System], questions: Questions, ks: Sequence[int], progress: Progress | None = None
) -> dict[str, Table]:
    """Return table name (`click`, `order`, `judged`) → every system's values on the same queries."""
    tables = {kind: world_table(systems, rows, ks, progress) for kind, rows in questions.kinds.items()}
    if questions.judged:
        tables["judged"] = judged_table(systems, questions.judged, ks, progress)
    return tables


def world_table(
    systems: Mapping[str, System], log: Sequence[Interaction], ks: Sequence[int], progress: Progress | None = None
) -> Table:
    """Measure HR@K and MRR@K for each K; an interaction is one query, its item the only relevant one."""

    def score(number: int, ranked: Sequence[str]) -> dict[str, float]:
        target = (log[number].item_id,)
        return {f"HR@{k}": metrics.hit_rate(ranked, target, k) for k in ks} | {
            f"MRR@{k}": metrics.reciprocal_rank(ranked, target, k) for k in ks
        }

    return evaluate(systems, [Asked.of(row) for row in log], max(ks), score, progress)


def judged_table(
    systems: Mapping[str, System], judged: Sequence[Judged], ks: Sequence[int], progress: Progress | None = None
) -> Table:
    """Measure Recall@K for each K, nDCG@10, condensed nDCG@10, bpref and MRR at the largest K.

    Queries without a relevant item are left out: every metric is undefined there.
    """
    judged = [query for query in judged if query.relevant]
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

    return evaluate(systems, [Asked(query.query) for query in judged], most, score, progress)


def judged_recall(system: System, judged: Sequence[Judged], k: int) -> tuple[float, float]:
    """Return the mean recall of everything that `system` answers, and how many items that is on average."""
    judged = [query for query in judged if query.relevant]
    answers = [system(Asked(query.query), k) for query in judged]
    recalls = [metrics.recall(ids, query.relevant, len(ids)) for ids, query in zip(answers, judged, strict=True)]
    return sum(recalls) / len(judged), sum(map(len, answers)) / len(judged)


def sample(log: Sequence[Interaction], count: int | None) -> list[Interaction]:
    """Take at most `count` interactions, always the same ones of one log; requests stay whole as far as they can."""
    if count is None or len(log) <= count:
        return list(log)
    keyed = sorted(range(len(log)), key=lambda i: (crc32(f"{log[i].user} {log[i].query}".encode()), i))
    return [log[i] for i in sorted(keyed[:count])]


def _judged(path: Path, ids: Collection[str]) -> tuple[list[Judged], int]:
    judged = read_judgements(path)
    kept = [query.within(ids) for query in judged]
    lost = sum(len(query.ratings) for query in judged) - sum(len(query.ratings) for query in kept)
    kept = [query for query in kept if query.relevant]
    if not kept:
        raise InputError(f"{path.name}: no query has a relevant item in the catalog; allowed: ids of the catalog")
    return kept, lost
