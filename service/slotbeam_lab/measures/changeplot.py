"""A comparison as a picture: how alike the answers are, and which queries gain or lose (`comparing.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slotbeam_lab.measures.comparing import DEPTH, NDCG


def draw_changes(result: Mapping[str, Any], path: Path) -> None:
    """Draw the spread of what `compare` returned to an SVG file; equal results give equal bytes.

    Left the overlap of the first ten, query by query, the least alike first; right, where it is known what is right,
    the difference of nDCG@10, the largest loss first. The x axis is the share of the queries.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    spread = result["spread"]
    with rc_context({"svg.hashsalt": "slotbeam", "svg.fonttype": "path"}):
        figure = Figure(figsize=(4.8 * len(spread), 3.6), layout="constrained")
        FigureCanvasSVG(figure)
        figure.suptitle(f"A {result['a']['artifact']}, B {result['b']['artifact']}", fontsize="medium")
        for axes, (name, values) in zip(figure.subplots(1, len(spread), squeeze=False)[0], spread.items(), strict=True):
            share = [100 * at / (len(values) - 1) for at in range(len(values))]
            axes.grid(alpha=0.3)
            axes.set_xlim(0, 100)
            axes.set_xlabel(f"share of {result['queries']} queries (%)")
            if name == NDCG:
                for sign, color, label in ((1, "tab:green", "B better"), (-1, "tab:red", "B worse")):
                    height = [max(0.0, sign * value) * sign for value in values]
                    axes.fill_between(share, height, step="mid", color=color, alpha=0.7, linewidth=0, label=label)
                axes.axhline(0, color="tab:gray", linewidth=0.8)
                axes.set_ylim(-1, 1)
                axes.set_ylabel(f"{NDCG}, B − A")
                axes.legend(fontsize="small", loc="upper left")
            else:
                axes.fill_between(share, values, step="mid", color="tab:blue", alpha=0.7, linewidth=0)
                axes.set_ylim(0, 1)
                axes.set_ylabel(f"overlap of the first {DEPTH} items")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})
