"""Ask every system every query, score the answers, make a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from slotbeam.types import FloatArray

Values = dict[str, list[float]]
"""Metric name → one value a query."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One query as it was asked, with what the user did before; newest last."""

    query: str
    recent_queries: tuple[str, ...] = ()
    recent_item_ids: tuple[str, ...] = ()


System = Callable[[Asked, int], Sequence[str]]
"""`search(asked, k)` → at most k distinct item ids, best first."""

Score = Callable[[int, Sequence[str]], Mapping[str, float]]
"""`score(i, ranked)` → metrics of the answer to query i."""


@dataclass(slots=True)
class Table:
    """Rows are systems, columns are metrics. `values` keeps every query's own, for paired comparisons."""

    values: dict[str, Values] = field(default_factory=dict)

    def means(self) -> dict[str, dict[str, float]]:
        """system → metric → mean over queries."""
        return {
            system: {name: float(np.mean(values)) if values else 0.0 for name, values in metrics.items()}
            for system, metrics in self.values.items()
        }

    def ratios(self, over: str, seed: int = 0) -> dict[str, dict[str, tuple[float, float, float]]]:
        """system → metric → (ratio of means to system `over`, lower, upper): paired bootstrap, 95 %."""
        base = self.values[over]
        return {
            system: {
                name: bootstrap_ratio(np.array(values), np.array(base[name]), seed)
                for name, values in metrics.items()
                if name in base and any(base[name])
            }
            for system, metrics in self.values.items()
            if system != over
        }


def evaluate(systems: Mapping[str, System], asked: Sequence[Asked], k: int, score: Score) -> Table:
    """Ask each system each query once (equal queries with equal histories share an answer) and score the answers."""
    table = Table()
    for name, search in systems.items():
        known: dict[Asked, Sequence[str]] = {}
        values: Values = {}
        for number, one in enumerate(asked):
            if one not in known:
                known[one] = search(one, k)
            for metric, value in score(number, known[one]).items():
                values.setdefault(metric, []).append(value)
        table.values[name] = values
    return table


def bootstrap_ratio(a: FloatArray, b: FloatArray, seed: int = 0, rounds: int = 2000) -> tuple[float, float, float]:
    """mean(a) / mean(b) with its paired bootstrap 95 % interval over queries.

    Args:
        a, b: (n,) values of the same queries.

    Returns:
        (ratio, lower, upper); rounds whose mean of b is 0 are left out.
    """
    generator = np.random.default_rng(seed)
    ratio, ratios = float(a.mean() / b.mean()), []
    for _ in range(rounds):
        pick = generator.integers(0, len(a), len(a))
        bottom = b[pick].mean()
        if bottom:
            ratios.append(a[pick].mean() / bottom)
    lower, upper = np.percentile(ratios or [ratio], [2.5, 97.5])
    return ratio, float(lower), float(upper)
