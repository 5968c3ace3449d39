"""Tables of values as sections: means with intervals, ratios over rivals, interventions by size; and all of a paper's,
from what its units kept. A table whose units are missing is left out or shorter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from slotbeam_lab.baselines.registry import SYSTEMS
from slotbeam_lab.interventions.editable import ALIAS_PIN_RULE, PIN_RULE, PINNED, UNPINNED
from slotbeam_lab.interventions.latent import ORACLE
from slotbeam_lab.measures.report import Cell, Row, Section, cells_of, section_of, table_rows
from slotbeam_lab.measures.run import Table, averaged
from slotbeam_lab.paper.options import ABLATIONS, FULL, PaperOptions

BASE = SYSTEMS["bm25"].label
FAMILIES = (
    ("ihr", "IHR@", "Interventions, is the forged target in the top K"),
    ("iar", "IAR@", "Interventions, is an item of the word in the top K"),
    ("bound-order", ("order ", "graded order "), "Interventions, the order inside the bound set"),
)
"""Section, what its metrics begin with, title."""
SMALL = ("1", "5", "20")
POOLS = {"1–20": frozenset(SMALL), "5–500": frozenset({"5", "20", "100", "500"})}
"""Sizes that the targets speak of together: all of a word's items fit; their order matters."""
TITLES = {"click": "Clicks of the test day", "order": "Orders of the test day", "judged": "Judged queries"}

Kept = Mapping[str, Mapping[str, Any]]
"""Unit name → what it kept."""


def pairs_of(table: Table) -> list[tuple[str, str]]:
    """Return the ratios worth a row: every system over BM25, and slotbeam over every rival."""
    ours = SYSTEMS["kae"].label
    rivals = [system for system in table.values if system not in (BASE, ours)]
    pairs = [(system, BASE) for system in table.values if system != BASE and BASE in table.values]
    return pairs + [(ours, rival) for rival in rivals if ours in table.values]


def table_section(name: str, table: Table, pairs: Sequence[tuple[str, str]], what: str) -> Section:
    """Show a table of `ask` with its intervals, and the ratios of `pairs`; `what` says on which catalog."""
    metrics = next(iter(table.values.values()))
    queries = len(next(iter(metrics.values())))
    title = f"{TITLES.get(name, name)}: {queries} queries, {what}"
    return Section(name, title, tuple(metrics), table_rows(table, pairs), facts={"queries": queries})


def table_of(kept: Iterable[Mapping[str, Any]], kind: str) -> Table:
    """Return one table of what `measured` returned of several systems, for one kind of question."""
    return Table({own["label"]: dict(own["values"][kind]) for own in kept if kind in own["values"]})


def tables_of(sizes: Mapping[str, Mapping[str, Mapping[str, list[float]]]]) -> dict[str, Table]:
    """Return size → table, of what `intervene` kept."""
    return {size: Table({name: dict(metrics) for name, metrics in systems.items()}) for size, systems in sizes.items()}


def intervention_sections(tables: Mapping[str, Table], facts: Mapping[str, Any]) -> list[Section]:
    """Make sections `ihr`, `iar` and `bound-order`: one column a size and a pool of sizes, one row a metric and system.

    Of IHR and IAR the least and the largest K are shown. Ratios are of the order inside the bound set: slotbeam over
    what a user of a search engine has, and over what is possible.

    Args:
        tables: size → table. facts: `words`; with a collateral also `untouched` and `changed`.
    """
    columns = {**tables, **{name: _pooled(tables, sizes) for name, sizes in POOLS.items() if sizes <= set(tables)}}
    intervals = {name: table.intervals() for name, table in columns.items()}
    systems = list(dict.fromkeys(system for table in tables.values() for system in table.values))
    metrics = list(next(iter(next(iter(intervals.values())).values())))
    kept = {name: facts[name] for name in ("words", "untouched", "changed", "positions") if name in facts}
    sections = []
    for name, family, title in FAMILIES:
        own = [metric for metric in metrics if metric.startswith(family)]
        rows = [
            Row(f"{metric}, {system}", cells_of(cells))
            for metric in dict.fromkeys((own[0], own[-1]))
            for system in systems
            if (cells := {size: of[system][metric] for size, of in intervals.items() if metric in of.get(system, {})})
        ]
        rows += _order_ratios(columns, own) if name == "bound-order" else []
        heading = f"{title}: {facts['words']} unseen words, by items a word"
        sections.append(Section(name, heading, tuple(columns), tuple(rows), "items a word", (), kept))
    if "untouched" in facts:
        changed, of = facts["changed"], facts["untouched"]
        note = f"Collateral: {changed} of {of} answers to queries without a bound word changed."
        sections[1] = replace(sections[1], notes=(note,))
    return sections


def _pooled(tables: Mapping[str, Table], sizes: Collection[str]) -> Table:
    """Put the words of several sizes into one table."""
    pooled = Table()
    for size in sorted(sizes, key=int):
        for system, metrics in tables[size].values.items():
            for metric, values in metrics.items():
                pooled.values.setdefault(system, {}).setdefault(metric, []).extend(values)
    return pooled


def _order_ratios(columns: Mapping[str, Table], metrics: Sequence[str]) -> list[Row]:
    rows = []
    for pair in ((PINNED, PIN_RULE), (PINNED, ALIAS_PIN_RULE), (PINNED, ORACLE), (ORACLE, ALIAS_PIN_RULE)):
        having = {size: table for size, table in columns.items() if set(pair) <= set(table.values)}
        ratios = {size: table.ratios([pair])[pair] for size, table in having.items()}
        for metric in metrics:
            cells = {size: ratio[metric] for size, ratio in ratios.items() if metric in ratio}
            if cells:
                rows.append(Row(f"{metric}, {' ÷ '.join(pair)}", cells_of(cells), "ratio"))
    return rows


def sections_of(options: PaperOptions, results: Kept) -> list[Section]:
    """Make every table that `results` (unit name → what it kept) can fill, in reading order."""
    sections: list[Section] = []
    sections += _compared(options, results, "systems", options.systems, f"world of {options.world.items} items")
    sections += _interventions(options, results)
    sections += _ablations(options, results)
    sections += _gap(options, results)
    for name in ("elbow", "curves-kae"):
        sections += [section_of(value) for value in results.get(name, {}).get("sections", ())]
    sections += _compared(options, results, "icecat", options.judged, "real products")
    return sections


def _compared(options: PaperOptions, results: Kept, part: str, systems: Iterable[str], what: str) -> list[Section]:
    """Make one table for each kind of question, means over the seeds, and what each system was given to train."""
    names = [[f"{part}-{name}-{seed}" for name in systems] for seed in options.seeds]
    kept = [[results[name] for name in own if name in results] for own in names]
    kept = [of_seed for of_seed in kept if of_seed]
    if not kept:
        return []
    sections = []
    for kind in kept[0][0]["values"]:
        table = averaged([table_of(of_seed, kind) for of_seed in kept])
        section = table_section(kind, table, pairs_of(table), what)
        note = f"Training budget of every system: {options.budget}; means over {_counted(len(options.seeds), 'seed')}."
        sections.append(replace(section, name=f"{part}-{kind}", notes=(note, *section.notes)))
    return [*sections, _budget(part, options, kept)]


def _budget(part: str, options: PaperOptions, kept: Sequence[Sequence[Mapping[str, Any]]]) -> Section:
    """Say what every system's training came to, with the first seed."""
    columns = ("minutes", "steps", "parameters", "sids")
    rows = tuple(Row(own["label"], {name: _plain(own["facts"].get(name)) for name in columns}) for own in kept[0])
    return Section(f"{part}-budget", f"Training of each system, budget {options.budget}", columns, rows)


def _interventions(options: PaperOptions, results: Kept) -> list[Section]:
    """Show every system that can be told a word, by binding size; the words are the same for all."""
    kept = [results[name] for name in (f"interventions-{told}" for told in options.told) if name in results]
    if not kept:
        return []
    sizes: dict[str, dict[str, dict[str, list[float]]]] = {}
    for own in kept:
        for size, systems in own["sizes"].items():
            sizes.setdefault(size, {}).update(systems)
    return intervention_sections(tables_of(sizes), {**kept[0], **results.get("collateral", {})})


def _ablations(options: PaperOptions, results: Kept) -> list[Section]:
    kept = {name: results[f"ablation-{name}"] for name in ABLATIONS if f"ablation-{name}" in results}
    if not kept:
        return []
    table = Table({ABLATIONS[name].label: dict(own["values"]["click"]) for name, own in kept.items()})
    full = ABLATIONS[FULL].label
    over = [(label, full) for label in table.values if label != full and full in table.values]
    free, held = ABLATIONS["unconstrained"].label, ABLATIONS["paper-ranking"].label
    over += [(free, held)] if {free, held} <= set(table.values) else []
    section = table_section("ablations", table, over, f"world of {options.ablated.items} items")
    rows = []
    for row in section.rows:
        name = next((name for name, ablation in ABLATIONS.items() if ablation.label == row.label), "")
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
    """Return IHR at the least and the largest K of the small sizes together, served and unpinned."""
    tables = tables_of(kept["sizes"])
    pooled = _pooled(tables, [size for size in SMALL if size in tables])
    served = Table({system: pooled.values[system] for system in (PINNED, UNPINNED) if system in pooled.values})
    return {
        f"{metric}, {system}": cell
        for system, metrics in served.intervals().items()
        for metric, cell in cells_of(metrics).items()
        if metric in ("IHR@10", "IHR@350")
    }


def _gap(options: PaperOptions, results: Kept) -> list[Section]:
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


def _plain(value: object) -> Cell:
    return value if isinstance(value, int | float | str) else None


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
