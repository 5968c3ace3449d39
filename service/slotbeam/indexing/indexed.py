"""The items of an index, read again from the rows that it keeps."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from slotbeam.catalog.inmemory import item_source
from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders.formats import ITEM_SIGNS
from slotbeam.catalog.loaders.jsonl import ITEM_KEYS
from slotbeam.catalog.loaders.jsonl import item as read_documented
from slotbeam.catalog.loaders.mapping import SHIPPED, MappingFile
from slotbeam.catalog.loaders.place import SourcePlace, shown
from slotbeam.catalog.loaders.source import SourcedItem
from slotbeam.catalog.sources import BLOCK
from slotbeam.catalog.table import Catalog, item_text
from slotbeam.errors import InputError
from slotbeam.language.fold import RUNNING, Folding
from slotbeam.search.artifact import INDEX, LANGUAGE, read_manifest, verify

_CLOSE = 1e-5
"""Of log popularity: another processor's logarithm may differ in its last bits."""


class IndexedItems:
    """Reads the items of an artifact's index again.

    A row in the documented schema is taken as it is. One that a mapping read is read by it again, must give what the
    index holds, and is kept in the documented schema from then on.

    Args:
        directory: of the artifact; the rows' hashes are checked.
        mapping: that reads rows of other shapes; None: the one that is shipped for them.
        locale: how numbers are written in these rows.

    Attributes:
        manifest: of the artifact.
        catalog: its table.
        blocks: how many blocks of rows there are.

    Raises:
        ArtifactError: what it holds of items is damaged.
        InputError: the mapping cannot be read.
    """

    def __init__(self, directory: Path, mapping: Path | None = None, locale: str | None = None) -> None:
        self.manifest = read_manifest(directory)
        verify(directory, self.manifest, under=f"{INDEX}/items/")
        folding = Folding.load(directory / INDEX / LANGUAGE)
        self._texts_compare = folding.made_by == RUNNING
        self.catalog = Catalog.load(directory / INDEX, self.manifest[INDEX]["fields"], folding)
        self.blocks = -(-len(self.catalog) // BLOCK)
        self._own = MappingFile.load(mapping, locale) if mapping else None
        self._shipped = cache(lambda shape: MappingFile.load(SHIPPED / f"{shape}.json", locale))
        self._place = SourcePlace(directory, 1)

    def block(self, number: int, without: Container[str] = ()) -> Iterator[SourcedItem]:
        """Yield the items of one block but for the ids in `without`. Raises `InputError` for one that gives another."""
        lines = self.catalog.sources.block(number)
        rows = np.arange(number * BLOCK, number * BLOCK + len(lines))
        for row, item_id, line in zip(rows.tolist(), self.catalog.ids.take(rows), lines, strict=True):
            if item_id not in without:
                yield self._read(row, item_id, line)

    def _read(self, row: int, item_id: str, line: bytes) -> SourcedItem:
        values = orjson.loads(line)
        documented = values.keys() <= set(ITEM_KEYS)
        mapping = None if documented else self._own or self._mapping(values)
        if mapping is None:
            item, faults = read_documented(self._place, values)
            wrong = str(faults[0]).removeprefix(f"{self._place}: ") if faults else ""
        else:
            item, faults = mapping.item(self._place, values)
            wrong = str(faults[0]).removeprefix(f"{self._place}: ") if faults else self._difference(row, item)
        if wrong or item.id != item_id:
            by = f" by {mapping.name}" if mapping else ""
            todo = "" if documented else "; give the --mapping, and --locale, that the index was made with"
            raise InputError(f"item {shown(item_id)} of the index cannot be read again{by}: {wrong or item.id}{todo}")
        return SourcedItem(item, line if mapping is None else item_source(item), self._place)

    def _mapping(self, row: Mapping[str, Any]) -> MappingFile | None:
        shape = next((shape for sign, shape in ITEM_SIGNS.items() if sign in row), None)
        return None if shape is None else self._shipped(shape)

    def _difference(self, row: int, item: Item) -> str:
        """Return in what an item that a mapping read is another one than the index holds; empty where it is none."""
        catalog, at = self.catalog, np.array([row])
        held = {name: field.at(at).said()[0] for name, field in catalog.fields.items()}
        for name in sorted(held.keys() | item.fields.keys()):
            if held.get(name) != item.fields.get(name):
                return f"fields.{name} is {shown(item.fields.get(name))}, the index holds {shown(held.get(name))}"
        if catalog.titles[row] != item.title or (self._texts_compare and catalog.texts[row] != item_text(item)):
            return "title, attributes or description are not those of the index"
        if not math.isclose(math.log1p(item.popularity), catalog.prior[row], rel_tol=_CLOSE, abs_tol=_CLOSE):
            return f"popularity is {item.popularity:g}, the index holds {math.expm1(catalog.prior[row]):g}"
        return ""
