"""What the commands print: text for people, JSON for scripts, one clear line for an error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import orjson


def show_json(value: Any) -> None:
    """Print `value` as indented JSON on standard output; what could move a cursor is written as `\\uXXXX`."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode()
    sys.stdout.write("".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text) + "\n")


def say(text: str = "") -> None:
    """Print one line; what could move the cursor is escaped."""
    sys.stdout.write(plain(text) + "\n")
    sys.stdout.flush()


def say_error(text: str) -> None:
    """Print one line on standard error."""
    sys.stderr.write(plain(text) + "\n")
    sys.stderr.flush()


def fail(message: str, code: int = 1) -> NoReturn:
    """Print one line on standard error and exit with `code`."""
    say_error(f"slotbeam: {message}")
    raise SystemExit(code)


RECORDS = ("binding or rule", "bindings and rules")
"""What a file of bindings holds, for `counted`."""


def counted(number: int, noun: str, several: str = "") -> str:
    """Return `1 item`, `2 items`; `several` is the plural of a noun that does not only get an s."""
    return f"{number} {noun if number == 1 else several or noun + 's'}"


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Iterable[str] = ()) -> None:
    """Print rows under `columns`; the columns named in `right` are aligned there."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        grid.add_column(Text(column), justify="right" if column in set(right) else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(plain("" if cell is None else str(cell))) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(grid)


def plain(text: str) -> str:
    """Escape line ends, control, format and surrogate characters: a title or a word may hold a terminal's codes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
