"""CSV and TSV files as shops and spreadsheets write them, and the documented schema in columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from slotbeam.catalog.loaders.faults import spanning
from slotbeam.catalog.loaders.numbers import number_of
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.catalog.loaders.source import LONGEST, RowOrFault, SourceRow, source_of
from slotbeam.errors import InputError

NOT_UTF8 = "is not UTF-8; save the file as UTF-8"
_DELIMITERS = ",;\t"
_NAMED = re.compile(r'"?sep=([,;\t])"?\s*', re.IGNORECASE)
_SEPARATOR = "|"
_TRUTH = {"true": True, "false": False}
_LISTS = ("recent_queries", "recent_item_ids")


def table_rows(path: Path, file: BinaryIO) -> Iterator[RowOrFault]:
    """Yield each line as header → cell, stripped, without empty cells; UTF-8 with or without a byte order mark.

    `.tsv` has tabs; in `.csv` commas, semicolons or tabs separate, whichever the header holds most of, or what a line
    `sep=;` before it says. A row's place is the line that it begins on. Raises `InputError` for a header that is none.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    with io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="") as text:
        lines = _Lines(text)
        header, names, reader = _opened(path, lines)
        while True:
            before = reader.line_num
            place = SourcePlace(path, header + before)
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                what = f"is no line of a table: {error}; double every quote in quotes"
                if lines.too_long:
                    what, lines.too_long = f"is longer than {LONGEST} characters", False
                # An open quote swallows the lines behind it.
                yield spanning(place.fault("(line)", what, "table"), max(reader.line_num - before, 1))
                continue
            row = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name and cell.strip()}
            if any(cell.strip() for cell in cells[len(names) :]):
                what = f"has {len(cells)} cells, the header {len(names)}; quote cells that hold a separator"
                yield place.fault("(line)", what, "cells")
            elif row:
                yield _row(place, row)


def _row(place: SourcePlace, row: dict[str, str]) -> RowOrFault:
    try:
        source = source_of(row)
    except TypeError:  # a byte that is no UTF-8 was read as a lone surrogate, which has no JSON
        return place.fault("(line)", NOT_UTF8)
    if b"\\u0000" in source and any("\0" in cell for cell in row.values()):
        return place.fault("(line)", "holds a NUL character; allowed: text")
    return SourceRow(place, row, source)


class _Lines:
    """The lines of a file for `csv.reader`. Of one that is too long nothing is held; it is an error wherever it is."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.too_long = False
        self._text = text

    def first(self) -> tuple[str, int]:
        """Return the next line that is not blank, and how many lines it took."""
        count = 0
        while line := self._text.readline(LONGEST + 1):
            count += 1
            if line.strip():
                return line, count
        return "", count

    def __iter__(self) -> Iterator[str]:
        for line in iter(partial(self._text.readline, LONGEST + 1), ""):
            if len(line) <= LONGEST:
                yield line
                continue
            while line and not line.endswith(("\n", "\r")):
                line = self._text.readline(LONGEST)
            self.too_long = True
            yield '"x"x\n'  # what follows a closing quote is an error, in an open cell, too


def _opened(path: Path, lines: _Lines) -> tuple[int, list[str], Any]:
    """Return the header's line, its names, and the reader of what follows it. Raises `InputError`."""
    first, line = lines.first()
    named = _NAMED.fullmatch(first)
    if named:
        first, more = lines.first()
        line += more
    by_size = "\t" if ".tsv" in path.suffixes[-2:] else max(_DELIMITERS, key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=named[1] if named else by_size, strict=True)
    if not _is_utf8(first):
        raise SourcePlace(path, line).fault("(line)", NOT_UTF8)
    names = [name.strip() for name in next(reader, [])]
    if not any(names):
        raise InputError(f"{path.name} is empty; the first line of a table names its columns")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice:
        raise SourcePlace(path, line).fault(twice, "names two columns; keep one of them")
    return line, names, reader


def documented(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table's row as the documented schema has it: `attributes.color` and `fields.price` are columns.

    Attributes and histories are lists with `|` between the texts. A field is a number or true/false where its cell is
    one as JSON writes it, else text.
    """
    nested: dict[str, Any] = {}
    for name, cell in row.items():
        whole, _, part = name.partition(".")
        if part and whole == "attributes":
            nested.setdefault(whole, {})[part] = _listed(cell)
        elif part and whole == "fields":
            nested.setdefault(whole, {})[part] = _value(cell)
        elif name in _LISTS:
            nested[name] = _listed(cell)
        else:
            nested[name] = _value(cell) if name in ("popularity", "day", "position") else cell
    return nested


def _listed(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(_SEPARATOR) if part.strip()]


def _value(cell: str) -> Any:
    if cell.lower() in _TRUTH:
        return _TRUTH[cell.lower()]
    if len(cell) > 1 and cell[0] == "0" and cell[1].isdigit():
        return cell  # a code, no number
    number = number_of(cell)
    if number is None:
        return cell
    return int(number) if number.is_integer() and cell.isdigit() else number


def _is_utf8(text: str) -> bool:
    """Return whether every byte of a text that was read with `surrogateescape` was UTF-8."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)
