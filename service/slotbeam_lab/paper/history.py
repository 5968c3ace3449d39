"""What the user's history is worth: the same queries asked with it and without it, by how much history there is.

Logs where nearly every row has a long history (the world's test day does) say little by the rows' own lengths: the
*curve* asks the same rows with only the newest n entries of their histories.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from slotbeam.catalog.item import Interaction
from slotbeam.kae.codebook import EMPTY
from slotbeam.kae.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam_lab.baselines.systems import artifact_system
from slotbeam_lab.measures.questions import sample, world_table
from slotbeam_lab.measures.run import Asked, Progress, System, Table

WITH, WITHOUT = "with history", "without history"
STRENGTHS = ("1", "2", "3", "4+")
"""Buckets of rows: how many earlier queries or items there are, or how many positions the query itself names."""

KEPT = (1, 2, 3)
"""Points of the curve below the whole history: the newest n queries and the newest n items."""

Count = Callable[[Interaction], int]


def history_facts(
    artifact: Artifact,
    log: Sequence[Interaction],
    ks: Sequence[int] = (10, 100, 350),
    queries: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure an artifact with and without the histories of a log.

    Args:
        artifact: loaded.
        log: interactions of the test day; those without a history are left out.
        ks: K of HR@K; MRR is at the largest.
        queries: at most so many interactions, always the same ones.

    Returns:
        What `history_table` returns.
    """
    systems = {WITH: artifact_system(artifact), WITHOUT: artifact_system(artifact, history=False)}

    def named(one: Interaction) -> int:
        return sum(code != EMPTY for code in artifact.kae.encode(normalize(one.query)).sid)

    rows = sample([one for one in log if one.recent_queries or one.recent_item_ids], queries)
    return history_table(systems, rows, ks, {"positions": named}, progress)


def history_table(
    systems: Mapping[str, System],
    log: Sequence[Interaction],
    ks: Sequence[int],
    further: Mapping[str, Count] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """HR@K and MRR with and without history, over all rows and by strength.

    Args:
        systems: `WITH` and `WITHOUT`.
        log: rows with a history; an interaction is one query, its item the only relevant one.
        ks: K of HR@K; MRR is at the largest.
        further: more ways to cut the rows, beside the number of recent items and queries.

    Returns:
        JSON: `rows`; `all`, one bucket; `curve`, buckets of all rows with their histories cut to the newest 1, 2, 3
        entries, then whole; `by`, for each cut (`items`, `queries`, …) its buckets of rows in order. A bucket has
        `strength`, `rows`, system → metric → mean, and `ratio`: metric → [with ÷ without, lower, upper], the paired
        bootstrap's 95 % interval; a metric that is 0 for every row without history has none.
    """
    cut = {str(n): _newest(systems[WITH], n) for n in KEPT}
    table = world_table({**systems, **cut}, log, ks, progress)
    keep = {*(f"HR@{k}" for k in ks), f"MRR@{max(ks)}"}
    cuts: dict[str, Count] = {
        "items": lambda one: len(one.recent_item_ids),
        "queries": lambda one: len(one.recent_queries),
        **(further or {}),
    }
    by = {}
    for name, count in cuts.items():
        places = [min(count(one), len(STRENGTHS)) for one in log]
        buckets = ((strength, [i for i, at in enumerate(places) if at == n]) for n, strength in enumerate(STRENGTHS, 1))
        by[name] = [_bucket(table, keep, strength, rows) for strength, rows in buckets if rows]
    whole = range(len(log))
    curve = [_bucket(table, keep, strength, whole, strength) for strength in cut]
    every = _bucket(table, keep, "all", whole)
    return {"rows": len(log), "all": every, "curve": [*curve, every], "by": by}


def plot_history(facts: Mapping[str, Any], path: Path, metric: str = "HR@10", by: str | None = None) -> None:
    """Draw the gain of history over its strength, with intervals, to a PNG or SVG file; equal facts, equal bytes.

    The curve is drawn, or the buckets of rows of one cut (`by`).
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = facts["curve"] if by is None else facts["by"][by]
    buckets = [bucket for bucket in drawn if metric in bucket["ratio"]]
    with rc_context({"svg.hashsalt": "slotbeam"}):
        figure = Figure(figsize=(6.0, 3.6), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        ratios = [bucket["ratio"][metric] for bucket in buckets]
        gains = [100 * (value - 1) for value, _, _ in ratios]
        # A value always lies in its interval but for rounding, which errorbar takes for an error.
        below = [max(0.0, 100 * (value - lower)) for value, lower, _ in ratios]
        above = [max(0.0, 100 * (upper - value)) for value, _, upper in ratios]
        places = range(len(buckets))
        axes.errorbar(places, gains, yerr=[below, above], marker="o", capsize=4, color="tab:blue", label="gain, 95 %")
        axes.axhline(0, color="tab:gray", linewidth=0.8)
        axes.set_xticks(list(places), [f"{bucket['strength']}\nn = {bucket['rows']}" for bucket in buckets])
        axes.set_xlabel("newest queries and items of the history" if by is None else f"rows by number of {by}")
        axes.set_ylabel(f"{metric}, with ÷ without − 1 (%)")
        axes.legend()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _newest(system: System, n: int) -> System:
    """The system, shown only the newest n queries and items."""
    return lambda asked, k: system(Asked(asked.query, asked.recent_queries[-n:], asked.recent_item_ids[-n:]), k)


def _bucket(table: Table, keep: set[str], strength: str, rows: Sequence[int], shown: str = WITH) -> dict[str, Any]:
    """One bucket: the system `shown` against the one without history."""
    own = Table(
        {
            name: {metric: [values[i] for i in rows] for metric, values in table.values[of].items() if metric in keep}
            for name, of in ((WITH, shown), (WITHOUT, WITHOUT))
        }
    )
    ratios = own.ratios([(WITH, WITHOUT)])[WITH, WITHOUT] if len(rows) else {}
    return {
        "strength": strength,
        "rows": len(rows),
        **own.means(),
        "ratio": {name: list(interval) for name, interval in ratios.items()},
    }
