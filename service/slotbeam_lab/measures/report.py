"""Results as sections: JSON that is kept, Markdown that is generated from it, and the blocks of pages."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slotbeam.errors import InputError
from slotbeam_lab.measures.run import Interval, Table

Cell = float | int | str | None | list[float]
"""A figure, a text, nothing, or [value, lower, upper]."""

_BLOCK = re.compile(r"(<!-- results:(?P<name>[\w./:-]+) -->\n).*?(<!-- /results -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its label, cells by column, and how figures are written (`share` 0.123, `ratio` 1.23×)."""

    label: str
    cells: dict[str, Cell]
    style: str = "share"


@dataclass(frozen=True, slots=True)
class Section:
    """One table.

    Attributes:
        name: in file names and in the markers of pages.
        title: one line. notes: lines under the table.
        first: header of the label column. columns: in order.
        rows: a cell that a row does not have stays empty.
        facts: JSON values: queries, items, budget.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    first: str = "system"
    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


def section_of(value: Mapping[str, Any]) -> Section:
    """Read the section that `asdict` made a JSON value of. Raises `InputError` for another shape."""
    try:
        rows = tuple(Row(row["label"], dict(row["cells"]), row.get("style", "share")) for row in value["rows"])
        return Section(
            value["name"],
            value["title"],
            tuple(value["columns"]),
            rows,
            value.get("first", "system"),
            tuple(value.get("notes", ())),
            dict(value.get("facts", {})),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"a section of results is not readable: {type(error).__name__} {error}") from error


def table_rows(table: Table, pairs: Sequence[tuple[str, str]] = (), seed: int = 0) -> tuple[Row, ...]:
    """Return one row a system with its intervals, then one a pair (system, over) with the ratio of their means."""
    rows = [Row(system, cells_of(metrics)) for system, metrics in table.intervals(seed).items()]
    ratios = table.ratios(pairs, seed).items()
    return (*rows, *(Row(f"{a} ÷ {b}", cells_of(metrics), "ratio") for (a, b), metrics in ratios))


def cells_of(metrics: Mapping[str, Interval]) -> dict[str, Cell]:
    """Return intervals as cells, rounded to what a table of thousands of queries can say."""
    return {name: [round(float(value), 5) for value in interval] for name, interval in metrics.items()}


def markdown(section: Section, intervals: bool = True, title: bool = True) -> str:
    """Write a section as Markdown.

    Args:
        intervals: write them behind means too; ratios always have theirs.
        title: put the title above the table.
    """
    rows = [[section.first, *section.columns], ["---"] * (len(section.columns) + 1)]
    for row in section.rows:
        label = f"{row.label} (95 %)" if row.style == "ratio" else row.label
        rows.append([label, *(_cell(row.cells.get(name), row.style, intervals) for name in section.columns)])
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    head = [f"**{section.title}**", ""] if title else []
    notes = ["", *section.notes] if section.notes else []
    return "\n".join([*head, *lines, *notes])


def _cell(value: Cell, style: str, intervals: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    digits = 2 if style == "ratio" else 3
    if isinstance(value, list):
        text = f"{value[0]:.{digits}f}"
        return f"{text} ({value[1]:.{digits}f}–{value[2]:.{digits}f})" if intervals or style == "ratio" else text
    return str(value) if isinstance(value, int) else f"{value:.{digits}f}"


# What is kept in the repository, and what pages show of it


def provenance(command: str, **facts: Any) -> dict[str, Any]:
    """Say what a kept figure is worth nothing without: command, commit, date, and what else is given."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "command": command,
        "commit": described.stdout.strip() or None,
        "date": datetime.now(UTC).date().isoformat(),
        **facts,
    }


def write_results(path: Path, sections: Sequence[Section], facts: Mapping[str, Any]) -> None:
    """Keep sections and where they come from; `rewrite` reads them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"facts": dict(facts), "sections": [asdict(section) for section in sections]}
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_results(path: Path) -> tuple[list[Section], dict[str, Any]]:
    """Read sections and facts of a kept file. Raises `InputError` naming the file."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return [section_of(value) for value in kept["sections"]], dict(kept["facts"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no file of results: {error}; make it with --results") from error


def rewrite(text: str, results: Path) -> str:
    """Return `text` with every block between `<!-- results:NAME -->` and `<!-- /results -->` rendered anew.

    NAME is a file of `results` without its ending: all of its sections; or FILE/SECTION: that one; FILE/SECTION:means
    leaves its ratios out, FILE/SECTION:systems also the rows of a system's parts ("NAME, without words").

    Raises:
        InputError: a block names a file or section that does not exist.
    """
    return _BLOCK.sub(lambda match: f"{match[1]}{block(match['name'], results)}\n{match[3]}", text)


def block(name: str, results: Path) -> str:
    """Write the Markdown of one block: tables without the intervals of means, and where they come from."""
    name, _, only = name.partition(":")
    file, _, wanted = name.partition("/")
    sections, facts = read_results(results / f"{file}.json")
    chosen = [section for section in sections if wanted in ("", section.name)]
    if not chosen:
        have = ", ".join(section.name for section in sections)
        raise InputError(f"the block results:{name} names no section of {file}.json; allowed: {have}")
    if only:
        chosen = [_only(section, only) for section in chosen]
    parts = [markdown(section, intervals=False, title=not wanted) for section in chosen]
    made = ", ".join(f"{name} {facts[name]}" for name in ("seed", "commit", "date") if facts.get(name) is not None)
    what = f"{chosen[0].title}. " if wanted else ""
    return "\n\n".join([*parts, f"<sub>{what}`{facts.get('command', '')}`; {made}</sub>"])


def _only(section: Section, only: str) -> Section:
    """Leave out what `rewrite` says of a block. Raises `InputError` for a word that it does not know."""
    if only not in ("means", "systems"):
        raise InputError(f"a block asks for :{only} of {section.name}; allowed: :means, :systems")
    rows = [row for row in section.rows if row.style != "ratio"]
    if only == "systems":
        systems = tuple(f"{row.label}, " for row in rows)
        rows = [row for row in rows if not row.label.startswith(systems)]
    return replace(section, rows=tuple(rows))
