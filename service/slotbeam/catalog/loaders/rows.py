"""Rows of a file, whatever holds them: JSON lines, tables, feeds (plain, `.gz`, `.xz`) or Parquet, and their lines."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from slotbeam.catalog.loaders.feeds import feed_rows
from slotbeam.catalog.loaders.files import FEEDS, TABLES, opened
from slotbeam.catalog.loaders.parquet import parquet_batches
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.catalog.loaders.source import LONGEST, RowOrFault, SourceRow
from slotbeam.catalog.loaders.tables import table_rows
from slotbeam.errors import InputError

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class RowFile:
    """One file of rows, and how far it has been read.

    Attributes:
        size: its bytes on disk.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size if path.exists() else 0
        self._raw: BinaryIO | None = None
        self._share = 0.0

    @property
    def bytes_read(self) -> int:
        """Bytes of the file itself, so compressed ones where it is; near enough for a progress bar."""
        if self._raw is not None and not self._raw.closed:
            return self._raw.tell()
        return round(self._share * self.size)

    def rows(self) -> Iterator[RowOrFault]:
        """Yield every row with its place, and a fault for every line that is none; blank lines are skipped.

        In a table a row is its cells by the header's names, without those that are empty. Raises `InputError` for what
        ends the file: it cannot be opened, is damaged, or is of another form.
        """
        if self.path.suffix == ".parquet":
            for batch, share in parquet_batches(self.path):
                yield from batch
                self._share = share
        else:
            yield from self._unpacked()
        self._share = 1.0

    def _unpacked(self) -> Iterator[RowOrFault]:
        file, self._raw = opened(self.path)
        read = json_rows
        if self.path.name.endswith(TABLES):
            read = table_rows
        elif self.path.name.endswith(FEEDS):
            read = feed_rows
        line = 0
        with self._raw, file:
            try:
                for row in read(self.path, file):
                    if isinstance(row, SourceRow):
                        line = row.place.line
                    yield row
            except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
                damaged = SourcePlace(self.path, line + 1)
                raise damaged.fault("(line)", f"damaged compressed data ({error})") from error


def rows(path: Path) -> Iterator[RowOrFault]:
    """Yield every row of `path`, as `RowFile.rows` does."""
    return RowFile(path).rows()


def json_rows(path: Path, file: BinaryIO) -> Iterator[RowOrFault]:
    """Yield the object of every line. Raises `InputError` where the file is no JSON lines at all."""
    for number, line in enumerate(iter(partial(file.readline, LONGEST + 1), b""), start=1):
        place = SourcePlace(path, number)
        if number == 1:
            line = _first_line(place, line)
        if len(line) > LONGEST:
            yield place.fault("(line)", f"is longer than {LONGEST} bytes; allowed: one JSON object a line", "long")
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST)
            continue
        source = line.strip()
        if not source:
            continue
        try:
            row = orjson.loads(source)
        except orjson.JSONDecodeError as error:
            yield place.fault("(line)", f"is not JSON ({error}); allowed: one JSON object a line", "JSON")
            continue
        yield SourceRow(place, row, source) if isinstance(row, dict) else place.error("(line)", row, "a JSON object")


def _first_line(place: SourcePlace, line: bytes) -> bytes:
    """Return it without its byte order mark."""
    line = line.removeprefix(_BOM)
    if line.startswith(_UTF16):
        raise place.fault("(line)", "is UTF-16; save the file as UTF-8")
    if line.lstrip().startswith(b"["):
        raise place.fault("(line)", "begins a JSON list; write one object a line (jq -c '.[]')")
    return line


def first_row(path: Path) -> dict[str, Any]:
    """Return what the first good row of a file holds; nothing where there is none."""
    try:
        return next((dict(row.values) for row in rows(path) if isinstance(row, SourceRow)), {})
    except InputError:
        return {}
