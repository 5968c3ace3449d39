"""Tables of a run at scale, from what its units kept; a table whose units are missing is left out or shorter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from slotbeam_lab.measures.report import Cell, Row, Section, cells_of, table_rows
from slotbeam_lab.measures.run import ROUNDS, Interval, Table, bootstrap_ratio
from slotbeam_lab.scale.measure import BM25S, LISTS, OURS, SCAN, TANTIVY
from slotbeam_lab.scale.ways import SERVED

Kept = Mapping[str, Any]
"""What `tasks.at_size` returned."""

ORDERS = {"by mass per row": "ranges", "by mass alone": "mass", "by mass per row, decoded deeper": "deeper"}
"""Ways to open ranges, and their columns of the curve."""

SYSTEMS = (OURS, TANTIVY, BM25S, LISTS, SCAN)


def sections_of(sizes: Sequence[Kept], demo: Kept | None, agreement: Mapping[str, Any] | None) -> list[Section]:
    """Make every table of `sizes`, rising, of the demo, and of what `agreement.agreement` returned."""
    sections = [targets_section(sizes, demo, agreement)]
    if sizes:
        sections += [size_section(sizes), cost_section(sizes), recall_section(sizes), order_section(sizes)]
    for kept in sizes:
        sections += [systems_section(kept), parts_section(kept)]
    return sections


def median_ratio(a: Sequence[float], b: Sequence[float], paired: bool = True, seed: int = 0) -> Interval:
    """Return median(a) / median(b) with its bootstrap 95 % interval; `paired` draws the same queries of both."""
    over, under = np.asarray(a), np.asarray(b)
    draws = np.random.default_rng(seed)
    drawn = draws.integers(0, len(over), (ROUNDS, len(over)))
    others = drawn if paired else draws.integers(0, len(under), (ROUNDS, len(under)))
    ratios = np.median(over[drawn], axis=1) / np.median(under[others], axis=1)
    lower, upper = np.percentile(ratios, [2.5, 97.5])
    return float(np.median(over) / np.median(under)), float(lower), float(upper)


def systems_section(kept: Kept) -> Section:
    """Show every system's answers at one size, and what k = 350 costs it."""
    table = Table({name: dict(kept["answers"][name]) for name in SYSTEMS})
    pairs = [(OURS, rival) for rival in SYSTEMS if rival != OURS]
    rows = []
    for row in table_rows(table, pairs):
        cells = dict(row.cells)
        if row.style != "ratio":
            cells |= _times(kept["milliseconds"]["350"][row.label])
        rows.append(Row(row.label, cells, row.style))
    columns = (*next(iter(table.values.values())), "p50 ms", "p95 ms")
    title = f"{kept['items']} items, {kept['queries']} clicks, k = 350"
    return Section(f"systems-{kept['items']}", title, columns, tuple(rows), facts=kept["lists"])


def parts_section(kept: Kept) -> Section:
    """Show what taking each part out does, as ratios over the served way; the weights stay as they were fitted."""
    table = Table({name: dict(part["values"]) for name, part in kept["parts"].items()})
    pairs = [(name, SERVED) for name in table.values if name != SERVED]
    times = {name: part["milliseconds"] for name, part in kept["parts"].items()}
    ratios = {name: own for (name, _), own in table.ratios(pairs).items()}
    rows = [Row(SERVED, cells_of(table.intervals()[SERVED]) | {"p50 ms": round(float(np.median(times[SERVED])), 3)})]
    for name, own in ratios.items():
        rows.append(Row(name, cells_of({**own, "p50 ms": median_ratio(times[name], times[SERVED])}), "ratio"))
    idle = [name for name, own in ratios.items() if all(upper >= 1 for _, _, upper in own.values())]
    notes = (f"No interval of the answers lies below 1 for: {'; '.join(idle) or 'none of them'}.",)
    title = f"What each part brings: with it changed ÷ as served, {kept['items']} items, {kept['queries']} clicks"
    columns = (*next(iter(table.values.values())), "p50 ms")
    return Section(f"parts-{kept['items']}", title, columns, tuple(rows), "search", notes)


def order_section(sizes: Sequence[Kept]) -> Section:
    """Show the recall of the opened ranges, and the rows in them, by what opens them first and how deep they are."""
    rows = []
    for kept in sizes:
        for point in kept["curve"]:
            table = Table({name: {"recall": list(map(float, point[column]))} for name, column in ORDERS.items()})
            cells: dict[str, Cell] = {}
            for name, own in cells_of({name: own["recall"] for name, own in table.intervals().items()}).items():
                looked_at = point["rows" if ORDERS[name] == "ranges" else f"{ORDERS[name]}_rows"]
                cells |= {name: own, f"rows, {name}": round(float(np.mean(looked_at)))}
            cells["steps"] = round(float(np.mean(point["steps"])), 2)
            rows.append(Row(f"{kept['items']} items, {point['budget']}", cells))
    columns = tuple(rows[0].cells) if rows else ()
    title = "Is the clicked item in the opened ranges? By the order in which they are opened, and their depth"
    return Section("scale-order", title, columns, tuple(rows), "budget")


def recall_section(sizes: Sequence[Kept]) -> Section:
    """Show the share of clicks whose item is among the rows looked at, by how many these are, at every size."""
    tables: dict[int, Table] = {}  # of each budget
    for kept in sizes:
        for point in kept["curve"]:
            inside = {
                f"{what}, {kept['items']} items": point[name]
                for what, name in (("ranges", "ranges"), ("ranges + words", "words"), ("inverted file", "lists"))
            }
            tables.setdefault(point["budget"], Table()).values |= {
                column: {"recall": list(map(float, values))} for column, values in inside.items()
            }
    rows = []
    for budget, table in sorted(tables.items()):
        intervals = table.intervals()
        rows.append(Row(str(budget), cells_of({column: own["recall"] for column, own in intervals.items()})))
    columns = tuple(dict.fromkeys(column for row in rows for column in row.cells))
    title = "Is the clicked item among the rows looked at? The inverted file looks at as many or more"
    return Section("scale-recall", title, columns, tuple(rows), "budget")


def cost_section(sizes: Sequence[Kept]) -> Section:
    """Show the median query of every system against the number of items, k = 350."""
    rows = [
        Row(
            str(kept["items"]),
            {name: _median(kept, name, 350) for name in SYSTEMS if name in kept["milliseconds"]["350"]},
        )
        for kept in sizes
    ]
    title = "Processor time of the median query against the size of the catalog, k = 350, ms"
    return Section("scale-cost", title, SYSTEMS, tuple(rows), "items")


def size_section(sizes: Sequence[Kept]) -> Section:
    """Show what a query looks at and costs, and what an index holds, at every size."""
    least, rows = sizes[0], []
    for kept in sizes:
        served = next((point for point in kept["curve"] if point["served"]), None)
        cells: dict[str, Cell] = {}
        for k in (100, 350):
            times = _times(kept["milliseconds"][str(k)][OURS])
            cells |= {f"{name}, k = {k}": value for name, value in times.items()}
            cells[f"÷ tantivy, k = {k}"] = _text(_over_tantivy(kept, k))
        cells["p50 ÷ the smallest"] = _text(_grown(kept, least))
        if served is not None:
            cells |= {name: round(float(np.mean(served[name])), 2) for name in ("rows", "steps", "decoded")}
        index = kept["index"]
        cells |= {"bytes an item": round(index["bytes"] / kept["items"])}
        cells |= {"own MB": index["anonymous_mb"], "mapped MB": index["mapped_mb"], "ready, s": index["ready_s"]}
        rows.append(Row(str(kept["items"]), cells))
    columns = tuple(dict.fromkeys(column for row in rows for column in row.cells))
    title = "What a query looks at and costs, and what an index holds, by the number of items"
    return Section("scale", title, columns, tuple(rows), "items")


def targets_section(sizes: Sequence[Kept], demo: Kept | None, agreement: Mapping[str, Any] | None) -> Section:
    """Show what was wanted beside what came out. Met means that the bound of the interval is."""
    rows = []

    def add(label: str, wanted: float, measured: Interval, at_least: bool) -> None:
        met = measured[1] >= wanted if at_least else measured[2] <= wanted
        sign = "≥" if at_least else "≤"
        cells: dict[str, Cell] = {
            "wanted": f"{sign} {wanted:g}",
            "measured": _text(measured),
            "met": "yes" if met else "no",
        }
        rows.append(Row(label, cells))

    if sizes:
        largest = sizes[-1]
        ours, scan = (np.asarray(largest["answers"][name]["HR@350"]) for name in (OURS, SCAN))
        if scan.any():
            add(f"HR@350 ÷ exact scan, {largest['items']} items", 0.99, bootstrap_ratio(ours, scan), True)
        served = next((point for point in largest["curve"] if point["served"]), None)
        if served is not None:
            ranges, lists = (np.asarray(served[name], np.float64) for name in ("ranges", "lists"))
            label = f"recall of the ranges ÷ the inverted file's at equal rows, {largest['items']} items"
            if lists.any():
                add(label, 1.0, bootstrap_ratio(ranges, lists), True)
        base = next((kept for kept in sizes if kept["items"] >= 100_000), sizes[0])
        if base is not largest:
            add(f"p50 at {largest['items']} ÷ at {base['items']} items, k = 350", 1.3, _grown(largest, base), False)
    if demo is not None:
        for k, wanted in ((100, 25), (350, 30)):
            add(f"p50 of a query on the demo ÷ tantivy OR, k = {k}", wanted, _over_tantivy(demo, k), False)
    if agreement is not None:
        for label, name, least in (("top-1", "top_1", 1.0), ("top-350", "top_350", 0.99)):
            measured = Table({"": {name: list(map(float, agreement[name]))}}).intervals()[""][name]
            add(f"{label} as an exact beam search gives it, {agreement['queries']} queries", least, measured, True)
        outside = float(agreement["outside"])
        add(f"SIDs outside the trie, of {agreement['sids']}", 0, (outside, outside, outside), False)
    return Section(
        "scale-targets", "What was wanted, and what came out", ("wanted", "measured", "met"), tuple(rows), "target"
    )


def _median(kept: Kept, system: str, k: int) -> float:
    return round(float(np.median(kept["milliseconds"][str(k)][system])), 3)


def _times(milliseconds: Sequence[float]) -> dict[str, Cell]:
    middle, late = np.percentile(milliseconds, [50, 95])
    return {"p50 ms": round(float(middle), 3), "p95 ms": round(float(late), 3)}


def _over_tantivy(kept: Kept, k: int) -> Interval:
    times = kept["milliseconds"][str(k)]
    return median_ratio(times[OURS], times[TANTIVY])


def _grown(kept: Kept, least: Kept) -> Interval:
    return median_ratio(kept["milliseconds"]["350"][OURS], least["milliseconds"]["350"][OURS], paired=False)


def _text(interval: Interval) -> str:
    value, lower, upper = interval
    return f"{value:.3f} ({lower:.3f}–{upper:.3f})"
