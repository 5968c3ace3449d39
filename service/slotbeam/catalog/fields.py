"""Typed item fields and the filters on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from slotbeam.arrays import Strings, load_array, save_array
from slotbeam.errors import FilterError
from slotbeam.types import BoolArray, IntArray

_BOUNDS = ("gte", "gt", "lte", "lt")
_SAYS = {"gte": "at least", "gt": "above", "lte": "at most", "lt": "below"}


class FieldKind(StrEnum):
    """What the values of a field are: one kind for all items."""

    KEYWORD = "keyword"
    NUMBER = "number"
    BOOL = "bool"


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

    def mask(self, name: str, wanted: Any) -> BoolArray:
        """Return (N,) which items pass `wanted`: a value, a list of values, or bounds on a number.

        Raises:
            FilterError: the value does not fit the field's kind.
        """
        if isinstance(wanted, list):
            if not wanted:
                raise FilterError(_place(name), "is an empty list; give at least one value or leave the field out")
            if any(isinstance(value, list) for value in wanted):
                raise FilterError(_place(name), "holds a list in a list; give values or bounds")
            return np.asarray(np.stack([self.mask(name, value) for value in wanted]).any(axis=0))
        if isinstance(wanted, Mapping):
            return self._within(name, wanted)
        if self.kind is FieldKind.BOOL and isinstance(wanted, bool):
            return np.asarray(self.values == int(wanted))
        if self.kind is FieldKind.NUMBER and isinstance(wanted, int | float) and not isinstance(wanted, bool):
            return np.asarray(self.values == wanted)
        if self.kind is FieldKind.KEYWORD and isinstance(wanted, str):
            assert self.keywords is not None
            keywords = self.keywords
            low, high = 0, len(keywords)
            while low < high:  # the keywords are sorted
                middle = (low + high) // 2
                low, high = (middle + 1, high) if keywords[middle] < wanted else (low, middle)
            known = low < len(keywords) and keywords[low] == wanted
            return np.asarray(self.values == low) if known else np.zeros(len(self.values), np.bool_)
        raise FilterError(
            _place(name), f"is {_kind_of(wanted)}; it is a {self.kind} field: give {_ALLOWED[self.kind]}, or a list"
        )

    def _within(self, name: str, bounds: Mapping[str, Any]) -> BoolArray:
        place = _place(name)
        if self.kind is not FieldKind.NUMBER:
            raise FilterError(place, f"has bounds, but it is a {self.kind} field; bounds are for numbers")
        if not bounds:
            raise FilterError(place, f"has no bounds; allowed: {', '.join(_BOUNDS)}")
        within = np.ones(len(self.values), np.bool_)
        compare = {"gte": np.greater_equal, "gt": np.greater, "lte": np.less_equal, "lt": np.less}
        for bound, limit in bounds.items():
            if bound not in compare:
                raise FilterError(place, f"has an unknown bound; allowed: {', '.join(_BOUNDS)}")
            if isinstance(limit, bool) or not isinstance(limit, int | float):
                raise FilterError(f"{place}.{bound}", f"is {_kind_of(limit)}; give a number")
            within &= compare[bound](self.values, limit)
        _refuse_contradiction(place, bounds)
        return within


_ALLOWED = {
    FieldKind.BOOL: "true or false",
    FieldKind.NUMBER: 'a number or {"gte": …, "lte": …}',
    FieldKind.KEYWORD: "a string",
}
"""What a filter may say of a field, of each kind."""


def _refuse_contradiction(place: str, bounds: Mapping[str, Any]) -> None:
    """Refuse two bounds on one side, and bounds that no number can be within. Raises `FilterError`."""
    for loose, strict in (("gte", "gt"), ("lte", "lt")):
        if loose in bounds and strict in bounds:
            raise FilterError(place, f"has both {loose} and {strict}; give one of them")
    low, high = (next((bound for bound in pair if bound in bounds), None) for pair in (("gte", "gt"), ("lte", "lt")))
    if low and high:
        least, most = bounds[low], bounds[high]
        if least > most or (least == most and (low, high) != ("gte", "lte")):
            raise FilterError(
                place, f"is to be {_SAYS[low]} {least} and {_SAYS[high]} {most}; no number is: give {low} below {high}"
            )


def _place(name: str) -> str:
    """Return where a field is in a request, of bounded length and visible."""
    text = name[:64]
    return "filter." + (text if text.isprintable() else ascii(text)[1:-1])


def _kind_of(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", type(None): "null"}
    return names.get(type(value), "an object")


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

    def mask(self, wanted: Mapping[str, Any]) -> BoolArray:
        """Return (N,) which items pass every entry of `wanted`. Raises `FilterError`."""
        masks = []
        for name, value in wanted.items():
            if name not in self:
                raise FilterError(_place(name), f"is an unknown field; allowed: {', '.join(self) or 'none'}")
            masks.append(self[name].mask(name, value))
        return np.asarray(np.stack(masks).all(axis=0))

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
