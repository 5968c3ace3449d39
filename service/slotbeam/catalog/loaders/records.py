"""Rows of a file, whatever holds them: JSON lines, CSV or TSV (plain, `.gz`, `.xz`), or Parquet; each with its line."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from slotbeam.catalog.loaders.faults import Faults
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.catalog.loaders.tables import table_rows
from slotbeam.errors import InputError, SetupError

_PACKED = ("", ".gz", ".xz")
TABLES = tuple(kind + packed for kind in (".csv", ".tsv") for packed in _PACKED)
SUFFIXES = (*(".jsonl" + packed for packed in _PACKED), ".parquet", *TABLES)
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def open_bytes(path: Path) -> BinaryIO:
    """Open a plain, gzip or xz file for reading. Raises `InputError` when it cannot be opened."""
    try:
        if path.suffix == ".xz":
            return cast(BinaryIO, lzma.open(path, "rb"))
        if path.suffix == ".gz":
            return cast(BinaryIO, gzip.open(path, "rb"))
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def rows(path: Path, faults: Faults) -> Iterator[tuple[SourcePlace, dict[str, Any]]]:
    """Yield every row of `path` with its place; blank lines are skipped, and lines that are no row go to `faults`.

    In a table a row is its cells by the header's names, without those that are empty.
    """
    if path.suffix == ".parquet":
        yield from _parquet_rows(path)
        return
    with open_bytes(path) as file:
        place = SourcePlace(path, 0)
        found = table_rows(path, file, faults) if path.name.endswith(TABLES) else _json_rows(path, file, faults)
        try:
            for place, row in found:
                yield place, row
        except (EOFError, OSError, lzma.LZMAError) as error:
            place = SourcePlace(path, place.line + 1)
            faults.note(place.fault("(line)", f"damaged compressed data ({error})"))


def _json_rows(path: Path, file: BinaryIO, faults: Faults) -> Iterator[tuple[SourcePlace, dict[str, Any]]]:
    for number, line in enumerate(file, start=1):
        place = SourcePlace(path, number)
        if number == 1:
            line = line.removeprefix(_BOM)
            if line.startswith(_UTF16):
                faults.note(place.fault("(line)", "is UTF-16; save the file as UTF-8"))
                return
            if line.lstrip().startswith(b"["):
                faults.note(place.fault("(line)", "begins a JSON list; write one object a line (jq -c '.[]')"))
                return
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            faults.note(place.fault("(line)", f"is not JSON ({error}); allowed: one JSON object a line", "JSON"))
            continue
        if isinstance(row, dict):
            yield place, row
        else:
            faults.note(place.error("(line)", row, "a JSON object"))


def _parquet_rows(path: Path) -> Iterator[tuple[SourcePlace, dict[str, Any]]]:
    try:
        import polars
    except ImportError as error:
        raise SetupError('reading Parquet needs polars: pip install "slotbeam[train]"') from error
    if not path.is_file():
        raise InputError(f"{path} cannot be read: no such file")
    step, start = 20_000, 0
    try:
        frame = polars.scan_parquet(path)
        while True:
            part = frame.slice(start, step).collect()
            for offset, row in enumerate(part.iter_rows(named=True)):
                yield SourcePlace(path, start + offset + 1), row
            if part.height < step:
                return
            start += step
    except polars.exceptions.PolarsError as error:
        raise InputError(f"{path.name}: not a Parquet file ({error})") from error
