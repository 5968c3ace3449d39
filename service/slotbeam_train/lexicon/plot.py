"""The curve behind the number of positions."""

from __future__ import annotations

from pathlib import Path

from slotbeam.kae.grouping import Grouping


def plot_losses(grouping: Grouping, path: Path) -> None:
    """Draw cumulative information loss over the number of groups, the elbow marked, to a PNG or SVG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    counts = [count for count, _ in grouping.losses]
    axes.plot(counts, [loss for _, loss in grouping.losses], marker="o", color="tab:blue")
    axes.axvline(grouping.elbow, color="tab:orange", linestyle="--", label=f"elbow: G = {grouping.elbow}")
    if len(grouping.groups) != grouping.elbow:
        axes.axvline(len(grouping.groups), color="tab:green", linestyle=":", label=f"used: G = {len(grouping.groups)}")
    axes.set_xlabel("groups")
    axes.set_ylabel("cumulative information loss (nats)")
    axes.set_xticks(counts)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
