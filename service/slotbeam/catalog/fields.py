"""Typed item fields, as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from slotbeam.arrays import Strings, among, distinct, load_array, save_array
from slotbeam.catalog.item import FieldValue
from slotbeam.types import BoolArray, IntArray


class FieldKind(StrEnum):
    """What the values of a field are: one kind for all items."""

    KEYWORD = "keyword"
    NUMBER = "number"
    BOOL = "bool"


_FEW = 8
"""Values that are compared one by one."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of all items.

    Attributes:
        kind: of its values.
        values: (N,) int32 codes (-1: none) for keyword, float64 (NaN: none) for number, int8 (-1: none) for bool.
        keywords: what a keyword code means.
    """

    kind: FieldKind
    values: IntArray
    keywords: Strings | None = None

    @classmethod
    def of(cls, column: Sequence[Any]) -> Field:
        """Type a column from its values (None: none); mixed columns become keywords."""
        present = [v for v in column if v is not None]
        if present and all(isinstance(v, bool) for v in present):
            return cls(FieldKind.BOOL, np.array([-1 if v is None else int(v) for v in column], np.int8))
        if present and all(isinstance(v, int | float) and not isinstance(v, bool) for v in present):
            return cls(FieldKind.NUMBER, np.array([np.nan if v is None else v for v in column], np.float64))
        words = sorted({str(v) for v in present})
        code = {word: i for i, word in enumerate(words)}
        codes = np.array([-1 if v is None else code[str(v)] for v in column], np.int32)
        return cls(FieldKind.KEYWORD, codes, Strings.of(words))

    @property
    def present(self) -> BoolArray:
        """(N,) which items have a value."""
        return np.asarray(self.values == self.values if self.kind is FieldKind.NUMBER else self.values >= 0)

    def holds(self, wanted: Sequence[FieldValue]) -> BoolArray:
        """Return (N,) which items have one of the `wanted` values, each of the field's kind; none has no value."""
        codes = [self._code_of(str(value)) for value in wanted] if self.kind is FieldKind.KEYWORD else list(wanted)
        sought = distinct(np.array([code for code in codes if code is not None], self.values.dtype))
        if not len(sought):
            return np.zeros(len(self.values), np.bool_)
        if len(sought) <= _FEW:
            return np.asarray(reduce(np.logical_or, (self.values == value for value in sought)))
        if self.kind is FieldKind.NUMBER:
            return among(sought, self.values)
        held = np.zeros((2 if self.keywords is None else len(self.keywords)) + 1, np.bool_)
        held[sought] = True
        return held.take(self.values, mode="wrap")  # -1, no value, is the last one

    def at(self, rows: IntArray) -> Field:
        """Return the field of the items `rows` (n,) alone, in their order."""
        return Field(self.kind, self.values[rows], self.keywords)

    def said(self) -> list[FieldValue | None]:
        """Return the value of each item as JSON has it; None for none."""
        if self.kind is FieldKind.NUMBER:
            return [value if value == value else None for value in self.values.tolist()]
        if self.kind is FieldKind.BOOL:
            return [None if value < 0 else bool(value) for value in self.values.tolist()]
        assert self.keywords is not None
        codes = distinct(self.values[self.values >= 0])  # few of them, of many items
        words = dict(zip(codes.tolist(), self.keywords.take(codes), strict=True))
        return [words.get(code) for code in self.values.tolist()]

    def _code_of(self, keyword: str) -> int | None:
        """Return the code of a keyword, None for one that no item has."""
        assert self.keywords is not None
        low, high = 0, len(self.keywords)
        while low < high:  # the keywords are sorted
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.keywords[middle] < keyword else (low, middle)
        return low if low < len(self.keywords) and self.keywords[low] == keyword else None


class Fields(dict[str, Field]):
    """Field name → field."""

    @classmethod
    def of(cls, items: Sequence[Mapping[str, Any]]) -> Fields:
        """Collect the columns of `items` (N mappings, in row order)."""
        names = sorted({name for item in items for name in item})
        return cls({name: Field.of([item.get(name) for item in items]) for name in names})

    @property
    def kinds(self) -> dict[str, FieldKind]:
        """Name → kind, as the manifest's `fields` has it."""
        return {name: field.kind for name, field in self.items()}

    def save(self, directory: Path) -> None:
        """Write one array a field, and the keywords of those that have some."""
        for i, name in enumerate(self):
            directory.mkdir(parents=True, exist_ok=True)
            save_array(directory / f"{i}.npy", self[name].values)
            keywords = self[name].keywords
            if keywords is not None:
                keywords.save(directory, f"{i}_keywords")

    @classmethod
    def load(cls, directory: Path, kinds: Mapping[str, str]) -> Fields:
        """Map the fields; `kinds` is the manifest's `fields`, in the order of writing."""
        fields = cls()
        for i, (name, kind) in enumerate(kinds.items()):
            keywords = Strings.load(directory, f"{i}_keywords") if kind == FieldKind.KEYWORD else None
            fields[name] = Field(FieldKind(kind), load_array(directory / f"{i}.npy"), keywords)
        return fields
