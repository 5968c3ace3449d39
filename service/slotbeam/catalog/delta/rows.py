"""The delta: rows that live edits added behind those of an index. One writer appends; each version is a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slotbeam.arrays import Strings
from slotbeam.catalog.columns import Columns
from slotbeam.catalog.delta.fields import GrowingFields, GrownField
from slotbeam.catalog.delta.growing import GrowingArray, GrowingStrings
from slotbeam.catalog.item import FieldValue
from slotbeam.catalog.table import Catalog
from slotbeam.types import BoolArray, FloatArray, IntArray

_TEXTS = ("ids", "titles", "texts", "sources")


@dataclass(frozen=True, slots=True, eq=False)
class DeltaRows:
    """D rows, in the order in which they came; attributes as of `Columns`.

    Attributes:
        id_places: (D,) int64, see `IndexOrder.id_place`.
    """

    ids: Strings
    titles: Strings
    texts: Strings
    sources: Strings
    prior: FloatArray
    sids: IntArray
    vectors: IntArray
    text_vectors: IntArray
    text_lists: IntArray
    reread: BoolArray
    id_places: IntArray
    fields: Mapping[str, GrownField]

    def __len__(self) -> int:
        return len(self.prior)


class RowsById:
    """Rows that came, in the order of their ids."""

    def __init__(self) -> None:
        self._ids, self._rows = np.empty(0, np.object_), np.empty(0, np.int64)

    def append(self, ids: Sequence[str]) -> None:
        """Take the ids of the next rows."""
        new = np.array(ids, np.object_)
        first = np.argsort(new, kind="stable")
        at = np.searchsorted(self._ids, new[first], side="right")
        self._rows = np.insert(self._rows, at, first + len(self._rows))
        self._ids = np.insert(self._ids, at, new[first])

    def ranks(self) -> IntArray:
        """Return (D,) int64 the place of each row there."""
        out = np.empty(len(self._rows), np.int64)
        out[self._rows] = np.arange(len(out))
        return out


class GrowingRows:
    """Takes rows. Of the types that the arrays of `index` have."""

    def __init__(self, index: Catalog) -> None:
        def like(name: str) -> GrowingArray:
            array = index.text_index.vectors if name == "text_vectors" else getattr(index, name)
            return GrowingArray(array.dtype, array.shape[1:])

        self._texts = {name: GrowingStrings() for name in _TEXTS}
        self._numbers = {name: like(name) for name in ("prior", "sids", "vectors", "text_vectors")}
        self._numbers |= {
            "text_lists": GrowingArray(np.int32),
            "reread": GrowingArray(np.bool_),
            "id_places": GrowingArray(np.int64),
        }
        self._fields = GrowingFields()

    def append(self, columns: Columns, fields: Sequence[Mapping[str, FieldValue]], id_places: IntArray) -> DeltaRows:
        """Take n rows more, and return all."""
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
        return self.view()

    def view(self) -> DeltaRows:
        """Return all rows so far."""
        held: dict[str, Any] = {**self._texts, **self._numbers}
        columns = {name: column.view() for name, column in held.items()}
        return DeltaRows(**columns, fields=self._fields.view())
