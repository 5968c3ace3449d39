"""Rows whose fields or popularity are others than they were encoded with: nothing else of them changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.arrays import Strings
from slotbeam.catalog.delta.fields import GrowingFields, GrownField
from slotbeam.catalog.delta.growing import GrowingArray, GrowingStrings
from slotbeam.catalog.delta.keywords import FieldKeywords
from slotbeam.catalog.item import FieldValue
from slotbeam.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """What is patched.

    Attributes:
        rows: (p,) int64, rows of the live catalog, rising.
        numbers: (p,) int64, the newest patch of each; columns below are by patch.
        prior: float32.
        sources: the item as it was given.
        fields: of the patches.
    """

    rows: IntArray
    numbers: IntArray
    prior: FloatArray
    sources: Strings
    fields: Mapping[str, GrownField]

    def mask(self, members: BoolArray) -> tuple[IntArray, IntArray]:
        """Return the rows whose newest patch is among `members` (patches,), and those whose is not."""
        held = members[self.numbers]
        return self.rows[held], self.rows[~held]


class GrowingPatches:
    """Takes patches. A later one of a row stands for the earlier ones."""

    def __init__(self, keywords: FieldKeywords) -> None:
        self._prior, self._sources, self._fields = GrowingArray(np.float32), GrowingStrings(), GrowingFields(keywords)
        self._rows = self._numbers = np.empty(0, np.int64)
        self._count = 0

    def append(
        self,
        rows: IntArray,
        popularity: FloatArray,
        sources: Sequence[bytes],
        fields: Sequence[Mapping[str, FieldValue]],
    ) -> None:
        """Patch n distinct rows."""
        self._prior.append(np.log1p(popularity.astype(np.float32)))
        self._sources.append(sources)
        self._fields.append(fields)
        kept = ~np.isin(self._rows, rows)
        numbers = np.concatenate([self._numbers[kept], np.arange(self._count, self._count + len(rows))])
        held = np.concatenate([self._rows[kept], rows])
        order = np.argsort(held, kind="stable")
        self._rows, self._numbers = held[order], numbers[order]
        self._count += len(rows)

    def drop(self, rows: IntArray) -> None:
        """Forget what was patched of rows that are no items any longer."""
        kept = ~np.isin(self._rows, rows)
        self._rows, self._numbers = self._rows[kept], self._numbers[kept]

    def view(self) -> Patches:
        """Return all patches so far."""
        return Patches(self._rows, self._numbers, self._prior.view(), self._sources.view(), self._fields.view())
