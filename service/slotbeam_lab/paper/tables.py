"""Tables of values as sections: means with intervals, ratios over rivals, interventions by size."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from slotbeam_lab.baselines.registry import SYSTEMS
from slotbeam_lab.interventions.editable import ALIAS_PIN_RULE, PIN_RULE, PINNED
from slotbeam_lab.measures.report import Row, Section, cells_of, table_rows
from slotbeam_lab.measures.run import Table

BASE = SYSTEMS["bm25"].label
FAMILIES = (
    ("ihr", "IHR@", "Interventions, is the forged target in the top K"),
    ("iar", "IAR@", "Interventions, is an item of the word in the top K"),
    ("bound-order", ("order ", "graded order "), "Interventions, the order inside the bound set"),
)
"""Section, what its metrics begin with, title."""
POOLS = {"1–20": frozenset({"1", "5", "20"}), "5–500": frozenset({"5", "20", "100", "500"})}
"""Sizes that the targets speak of together: all of a word's items fit; their order matters."""
TITLES = {"click": "Clicks of the test day", "order": "Orders of the test day", "judged": "Judged queries"}


def pairs_of(table: Table) -> list[tuple[str, str]]:
    """The ratios worth a row: every system over BM25, and slotbeam over every rival."""
    ours = SYSTEMS["kae"].label
    rivals = [system for system in table.values if system not in (BASE, ours)]
    pairs = [(system, BASE) for system in table.values if system != BASE and BASE in table.values]
    return pairs + [(ours, rival) for rival in rivals if ours in table.values]


def table_section(name: str, table: Table, pairs: Sequence[tuple[str, str]], what: str) -> Section:
    """A table of `ask` with its intervals, and the ratios of `pairs`; `what` says on which catalog."""
    metrics = next(iter(table.values.values()))
    queries = len(next(iter(metrics.values())))
    title = f"{TITLES.get(name, name)}: {queries} queries, {what}"
    return Section(name, title, tuple(metrics), table_rows(table, pairs), facts={"queries": queries})


def tables_of(sizes: Mapping[str, Mapping[str, Mapping[str, list[float]]]]) -> dict[str, Table]:
    """size → table, of what `intervene` kept."""
    return {size: Table({name: dict(one) for name, one in systems.items()}) for size, systems in sizes.items()}


def intervention_sections(tables: Mapping[str, Table], facts: Mapping[str, Any]) -> list[Section]:
    """Sections `ihr`, `iar` and `bound-order`: one column a size and a pool of sizes, one row a metric and system.

    Of IHR and IAR the least and the largest K are shown. Ratios are of the order inside the bound set: slotbeam over
    what a user of a search engine has.

    Args:
        tables: size → table. facts: `words`; with a collateral also `untouched` and `changed`.
    """
    columns = {**tables, **{name: _pooled(tables, sizes) for name, sizes in POOLS.items() if sizes <= set(tables)}}
    found = {name: table.intervals() for name, table in columns.items()}
    systems = list(dict.fromkeys(system for table in tables.values() for system in table.values))
    metrics = list(next(iter(next(iter(found.values())).values())))
    kept = {name: facts[name] for name in ("words", "untouched", "changed", "positions") if name in facts}
    sections = []
    for name, family, title in FAMILIES:
        own = [metric for metric in metrics if metric.startswith(family)]
        rows = [
            Row(f"{metric}, {system}", cells_of(cells))
            for metric in dict.fromkeys((own[0], own[-1]))
            for system in systems
            if (cells := {size: found[size][system][metric] for size in found if metric in found[size].get(system, {})})
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
    """The words of several sizes as one table."""
    pooled = Table()
    for size in sorted(sizes, key=int):
        for system, metrics in tables[size].values.items():
            for metric, values in metrics.items():
                pooled.values.setdefault(system, {}).setdefault(metric, []).extend(values)
    return pooled


def _order_ratios(columns: Mapping[str, Table], metrics: Sequence[str]) -> list[Row]:
    rows = []
    for rival in (PIN_RULE, ALIAS_PIN_RULE):
        having = {size: table for size, table in columns.items() if {PINNED, rival} <= set(table.values)}
        ratios = {size: table.ratios([(PINNED, rival)])[PINNED, rival] for size, table in having.items()}
        for metric in metrics:
            cells = {size: ratio[metric] for size, ratio in ratios.items() if metric in ratio}
            if cells:
                rows.append(Row(f"{metric}, {PINNED} ÷ {rival}", cells_of(cells), "ratio"))
    return rows
