"""The delta: rows that live edits added behind those of an index. One writer appends; each version is a view."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slotbeam.arrays import Strings
from slotbeam.catalog.columns import Columns
from slotbeam.catalog.delta.fields import GrowingFields, GrownField
from slotbeam.catalog.delta.growing import GrowingArray, GrowingStrings, SortedRows
from slotbeam.catalog.delta.keywords import FieldKeywords
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog, id_hash
from slotbeam.types import BoolArray, FloatArray, IntArray

_TEXTS = ("ids", "titles", "texts", "sources", "terms")


@dataclass(frozen=True, slots=True, eq=False)
class DeltaRows:
    """D rows, in the order in which they came; attributes as of `Columns`.

    Attributes:
        id_places: (D,) int64, see `IndexOrder.id_place`.
        id_ranks: (D,) int64, the place of each row's id among all of the delta's in order.
        by_list, list_starts: (D,) int64 rows, and (C + 1,), as `rows` and `starts` of `TextIndex`.
    """

    ids: Strings
    titles: Strings
    texts: Strings
    sources: Strings
    terms: Strings
    prior: FloatArray
    sids: IntArray
    vectors: IntArray
    text_vectors: IntArray
    reread: BoolArray
    text_lists: IntArray
    id_places: IntArray
    id_ranks: IntArray
    by_list: IntArray
    list_starts: IntArray
    fields: Mapping[str, GrownField]

    def __len__(self) -> int:
        return len(self.prior)


class GrowingRows:
    """Takes rows. Of the types that the arrays of `index` have.

    Attributes:
        row_of_id: id → its rows, rising.
    """

    def __init__(self, index: Catalog, keywords: FieldKeywords) -> None:
        def like(name: str) -> GrowingArray:
            array = index.text_index.vectors if name == "text_vectors" else getattr(index, name)
            return GrowingArray(array.dtype, array.shape[1:])

        self._texts = {name: GrowingStrings() for name in _TEXTS}
        self._numbers = {name: like(name) for name in ("prior", "sids", "vectors", "text_vectors")}
        self._numbers |= {
            "reread": GrowingArray(np.bool_),
            "text_lists": GrowingArray(np.int32),
            "id_places": GrowingArray(np.int64),
        }
        self._fields = GrowingFields(keywords)
        self._lists = np.arange(len(index.text_index.centroids) + 1)
        self._items: list[Item] = []
        self.row_of_id: dict[str, tuple[int, ...]] = {}
        self._by_id, self._by_list = SortedRows(np.object_), SortedRows(np.int32)

    def append(self, columns: Columns, items: Sequence[Item], id_places: IntArray) -> None:
        """Take n rows more, of `items`."""
        for name, texts in self._texts.items():
            texts.append(getattr(columns, name))
        numbers = {
            "prior": np.log1p(columns.popularity.astype(np.float32)),
            "id_places": id_places,
            **{name: getattr(columns, name) for name in self._numbers if name not in ("prior", "id_places")},
        }
        for name, column in self._numbers.items():
            column.append(numbers[name])
        self._fields.append([item.fields for item in items])
        self._by_id.append(np.array(list(columns.ids), np.object_))
        self._by_list.append(columns.text_lists)
        first = len(self._items)
        self._items += items
        for row, item in enumerate(items, first):
            self.row_of_id[item.id] = (*self.row_of_id.get(item.id, ()), row)

    def made_of(self, items: Collection[Item]) -> dict[str, int]:
        """Return id → row of those of `items` that a row says the same of; rows may be added meanwhile."""
        last = {item.id: self.row_of_id[item.id][-1] for item in items if item.id in self.row_of_id}
        same = [item.id for item in items if item.id in last and self._items[last[item.id]].told == item.told]
        return {item_id: last[item_id] for item_id in same}

    def columns(self, rows: Sequence[int], given: Sequence[tuple[Item, bytes]]) -> Columns:
        """Return what the items of some rows (n) are encoded as; sources and popularity are those of `given` (n)."""
        held: dict[str, Any] = {**self._texts, **self._numbers}
        at = np.array(rows, np.int64)
        texts: dict[str, Any] = {
            name: Strings.of_bytes(list(held[name].view().encoded(at))) for name in ("ids", "titles", "texts", "terms")
        }
        numbers: dict[str, Any] = {
            name: held[name].view()[at] for name in ("sids", "vectors", "text_vectors", "text_lists", "reread")
        }
        return Columns(
            **texts,
            **numbers,
            sources=Strings.of_bytes([source for _, source in given]),
            popularity=np.array([item.popularity for item, _ in given], np.float64),
            id_hashes=np.array([id_hash(item.id) for item, _ in given], np.uint64),
            fields={},
        )

    @property
    def sids(self) -> IntArray:
        """(D, L) of all rows so far."""
        return self._numbers["sids"].view()

    @property
    def prior(self) -> FloatArray:
        """(D,) of all rows so far."""
        return self._numbers["prior"].view()

    def view(self) -> DeltaRows:
        """Return all rows so far."""
        held: dict[str, Any] = {**self._texts, **self._numbers}
        columns = {name: column.view() for name, column in held.items()}
        return DeltaRows(
            **columns,
            id_ranks=self._by_id.ranks(),
            by_list=self._by_list.rows,
            list_starts=np.searchsorted(self._by_list.keys, self._lists),
            fields=self._fields.view(),
        )
