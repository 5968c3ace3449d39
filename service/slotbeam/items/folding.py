"""An index and what became of its items since → the catalog of the next index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from slotbeam.catalog.delta.fields import check_fields, kind_of
from slotbeam.catalog.fields import FieldKind
from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.catalog.loaders.source import SourcedItem
from slotbeam.catalog.sources import BLOCK
from slotbeam.errors import InputError
from slotbeam.indexing.indexed import IndexedItems
from slotbeam.items.record import ItemRecord
from slotbeam.items.replica.judging import read_records
from slotbeam.items.replica.serving import beyond
from slotbeam.items.store.store import Seen
from slotbeam.items.switch import Base, IndexMark, check_watermark
from slotbeam.search.artifact import INDEX, sha_of
from slotbeam.search.watermark import NO_EDITS, Watermark


class FoldedCatalog:
    """The items of an index with live edits (an `ItemStream`): edited ones as they are now, deleted ones not at all.

    Its blocks come in an order that is mixed once and for all: the language is told by what comes first.

    Args:
        base: the index.
        seen: of the store; None where it holds no items.
        records: item id → record, all of the store at that moment. Those that the base's watermark covers are in it.

    Attributes:
        watermark: up to which edit these are the items.
        edits: how many of the records the base does not hold.
        put, deleted: how many edited items there are, and how many items of the base are gone.
        failed: item id → why its record is left out; what the base has of it stays.

    Raises:
        Conflict: records that the base does not hold are gone, or it holds edits that the store does not know.
    """

    def __init__(self, base: IndexedItems, seen: Seen | None, records: Mapping[str, bytes]) -> None:
        self._base = base
        mark = IndexMark.told_by(base.manifest)
        self.watermark = mark.watermark
        if seen is not None:
            check_watermark(mark, Base(seen.head.epoch, seen.head.seq, seen.trimmed))
            self.watermark = Watermark(seen.head.epoch, seen.head.seq)
            records = beyond(mark.watermark, seen.head, records)
        self.failed: dict[str, str] = {}
        self._edits = self._read(records)
        self._edited = [sourced for sourced in self._edits.values() if sourced is not None]
        found, _ = base.catalog.rows_of(self._edits.keys() - {sourced.item.id for sourced in self._edited})
        self.edits, self.put, self.deleted = len(self._edits), len(self._edited), len(found)
        self._read_blocks = 0

    @property
    def files(self) -> list[Path]:
        """What the base was read from."""
        return [Path(name) for name in self._base.manifest[INDEX]["catalog"]["files"]]

    @property
    def left_out(self) -> int:
        return len(self.failed)

    @property
    def progress(self) -> tuple[int, int]:
        return self._read_blocks, self._blocks

    @property
    def _blocks(self) -> int:
        return self._base.blocks - (-len(self._edited) // BLOCK)

    @property
    def says(self) -> dict[str, Any]:
        """What the manifest of its index says beside what that of any index does."""
        manifest = self._base.manifest
        marked = {} if self.watermark == NO_EDITS else {"watermark": self.watermark._asdict()}
        return {**marked, "folded_from": {"name": manifest["name"], "sha": sha_of(manifest)}}

    def blocks(self) -> Iterator[list[SourcedItem]]:
        """Yield the items, at most `BLOCK` at a time. Raises `InputError` for a row that cannot be read again."""
        for number in np.random.default_rng(0).permutation(self._blocks).tolist():
            if number < self._base.blocks:
                block = list(self._base.block(number, without=self._edits))
            else:
                first = (number - self._base.blocks) * BLOCK
                block = self._edited[first : first + BLOCK]
            self._read_blocks += 1
            if block:
                yield block

    def _read(self, records: Mapping[str, bytes]) -> dict[str, SourcedItem | None]:
        """Return id → its item with its row, None for a deleted one, in the order of their edits."""
        items, failed = read_records(records)
        self.failed |= {item_id: why.removeprefix("NACK:RECORD ") for item_id, why in failed.items()}
        read = [ItemRecord.of(records[item_id]) for item_id in items]
        edits: dict[str, SourcedItem | None] = {}
        kinds = {name: FieldKind(kind) for name, kind in self._base.manifest[INDEX]["fields"].items()}
        for record in sorted(read, key=lambda record: record.seq):
            item = items[record.id]
            if item is None:
                edits[record.id] = None
                continue
            try:
                check_fields(kinds, item)
            except InputError as error:  # as a replica does
                self.failed[record.id] = str(error)
                continue
            kinds |= {name: kind_of(value) for name, value in item.fields.items()}
            edits[record.id] = _sourced(item, record)
        return edits


def _sourced(item: Item, record: ItemRecord) -> SourcedItem:
    return SourcedItem(item, orjson.dumps(record.row), SourcePlace(Path("item"), record.seq))
