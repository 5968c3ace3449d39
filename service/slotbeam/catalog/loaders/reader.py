"""A catalog as a stream: `CatalogReader` yields its items one after another, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from slotbeam.catalog.loaders.consistency import Census
from slotbeam.catalog.loaders.edits import Edits
from slotbeam.catalog.loaders.faults import Faults, ending
from slotbeam.catalog.loaders.files import catalog_files
from slotbeam.catalog.loaders.formats import FORMATS, ITEM_SIGNS, MAPPED, format_of
from slotbeam.catalog.loaders.jsonl import documented_items
from slotbeam.catalog.loaders.mapped import MappedRows
from slotbeam.catalog.loaders.mapping import SHIPPED, MappingFile
from slotbeam.catalog.loaders.rows import RowFile
from slotbeam.catalog.loaders.source import BLOCK, BLOCK_BYTES, CheckedItem, SourcedItem
from slotbeam.errors import InputError

_OWN = "own"
"""Stands for the format of a mapping file that the user gives."""


class CatalogReader:
    """Reads the items of a catalog once, from its first file to its last.

    Held at a time: a block of items, some 40 bytes for each id, a few values of each field, the edits of
    `items_late.jsonl` where they are asked for.

    Args:
        paths: files, or directories with `items.*`, `products.*` or their shards (`items-*.*`); one catalog together.
        format: one of `FORMATS`; None looks at the first row of each file.
        mapping: a mapping file for rows of any other shape (or to replace a built-in one).
        locale: how numbers are written in mapped rows, whatever the mapping says (`de`, `en-US`).
        skip_bad: so many rows with faults are left out; one more, and all are refused.
        late: also apply `items_late.jsonl` beside the catalog, when it is there: what became of its texts since.
            Training and indexing read without it.

    Attributes:
        files: what is read, in order.
        total_bytes: their bytes on disk.
        faults: what is wrong and what is worth saying, so far. `faults.rows` rows were left out; `faults.lines()` says
            which and why.
        census: what the catalog holds, so far: how many items, which fields of which types.

    Raises:
        InputError: where a path holds no catalog, and for a wrong format or mapping. While it is read: see `blocks`.
    """

    def __init__(
        self,
        *paths: Path,
        format: str | None = None,
        mapping: Path | None = None,
        locale: str | None = None,
        skip_bad: int = 0,
        late: bool = False,
    ) -> None:
        self.files = catalog_files(paths)
        self.faults = Faults(skip_bad)
        self.census = Census(self.faults)
        self._row_files = [RowFile(file) for file in self.files]
        self.total_bytes = sum(file.size for file in self._row_files)
        self._formats = [_OWN if mapping else format or format_of(file, ITEM_SIGNS) for file in self.files]
        self._mapped = {name: _mapped(name, mapping, locale) for name in dict.fromkeys(self._formats)}
        self._edits = Edits(self.files if late else (), self.faults)
        self._has_begun = False

    @property
    def bytes_read(self) -> int:
        """How many of `total_bytes` have been read."""
        return sum(file.bytes_read for file in self._row_files)

    @property
    def progress(self) -> tuple[int, int]:
        """`bytes_read` and `total_bytes`."""
        return self.bytes_read, self.total_bytes

    @property
    def left_out(self) -> int:
        """How many rows were left out so far."""
        return self.faults.rows

    def __iter__(self) -> Iterator[SourcedItem]:
        """Yield the items of `blocks`, one by one."""
        return chain.from_iterable(self.blocks())

    def blocks(self) -> Iterator[list[SourcedItem]]:
        """Yield the good items in lists of at most `BLOCK`. Once too many rows are bad, the rest is checked only.

        Raises:
            InputError: at the end of the last file, for all that is wrong, if it is more than may be left out: each
                fault names the file, the line, the field and what is allowed; `details["faults"]` holds their lines
                where there are several.
        """
        yield from self.checked_blocks()
        self.faults.refuse()

    def checked_blocks(self) -> Iterator[list[SourcedItem]]:
        """Yield what `blocks` does, and refuse nothing: `faults` is for the caller to look at, when all is read."""
        if self._has_begun:
            raise RuntimeError("This is a bug. A CatalogReader reads its catalog once; make another one to read again.")
        self._has_begun = True
        for block in self._blocks():
            good = self.census.passing(block)
            if good and not self.faults.refused:
                yield [one._replace(item=self._edits.apply(one.item)) for one in good] if self._edits else good
        self.census.conclude()
        self._edits.tell_strangers(self.census.ids, self.faults)
        for name, mapped in self._mapped.items():
            files = [file.name for file, format in zip(self.files, self._formats, strict=True) if format == name]
            where = files[0] if len(files) == 1 else f"{len(files)} files"
            self.faults.warnings.extend(mapped.warnings(where) if mapped else ())

    def _blocks(self) -> Iterator[list[CheckedItem]]:
        """Yield lists of `BLOCK` rows, shorter where the rows are long."""
        block: list[CheckedItem] = []
        held = 0
        for checked in self._items():
            block.append(checked)
            held += len(checked[0].source) if checked[0] is not None else 0
            if len(block) == BLOCK or held > BLOCK_BYTES:
                yield block
                block, held = [], 0
        yield block

    def _items(self) -> Iterator[CheckedItem]:
        for file, format in zip(self._row_files, self._formats, strict=True):
            mapped = self._mapped[format]
            try:
                yield from mapped.items(file.rows()) if mapped else documented_items(file.rows(), file.path)
            except InputError as error:
                yield None, (ending(error),)


def _mapped(format: str, mapping: Path | None, locale: str | None) -> MappedRows | None:
    """Return what reads rows of a format; None for the documented schema. Raises `InputError`."""
    if format == _OWN and mapping is not None:
        return MappedRows(MappingFile.load(mapping, locale), own=True)
    if format not in FORMATS:
        raise InputError(f"format {format!r} is unknown; allowed: {', '.join(FORMATS)}")
    if format in MAPPED:
        return MappedRows(MappingFile.load(SHIPPED / f"{format}.json", locale), own=False)
    if locale:
        raise InputError(f"format {format!r} takes no locale; give a mapping, or a format of {', '.join(MAPPED)}")
    return None
