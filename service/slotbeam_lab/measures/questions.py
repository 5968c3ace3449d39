"""What is asked: rows of a log's test day (one row one query), judged queries, or both."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from slotbeam.catalog.item import Interaction
from slotbeam.catalog.loaders import load_log
from slotbeam.errors import InputError
from slotbeam_lab.measures import metrics
from slotbeam_lab.measures.judgements import Judged, judged_table, read_judgements
from slotbeam_lab.measures.run import Asked, Progress, System, Table, evaluate


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
        """Table name → queries."""
        counts = {kind: len(rows) for kind, rows in self.kinds.items()}
        return counts | ({"judged": len(self.judged)} if self.judged else {})


def find_questions(catalog: Path, judgements: Path | None, world: Path | None) -> tuple[Path | None, Path | None]:
    """The judgements and the test log: those given, else what lies beside the catalog.

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
    """Read them.

    Args:
        judgements: a CSV file. world: a log. ids: of the catalog.
        queries: rows of the log at most of each kind, always the same ones.

    Raises:
        InputError: a file is malformed, or no judged query has a relevant item in the catalog.
    """
    log = tuple(load_log(world)) if world else ()
    kinds = {kind: sample([one for one in log if one.kind == kind], queries) for kind in ("click", "order")}
    judged, lost = _judged(judgements, ids) if judgements else ([], 0)
    return Questions(log, {kind: rows for kind, rows in kinds.items() if rows}, judged, lost)


def ask(
    systems: Mapping[str, System], questions: Questions, ks: Sequence[int], progress: Progress | None = None
) -> dict[str, Table]:
    """Table name (`click`, `order`, `judged`) → every system's values on the same queries."""
    tables = {kind: world_table(systems, rows, ks, progress) for kind, rows in questions.kinds.items()}
    if questions.judged:
        tables["judged"] = judged_table(systems, questions.judged, ks, progress)
    return tables


def world_table(
    systems: Mapping[str, System], log: Sequence[Interaction], ks: Sequence[int], progress: Progress | None = None
) -> Table:
    """HR@K and MRR@K of the chosen item for each K; an interaction is one query, its item the only relevant one."""

    def score(number: int, ranked: Sequence[str]) -> dict[str, float]:
        target = (log[number].item_id,)
        return {f"HR@{k}": metrics.hit_rate(ranked, target, k) for k in ks} | {
            f"MRR@{k}": metrics.reciprocal_rank(ranked, target, k) for k in ks
        }

    asked = [Asked(one.query, one.recent_queries, one.recent_item_ids) for one in log]
    return evaluate(systems, asked, max(ks), score, progress)


def sample(log: Sequence[Interaction], count: int | None) -> list[Interaction]:
    """At most `count` interactions, always the same ones of one log; requests stay whole as far as they can."""
    if count is None or len(log) <= count:
        return list(log)
    keyed = sorted(range(len(log)), key=lambda i: (crc32(f"{log[i].user} {log[i].query}".encode()), i))
    return [log[i] for i in sorted(keyed[:count])]


def _judged(path: Path, ids: Collection[str]) -> tuple[list[Judged], int]:
    judged = read_judgements(path)
    kept = [one.within(ids) for one in judged]
    lost = sum(len(one.ratings) for one in judged) - sum(len(one.ratings) for one in kept)
    kept = [one for one in kept if one.relevant]
    if not kept:
        raise InputError(f"{path.name}: no query has a relevant item in the catalog; allowed: ids of the catalog")
    return kept, lost
