"""From what the units of a paper kept to its tables; a table whose units are missing is left out or shorter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from slotbeam_lab.interventions.editable import PINNED, UNPINNED
from slotbeam_lab.measures.report import Cell, Row, Section, cells_of, section_of
from slotbeam_lab.measures.run import Table, averaged
from slotbeam_lab.paper.options import ABLATIONS, FULL, PaperOptions
from slotbeam_lab.paper.tables import intervention_sections, pairs_of, table_section, tables_of

Results = Mapping[str, Mapping[str, Any]]
SMALL = ("1", "5", "20")
"""The binding sizes that the targets speak of."""


def sections_of(options: PaperOptions, results: Results) -> list[Section]:
    """Every table that `results` (unit name → what it kept) can fill, in reading order."""
    found: list[Section] = []
    found += _compared(options, results, "systems", options.systems, f"world of {options.world.items} items")
    found += _interventions(options, results)
    found += _ablations(options, results)
    found += _gap(options, results)
    for name in ("elbow", "curves-kae"):
        found += [section_of(one) for one in results.get(name, {}).get("sections", ())]
    found += _compared(options, results, "icecat", options.judged, "real products")
    return found


def _compared(options: PaperOptions, results: Results, part: str, systems: Iterable[str], what: str) -> list[Section]:
    """One table for each kind of question, means over the seeds, and what each system was given to train."""
    seeds = [[results.get(f"{part}-{name}-{seed}") for name in systems] for seed in options.seeds]
    kept = [[one for one in found if one is not None] for found in seeds]
    kept = [found for found in kept if found]
    if not kept:
        return []
    sections = []
    for kind in kept[0][0]["values"]:
        table = averaged([_table(found, kind) for found in kept])
        section = table_section(kind, table, pairs_of(table), what)
        note = f"Training budget of every system: {options.budget}; means over {_counted(len(options.seeds), 'seed')}."
        sections.append(replace(section, name=f"{part}-{kind}", notes=(note, *section.notes)))
    return [*sections, _budget(part, options, kept)]


def _budget(part: str, options: PaperOptions, kept: Sequence[Sequence[Mapping[str, Any]]]) -> Section:
    """What every system's training came to, with the first seed."""
    columns = ("minutes", "steps", "parameters", "sids")
    rows = tuple(Row(one["label"], {name: _plain(one["facts"].get(name)) for name in columns}) for one in kept[0])
    return Section(f"{part}-budget", f"Training of each system, budget {options.budget}", columns, rows)


def _interventions(options: PaperOptions, results: Results) -> list[Section]:
    """Every system that can be told a word, by binding size; the words are the same for all."""
    kept = [results[name] for name in (f"interventions-{one}" for one in options.told) if name in results]
    if not kept:
        return []
    sizes: dict[str, dict[str, dict[str, list[float]]]] = {}
    for one in kept:
        for size, systems in one["sizes"].items():
            sizes.setdefault(size, {}).update(systems)
    return intervention_sections(tables_of(sizes), {**kept[0], **results.get("collateral", {})})


def _ablations(options: PaperOptions, results: Results) -> list[Section]:
    found = {name: results[f"ablation-{name}"] for name in ABLATIONS if f"ablation-{name}" in results}
    if not found:
        return []
    table = Table({ABLATIONS[name].label: dict(one["values"]["click"]) for name, one in found.items()})
    full = ABLATIONS[FULL].label
    over = [(label, full) for label in table.values if label != full and full in table.values]
    free, held = ABLATIONS["unconstrained"].label, ABLATIONS["paper-ranking"].label
    over += [(free, held)] if {free, held} <= set(table.values) else []
    section = table_section("ablations", table, over, f"world of {options.ablated.items} items")
    rows = []
    for row in section.rows:
        name = next((name for name, one in ABLATIONS.items() if one.label == row.label), "")
        bound = results.get(f"ablation-{name}-bound")
        rows.append(replace(row, cells=row.cells | (_bound(bound) if bound else {})))
    more = [name for name in dict.fromkeys(name for row in rows for name in row.cells) if name not in section.columns]
    notes = (
        f"Training budget of every row: {options.budget}, one seed.",
        f"IHR and IAR: words of {', '.join(SMALL)} items.",
    )
    return [
        replace(
            section,
            title=f"Ablations, clicks: {section.facts['queries']} queries, world of {options.ablated.items} items",
            columns=(*section.columns, *more),
            rows=tuple(rows),
            notes=notes,
            first="configuration",
        )
    ]


def _bound(kept: Mapping[str, Any]) -> dict[str, Cell]:
    """IHR at the least and the largest K of the small sizes together, served and unpinned."""
    pooled: dict[str, dict[str, list[float]]] = {}
    for size in SMALL:
        for system, metrics in kept["sizes"].get(size, {}).items():
            for metric, values in metrics.items():
                pooled.setdefault(system, {}).setdefault(metric, []).extend(values)
    found = Table({system: values for system, values in pooled.items() if system in (PINNED, UNPINNED)})
    return {
        f"{metric}, {system}": cell
        for system, metrics in found.intervals().items()
        for metric, cell in cells_of(metrics).items()
        if metric in ("IHR@10", "IHR@350")
    }


def _gap(options: PaperOptions, results: Results) -> list[Section]:
    rows, count = [], 0
    for gap in options.gaps:
        cells: dict[str, Cell] = {}
        for name in ("bm25", "kae"):
            kept = results.get(f"gap-{gap:g}-{name}")
            if kept is None:
                continue
            metrics = Table({kept["label"]: dict(kept["values"]["click"])}).intervals()[kept["label"]]
            count = len(kept["values"]["click"]["HR@350"])
            for metric in ("HR@10", "HR@350", "MRR@350"):
                cells |= {f"{metric}, {kept['label']}": cells_of(metrics)[metric]}
        if cells:
            rows.append(Row(f"{gap:g}", cells))
    if not rows:
        return []
    columns = sorted({name for row in rows for name in row.cells}, key=lambda name: (name.split(",")[0], name))
    title = f"Results against the vocabulary gap: {count} clicks, worlds of {options.world.items} items"
    note = f"Training budget at every gap: {options.budget}, one seed."
    return [Section("gap", title, tuple(columns), tuple(rows), first="gap", notes=(note,))]


def _table(found: Sequence[Mapping[str, Any]], kind: str) -> Table:
    return Table({one["label"]: dict(one["values"][kind]) for one in found if kind in one["values"]})


def _plain(value: object) -> Cell:
    return value if isinstance(value, int | float | str) else None


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
