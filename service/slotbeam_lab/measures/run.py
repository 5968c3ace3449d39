"""Ask every system every query, score the answers, make a table with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from slotbeam.catalog.item import Interaction
from slotbeam.types import FloatArray, Progress

Values = dict[str, list[float]]
"""Metric name → one value a query."""

Interval = tuple[float, float, float]
"""A figure with its 95 % interval: (value, lower, upper)."""

ROUNDS = 2000
"""Bootstrap rounds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One query as it was asked, with what the user did before; newest last."""

    query: str
    recent_queries: tuple[str, ...] = ()
    recent_item_ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Interaction) -> Asked:
        """Return the query that a row of a log was."""
        return cls(row.query, row.recent_queries, row.recent_item_ids)


System = Callable[[Asked, int], Sequence[str]]
"""`search(asked, k)` → at most k distinct item ids, best first."""

Score = Callable[[int, Sequence[str]], Mapping[str, float]]
"""`score(i, ranked)` → metrics of the answer to query i."""


@dataclass(slots=True)
class Table:
    """Rows are systems, columns are metrics. `values` keeps every query's own, for paired comparisons."""

    values: dict[str, Values] = field(default_factory=dict)

    def means(self) -> dict[str, dict[str, float]]:
        """Return system → metric → mean over queries."""
        return {
            system: {name: float(np.mean(values)) if values else 0.0 for name, values in metrics.items()}
            for system, metrics in self.values.items()
        }

    def intervals(self, seed: int = 0) -> dict[str, dict[str, Interval]]:
        """Return system → metric → (mean, lower, upper): bootstrap over queries, the same draws for all, 95 %."""
        drawn, means = self._drawn(seed), self.means()
        return {
            system: {name: interval(means[system][name], drawn[system, name]) for name in metrics}
            for system, metrics in self.values.items()
        }

    def ratios(self, pairs: Sequence[tuple[str, str]], seed: int = 0) -> dict[tuple[str, str], dict[str, Interval]]:
        """Return (system, over) → metric → (ratio of means, lower, upper): paired bootstrap, 95 %.

        A metric that is 0 for every query of `over` is left out, as are rounds whose mean of it is 0.
        """
        drawn, means = self._drawn(seed), self.means()
        return {
            (system, over): {
                name: _ratio(mean, means[over][name], drawn[system, name], drawn[over, name])
                for name, mean in means[system].items()
                if means[over].get(name)
            }
            for system, over in pairs
        }

    def _drawn(self, seed: int) -> dict[tuple[str, str], FloatArray]:
        """Return (system, metric) → its (ROUNDS,) resampled means."""
        columns = {(s, m): values for s, metrics in self.values.items() for m, values in metrics.items() if values}
        if not columns:
            return {}
        means = resampled(np.array(list(columns.values()), np.float64).T, seed)
        return dict(zip(columns, means.T, strict=True))


def averaged(tables: Sequence[Table]) -> Table:
    """Merge tables of several training seeds over the same queries: each query's value is its mean over the seeds.

    A bootstrap over these values draws queries, each with all of its seeds: intervals over queries × seeds, clustered
    by query. A system that is missing from a table is averaged over the others.

    Raises:
        ValueError: the tables are not of the same queries.
    """
    merged = Table()
    for system in dict.fromkeys(name for table in tables for name in table.values):
        held = [table.values[system] for table in tables if system in table.values]
        merged.values[system] = {
            name: np.mean(np.stack([np.asarray(values[name], np.float64) for values in held]), axis=0).tolist()
            for name in held[0]
        }
    return merged


def evaluate(
    systems: Mapping[str, System],
    asked: Sequence[Asked],
    k: int,
    score: Score,
    progress: Progress | None = None,
) -> Table:
    """Ask each system each query once (equal queries with equal histories share an answer) and score the answers."""
    table = Table()
    for name, search in systems.items():
        known: dict[Asked, Sequence[str]] = {}
        values: Values = {}
        for number, query in enumerate(asked):
            if query not in known:
                known[query] = search(query, k)
            for metric, value in score(number, known[query]).items():
                values.setdefault(metric, []).append(value)
            if progress is not None:
                progress(name, number + 1, len(asked))
        table.values[name] = values
    return table


def bootstrap_ratio(a: FloatArray, b: FloatArray, seed: int = 0, rounds: int = ROUNDS) -> Interval:
    """Return mean(a) / mean(b) with its paired bootstrap 95 % interval over queries.

    Args:
        a, b: (n,) values of the same queries.
    """
    means = resampled(np.stack([a, b], axis=1), seed, rounds)  # (rounds, 2)
    return _ratio(float(a.mean()), float(b.mean()), means[:, 0], means[:, 1])


def resampled(values: FloatArray, seed: int, rounds: int = ROUNDS) -> FloatArray:
    """Draw (rounds, m) means of (n, m) `values`, each over n rows drawn with replacement; the seed decides which."""
    generator, n = np.random.default_rng(seed), len(values)
    means = np.empty((rounds, values.shape[1]))
    for turn in range(rounds):
        means[turn] = np.bincount(generator.integers(0, n, n), minlength=n) @ values / n
    return means


def interval(value: float, drawn: FloatArray) -> Interval:
    """Return a figure with the middle 95 % of its (rounds,) resampled values."""
    lower, upper = np.percentile(drawn, [2.5, 97.5])
    return value, float(lower), float(upper)


def _ratio(a: float, b: float, drawn_a: FloatArray, drawn_b: FloatArray) -> Interval:
    usable = drawn_b != 0
    ratio = a / b
    return interval(ratio, drawn_a[usable] / drawn_b[usable]) if usable.any() else (ratio, ratio, ratio)
