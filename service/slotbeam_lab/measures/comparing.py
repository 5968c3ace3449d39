"""What changes for queries when one side is served in the other's place, and which queries to look at."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from slotbeam.types import FloatArray, Progress
from slotbeam_lab.measures import metrics
from slotbeam_lab.measures.asking import Question
from slotbeam_lab.measures.run import Interval, interval, resampled
from slotbeam_lab.measures.sides import Side, SideAnswer

Name = TypeVar("Name", bound=Hashable)

P = 0.9
"""Persistence of the rank-biased overlap."""
DEPTH = 10
"""Ranks that are looked at for what left an answer and what came into it."""
NDCG = f"nDCG@{DEPTH}"
QUANTILES = 201
_FIRST = "first"
_SAME = 1e-12
"""Measures that differ by less differ in how they were added up."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One question with both answers."""

    question: Question
    a: SideAnswer
    b: SideAnswer

    def overlaps(self, ks: Sequence[int]) -> dict[str, float]:
        """Return how alike both answers are, by measure, each in [0, 1]."""
        a, b = self.a.ids, self.b.ids
        return {
            **{f"overlap@{k}": metrics.overlap(a, b, k) for k in ks},
            f"RBO {P}": metrics.rank_biased_overlap(a, b, P),
            "identical": float(a == b),
        }

    def measures(self, ids: Sequence[str], ks: Sequence[int]) -> dict[str, float]:
        """Return Recall@K for each K and nDCG@10 of one of the answers: means over what is right for the question."""
        each = [
            {**{f"Recall@{k}": metrics.recall(ids, one.relevant, k) for k in ks}, NDCG: metrics.ndcg(ids, one.ratings)}
            for one in self.question.rights
        ]
        return {name: sum(one[name] for one in each) / len(each) for name in each[0]} if each else {}


def compare(
    a: Side,
    b: Side,
    questions: Sequence[Question],
    ks: Sequence[int] = (10, 100),
    show: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Ask both sides every question and say what is another in `b`; of each question numbers are kept, no answers.

    Args:
        ks: the values of K, each 1..1000; answers are as long as the largest.
        show: queries of each list at most.
        seed: of the bootstrap.
        progress: told of every question.

    Returns:
        JSON values. An interval is `[value, lower, upper]`: a mean over the questions, each by its count, with its 95 %
        bootstrap interval over questions. `overlap` (measure → interval), `answered` (`a`, `b`, `newly_empty`,
        `newly_answered`: questions) and, where it is known what is right, `measures` (measure → `a`, `b` and
        `difference`, which are intervals, the last one paired, and `better`, `same`, `worse`: questions); `spread`
        (measure → its values at the quantiles 0, 0.005 … 1 of the questions: of the overlap of the first ten, and of
        nDCG@10, B − A, where it is known what is right); `look_at` (`losses`, `gains`: by nDCG@10; `changed`: by the
        overlap of the first ten) with the queries that change most; `applied` with what was triggered on either side,
        and by how many questions.
    """

    def asked(question: Question) -> Pair:
        return Pair(question, *(side.ask(question.asked, max(ks)) for side in (a, b)))

    judged = all(question.rights for question in questions)
    overlaps, of_a, of_b = _Columns(), _Columns(), _Columns()
    empty: list[tuple[bool, bool]] = []
    applied: dict[str, dict[str, Any]] = {}
    for number, question in enumerate(questions, 1):
        pair = asked(question)
        overlaps.add({**pair.overlaps(ks), _FIRST: metrics.overlap(pair.a.ids, pair.b.ids, DEPTH)})
        empty.append((not pair.a.ids, not pair.b.ids))
        if judged:
            of_a.add(pair.measures(pair.a.ids, ks))
            of_b.add(pair.measures(pair.b.ids, ks))
        _note_applied(applied, pair)
        if progress is not None:
            progress("queries", number, len(questions))
    counts = np.array([question.count for question in questions])
    alike = overlaps.arrays()
    first = alike.pop(_FIRST)
    without = np.array(empty)
    result: dict[str, Any] = {
        "a": a.facts(),
        "b": b.facts(),
        "queries": len(questions),
        "asked": float(counts.sum()),
        "ks": list(ks),
        "seed": seed,
        "overlap": _intervals(alike, counts, seed),
        "answered": {
            "a": int((~without[:, 0]).sum()),
            "b": int((~without[:, 1]).sum()),
            "newly_empty": int((~without[:, 0] & without[:, 1]).sum()),
            "newly_answered": int((without[:, 0] & ~without[:, 1]).sum()),
        },
        "spread": {f"overlap@{DEPTH}": _quantiles(first)},
    }
    worth = np.zeros(len(questions))
    if judged:
        before, after = of_a.arrays(), of_b.arrays()
        result["measures"] = _paired(before, after, counts, seed)
        worth = after[NDCG] - before[NDCG]
        result["spread"][NDCG] = _quantiles(worth)
    chosen = _look_at(questions, counts, worth, first, show)
    result["look_at"] = {
        name: [_told(asked(questions[at]), float(first[at]), a, b) for at in places] for name, places in chosen.items()
    }
    result["applied"] = sorted(applied.values(), key=lambda one: (-one["changed"], -one["b"], one["id"]))
    return result


class _Columns:
    """Measures of one question after the other, by name."""

    def __init__(self) -> None:
        self._values: dict[str, array[float]] = {}

    def add(self, row: Mapping[str, float]) -> None:
        for name, value in row.items():
            self._values.setdefault(name, array("d")).append(value)

    def arrays(self) -> dict[str, FloatArray]:
        """Return measure → (n,) its values."""
        return {name: np.array(values) for name, values in self._values.items()}


def _quantiles(values: FloatArray) -> list[float]:
    return [float(one) for one in np.quantile(values, np.linspace(0, 1, QUANTILES), method="nearest")]


def _intervals(columns: Mapping[Name, FloatArray], counts: FloatArray, seed: int) -> dict[Name, Interval]:
    """Return each column's mean, rows weighed by `counts` (n,), with its interval: the same draws for all."""
    weighed = np.column_stack([*(values * counts for values in columns.values()), counts])
    drawn = resampled(weighed, seed)
    means = drawn[:, :-1] / drawn[:, -1:]
    return {
        name: interval(float(values @ counts / counts.sum()), means[:, at])
        for at, (name, values) in enumerate(columns.items())
    }


def _paired(
    of_a: Mapping[str, FloatArray], of_b: Mapping[str, FloatArray], counts: FloatArray, seed: int
) -> dict[str, dict[str, Any]]:
    differences = {name: of_b[name] - of_a[name] for name in of_a}
    sides = {"a": of_a, "b": of_b, "difference": differences}
    columns = {(side, name): values for side, own in sides.items() for name, values in own.items()}
    intervals = _intervals(columns, counts, seed)
    return {
        name: {
            **{side: intervals[side, name] for side in sides},
            "better": int((values > _SAME).sum()),
            "same": int((np.abs(values) <= _SAME).sum()),
            "worse": int((values < -_SAME).sum()),
        }
        for name, values in differences.items()
    }


def _note_applied(told: dict[str, dict[str, Any]], pair: Pair) -> None:
    """Count each binding and rule that a question triggered: on each side, and whether its answer changed."""
    changed = pair.a.ids != pair.b.ids
    each = {one["id"]: one for one in (*pair.a.applied, *pair.b.applied)}
    for one in each.values():
        own = told.setdefault(one["id"], {**one, "a": 0, "b": 0, "changed": 0})
        own["changed"] += changed
        for side, shown in (("a", pair.a), ("b", pair.b)):
            own[side] += any(other["id"] == one["id"] for other in shown.applied)


def _look_at(
    questions: Sequence[Question], counts: FloatArray, worth: FloatArray, first: FloatArray, show: int
) -> dict[str, list[int]]:
    """Return the places of the questions that change most, each in one list and once whatever was done before it."""
    orders = {"losses": worth * counts, "gains": -worth * counts, "changed": (first - 1) * counts}
    told: set[str] = set()
    lists: dict[str, list[int]] = {}
    for name, weight in orders.items():
        lists[name] = []
        for at in np.argsort(weight, kind="stable").tolist():
            query = questions[at].asked.query
            if len(lists[name]) == show or weight[at] >= -_SAME:
                break
            if query not in told:
                told.add(query)
                lists[name].append(at)
    return lists


def _told(pair: Pair, overlap: float, of_a: Side, of_b: Side) -> dict[str, Any]:
    """Say of one query what left its first ten items, came in or is right and moved there, and what it triggered."""
    a, b = pair.a.ids, pair.b.ids
    right = {item for one in pair.question.rights for item in one.relevant}

    def item(item_id: str, side: Side) -> dict[str, Any]:
        ranks = {name: ids.index(item_id) + 1 if item_id in ids else None for name, ids in (("a", a), ("b", b))}
        said = {"id": item_id, "title": side.title(item_id), "rank": ranks}
        return said | ({"right": True} if item_id in right else {})

    return {
        "query": pair.question.asked.query,
        "count": pair.question.count,
        f"overlap@{DEPTH}": overlap,
        "items": {"a": len(a), "b": len(b)},
        **({NDCG: {"a": pair.measures(a, ())[NDCG], "b": pair.measures(b, ())[NDCG]}} if right else {}),
        "left": [item(one, of_a) for one in a[:DEPTH] if one not in b[:DEPTH]],
        "came": [item(one, of_b) for one in b[:DEPTH] if one not in a[:DEPTH]],
        "moved": [
            item(one, of_b)
            for at, one in enumerate(a[:DEPTH])
            if one in right and one in b[:DEPTH] and b.index(one) != at
        ],
        "applied": {"a": list(pair.a.applied), "b": list(pair.b.applied)},
    }
