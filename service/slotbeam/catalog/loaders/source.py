"""What is read of a file: a row as it stands there, and the item that it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import orjson

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.errors import InputError

LONGEST = 2**24
"""Bytes of the longest line, cell or feed item that is read; what is longer is a fault and is not held."""
BLOCK = 1024
BLOCK_BYTES = 2**23
"""Rows that are held and checked together: so many, or where they are long so many bytes of them and one row more."""

T = TypeVar("T")


class SourceRow(NamedTuple):
    """One row: where it begins, what it holds by name, and that as the bytes of a JSON object."""

    place: SourcePlace
    values: Mapping[str, Any]
    source: bytes


class SourcedItem(NamedTuple):
    """One item with the row that it was made of.

    `source` is a JSON object: the line itself of a JSON-lines file, a table's or a feed's row by its names. Where the
    row is in the documented schema, columns such as `attributes.color` are nested as in JSON lines. Edits of
    `items_late.jsonl` are in `item` alone.
    """

    item: Item
    source: bytes
    place: SourcePlace


class ItemStream(Protocol):
    """The items of a catalog, read once: a `CatalogReader`, or what has them from elsewhere."""

    @property
    def files(self) -> Sequence[Path]:
        """What the catalog was read from, to name it by."""
        ...

    @property
    def left_out(self) -> int:
        """How many rows were left out so far."""
        ...

    @property
    def progress(self) -> tuple[int, int]:
        """How much was read so far, and of how much."""
        ...

    def blocks(self) -> Iterator[list[SourcedItem]]:
        """Yield the items, each once. Raises `InputError`."""
        ...


RowOrFault = SourceRow | InputError
"""A row, or what is wrong with a line that is none. What ends a file is raised."""

CheckedItem = tuple[SourcedItem | None, Sequence[InputError]]
"""An item and all that is wrong with it: None, where the line is no row; parts of its item are, where they could not
be read."""


def in_blocks(source: Iterable[T], size: int = BLOCK) -> Iterator[list[T]]:
    """Yield `source` in lists of `size`, the last one shorter."""
    rest = iter(source)
    while block := list(islice(rest, size)):
        yield block


def source_of(values: Mapping[str, Any]) -> bytes:
    """Return a row as a JSON object. Raises `TypeError` for a text that is no Unicode."""
    # orjson's own bytes keep the memory of the longest text that they might have become.
    return memoryview(orjson.dumps(values, default=str)).tobytes()
