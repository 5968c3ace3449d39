"""Plots of the sections that are curves: SVG, the same bytes for the same figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from slotbeam_lab.measures.report import Cell, Section

Draw = Callable[[Any, Section], None]


def draw(sections: Iterable[Section], directory: Path) -> list[Path]:
    """Draw every section that has a plot to `directory`, named as the section is; return the files."""
    written = []
    for section in sections:
        path = directory / f"{section.name}.svg"
        if section.name in PLOTS and section.rows:
            directory.mkdir(parents=True, exist_ok=True)
            path.write_text(svg(section), encoding="utf-8")
        elif section.name == "history":
            plot_history(section.facts, path)
        else:
            continue
        written.append(path)
    return written


def svg(section: Section) -> str:
    """Draw a section. Without a date or random ids: equal sections give equal bytes."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "slotbeam", "svg.fonttype": "path"}):
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.grid(alpha=0.3)
        axes.set_title(section.title, fontsize="medium", wrap=True)
        PLOTS[section.name](axes, section)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize="small")
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


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


def _by_row(label: str, wanted: Callable[[str], bool], log: bool) -> Draw:
    """Plot rows on the x axis (numbers), every wanted column is a line with its interval as a band."""

    def plot(axes: Any, section: Section) -> None:
        x = [float(row.label) for row in section.rows]
        for column in filter(wanted, section.columns):
            _line(axes, x, [row.cells.get(column) for row in section.rows], column)
        _axes(axes, x, label, [row.label for row in section.rows], log)

    return plot


def _by_column(label: str, wanted: Callable[[str], bool], log: bool) -> Draw:
    """Plot columns on the x axis (numbers), every wanted row is a line with its interval as a band."""

    def plot(axes: Any, section: Section) -> None:
        columns = [column for column in section.columns if column.isdecimal()]  # without pools of several
        x = [float(column) for column in columns]
        for row in section.rows:
            if wanted(row.label):
                _line(axes, x, [row.cells.get(column) for column in columns], row.label)
        _axes(axes, x, label, columns, log)

    return plot


def _line(axes: Any, x: Sequence[float], cells: Sequence[Cell], label: str) -> None:
    known = [(at, cell) for at, cell in zip(x, cells, strict=True) if isinstance(cell, int | float | list)]
    values = [cell[0] if isinstance(cell, list) else cell for _, cell in known]
    places = [at for at, _ in known]
    [line] = axes.plot(places, values, marker="o", markersize=4, label=label)
    bands = [cell for _, cell in known if isinstance(cell, list)]
    if len(bands) == len(known):
        lower, upper = [band[1] for band in bands], [band[2] for band in bands]
        axes.fill_between(places, lower, upper, color=line.get_color(), alpha=0.15, linewidth=0)


def _axes(axes: Any, x: Sequence[float], label: str, ticks: Sequence[str], log: bool) -> None:
    if log:
        axes.set_xscale("log")
    axes.set_xticks(x, ticks)
    axes.minorticks_off()
    axes.set_xlabel(label)
    axes.set_ylim(bottom=0)


def _elbow(axes: Any, section: Section) -> None:
    x = [int(row.label) for row in section.rows]
    _line(axes, x, [row.cells["loss (nats)"] for row in section.rows], "cumulative information loss")
    axes.axvline(section.facts["elbow"], color="tab:orange", linestyle="--", label=f"elbow: {section.facts['elbow']}")
    if section.facts["used"] != section.facts["elbow"]:
        axes.axvline(section.facts["used"], color="tab:green", linestyle=":", label=f"used: {section.facts['used']}")
    _axes(axes, x, "groups", [row.label for row in section.rows], log=False)
    axes.set_ylabel("nats")


def _density(axes: Any, section: Section) -> None:
    for name, points in section.facts["curves"].items():
        if points:
            axes.plot([rank for rank, _ in points], [items for _, items in points], label=name, linewidth=1.2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("slot, the fullest first")
    axes.set_ylabel("items")


def _cost(axes: Any, section: Section) -> None:
    x = [float(row.label) for row in section.rows]
    for system in section.columns:
        _line(axes, x, [row.cells.get(system) for row in section.rows], system)
    _axes(axes, x, "items", [row.label for row in section.rows], log=True)
    axes.set_ylim(bottom=None)
    axes.set_yscale("log")
    axes.set_ylabel("ms of processor time, p50")


PLOTS: dict[str, Draw] = {
    "elbow": _elbow,
    "density": _density,
    "beam": _by_row("beam width B", lambda name: name.startswith("recall"), log=True),
    "candidates": _by_row("candidates scored at most", lambda name: not name.startswith("candidates"), log=True),
    "gap": _by_row("vocabulary gap", lambda name: "@350" in name, log=False),
    "scale-recall": _by_row("scan budget, rows", lambda name: not name.startswith("ranges + words"), log=True),
    "scale-cost": _cost,
    "ihr": _by_column("items a word", lambda label: label.startswith("IHR@10,"), log=True),
}
"""What is drawn of a section, by its name."""
