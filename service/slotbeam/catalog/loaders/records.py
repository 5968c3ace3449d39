"""Rows of a file, whatever holds them: plain, `.gz` or `.xz` JSON lines, or Parquet; each with its line number."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from slotbeam.errors import InputError, SetupError

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.xz", ".parquet")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: names the file and the line (a Parquet row counts as a line, from 1)."""

    path: Path
    line: int

    def error(self, field: str, got: object, allowed: str) -> InputError:
        """The one form of every loader error: file, line, field, what was found, what is allowed."""
        shown = repr(got)
        shown = shown if len(shown) <= 60 else shown[:60] + "…"
        return InputError(
            f"{self.path.name} line {self.line}: field {field!r} is {shown}; allowed: {allowed}",
            file=str(self.path),
            line=self.line,
            field=field,
        )


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


def rows(path: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield every row of `path` with its place; empty lines are skipped."""
    if path.suffix == ".parquet":
        yield from _parquet_rows(path)
        return
    with open_bytes(path) as file:
        number = 0
        try:
            for number, line in enumerate(file, start=1):
                if line.isspace():
                    continue
                place = Place(path, number)
                try:
                    row = orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    what = f"not JSON ({error}); allowed: one JSON object a line"
                    raise InputError(f"{path.name} line {number}: {what}", file=str(path), line=number) from None
                if not isinstance(row, dict):
                    raise place.error("(line)", row, "a JSON object")
                yield place, row
        except (EOFError, OSError, lzma.LZMAError) as error:
            raise InputError(f"{path.name} line {number + 1}: damaged compressed data ({error})") from error


def _parquet_rows(path: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
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
                yield Place(path, start + offset + 1), row
            if part.height < step:
                return
            start += step
    except polars.exceptions.PolarsError as error:
        raise InputError(f"{path.name}: not a Parquet file ({error})") from error
