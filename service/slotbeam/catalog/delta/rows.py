"""The delta: rows that live edits added behind those of an index. One writer appends; each version is a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slotbeam.arrays import Strings
from slotbeam.catalog.columns import Columns
from slotbeam.catalog.delta.fields import GrowingFields, GrownField
from slotbeam.catalog.delta.growing import GrowingArray, GrowingStrings, SortedRows
from slotbeam.catalog.delta.keywords import FieldKeywords
from slotbeam.catalog.item import FieldValue
from slotbeam.catalog.table import Catalog
from slotbeam.types import BoolArray, FloatArray, IntArray

_TEXTS = ("ids", "titles", "texts", "sources")


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
    prior: FloatArray
    sids: IntArray
    vectors: IntArray
    text_vectors: IntArray
    reread: BoolArray
    id_places: IntArray
    id_ranks: IntArray
    by_list: IntArray
    list_starts: IntArray
    fields: Mapping[str, GrownField]

    def __len__(self) -> int:
        return len(self.prior)


class GrowingRows:
    """Takes rows. Of the types that the arrays of `index` have."""

    def __init__(self, index: Catalog, keywords: FieldKeywords) -> None:
        def like(name: str) -> GrowingArray:
            array = index.text_index.vectors if name == "text_vectors" else getattr(index, name)
            return GrowingArray(array.dtype, array.shape[1:])

        self._texts = {name: GrowingStrings() for name in _TEXTS}
        self._numbers = {name: like(name) for name in ("prior", "sids", "vectors", "text_vectors")}
        self._numbers |= {
            "reread": GrowingArray(np.bool_),
            "id_places": GrowingArray(np.int64),
        }
        self._fields = GrowingFields(keywords)
        self._lists = np.arange(len(index.text_index.centroids) + 1)
        self._by_id, self._by_list = SortedRows(np.object_), SortedRows(np.int32)

    def append(self, columns: Columns, fields: Sequence[Mapping[str, FieldValue]], id_places: IntArray) -> None:
        """Take n rows more."""
        for name, texts in self._texts.items():
            texts.append(getattr(columns, name))
        numbers = {
            "prior": np.log1p(columns.popularity.astype(np.float32)),
            "id_places": id_places,
            **{name: getattr(columns, name) for name in self._numbers if name not in ("prior", "id_places")},
        }
        for name, column in self._numbers.items():
            column.append(numbers[name])
        self._fields.append(fields)
        self._by_id.append(np.array(list(columns.ids), np.object_))
        self._by_list.append(columns.text_lists)

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
