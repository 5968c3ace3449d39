"""Typed fields of live items: columns that grow, and fields over an index and them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slotbeam.arrays import Strings
from slotbeam.catalog.columns import VALUES
from slotbeam.catalog.delta.growing import GrowingArray
from slotbeam.catalog.delta.joined import patched_of
from slotbeam.catalog.delta.keywords import FieldKeywords, GrowingKeywords, Keywords
from slotbeam.catalog.fields import Field, FieldKind, Fields
from slotbeam.catalog.item import FieldValue, Item
from slotbeam.errors import InputError
from slotbeam.types import IntArray

_SAID = {FieldKind.BOOL: "true or false", FieldKind.NUMBER: "a number", FieldKind.KEYWORD: "a string"}


def kind_of(value: FieldValue) -> FieldKind:
    """Return the kind of a field that holds such a value."""
    if isinstance(value, bool):
        return FieldKind.BOOL
    return FieldKind.KEYWORD if isinstance(value, str) else FieldKind.NUMBER


def check_fields(known: Mapping[str, FieldKind], item: Item) -> None:
    """Refuse a value that is not of its field's kind. Raises `InputError`, which names the item."""
    for name, value in item.fields.items():
        kind = known.get(name)
        if kind is not None and kind_of(value) is not kind:
            why = f"fields.{name} is {value!r}; in this catalog it is a {kind} field: give {_SAID[kind]}"
            raise InputError(why, item=item.id)


class GrowingFields:
    """The fields of rows that only come. A field that is new has no value in the rows before.

    Args:
        keywords: of all fields, shared by all that grows beside an index.
    """

    def __init__(self, keywords: FieldKeywords) -> None:
        self._keywords = keywords
        self._columns: dict[str, tuple[FieldKind, GrowingArray]] = {}
        self._rows = 0

    @property
    def kinds(self) -> dict[str, FieldKind]:
        return {name: kind for name, (kind, _) in self._columns.items()}

    def append(self, rows: Sequence[Mapping[str, FieldValue]]) -> None:
        """Take the fields of the next rows, each of its kind."""
        for name, value in ((name, value) for row in rows for name, value in row.items()):
            if name not in self._columns:
                dtype, none = VALUES[kind_of(value)]
                column = GrowingArray(dtype)
                column.append(np.full(self._rows, none, dtype))
                self._columns[name] = kind_of(value), column
        for name, (kind, column) in self._columns.items():
            dtype, none = VALUES[kind]
            said: Iterable[Any] = (row.get(name) for row in rows)
            if kind is FieldKind.KEYWORD:
                said = self._keywords[name].append(None if value is None else str(value) for value in said)
            column.append(np.array([none if value is None else value for value in said], dtype))
        self._rows += len(rows)

    def view(self) -> dict[str, GrownField]:
        """Return the fields of all rows so far."""
        return {
            name: GrownField(kind, column.view(), self._keywords[name] if kind is FieldKind.KEYWORD else None)
            for name, (kind, column) in self._columns.items()
        }


class GrownField(Field):
    """A field of rows that came one after the other: its codes are numbered as their keywords came.

    Args:
        kind, values: see `Field`.
        grown: its keywords, which later rows share; None of another kind.

    Attributes:
        codes: keyword → code.
        known: how many of them there are yet.
        every: all keywords there are yet, those of the index among them.
    """

    def __init__(self, kind: FieldKind, values: NDArray[Any], grown: GrowingKeywords | None) -> None:
        known = len(grown.codes) if grown else 0
        object.__setattr__(self, "codes", grown.codes if grown else {})
        object.__setattr__(self, "known", known)
        object.__setattr__(self, "every", grown.view() if grown else None)
        super().__init__(kind, values, _KeywordCount(known) if grown else None)  # type: ignore[arg-type]

    codes: Mapping[str, int]
    known: int
    every: Keywords | None

    def _code_of(self, keyword: str) -> int | None:
        code = self.codes.get(keyword)
        return None if code is None or code >= self.known else code


@dataclass(frozen=True, slots=True)
class _KeywordCount:
    """What of keywords `Field.holds` asks: how many there are."""

    count: int

    def __len__(self) -> int:
        return self.count


class LiveField:
    """A field over the rows of an index, those of a delta behind them, and what was patched of either.

    Args:
        kind: of its values.
        base: of the index's N rows; None where the index does not have it.
        n: N.
        more: of the delta's rows, or None.
        patches: of the patched rows, in the order of `patched`, or None.
        patched: (p,) rows, rising, whose values are those of `patches`, and (p,) which of them.
    """

    def __init__(
        self,
        kind: FieldKind,
        base: Field | None,
        n: int,
        more: GrownField | None,
        patches: GrownField | None,
        patched: tuple[IntArray, IntArray],
    ) -> None:
        self.kind, self._base, self._n, self._more, self._patches, self._patched = kind, base, n, more, patches, patched

    def at(self, rows: IntArray) -> Field:
        """Return the field of the items `rows` (n,) alone, in their order."""
        dtype, none = VALUES[self.kind]
        values: NDArray[Any] = np.full(len(rows), none, dtype)
        new = rows >= self._n
        at, number = patched_of(self._patched[0], rows)
        parts: list[tuple[Field | None, Any, IntArray]] = [
            (self._base, ~new, rows[~new]),
            (self._more, new, rows[new] - self._n),
            (self._patches, at, self._patched[1][number]),
        ]
        grown = self._more or self._patches
        every = grown.every if grown else None
        for field, where, own in parts:
            if field is None:
                values[where] = none
            elif every is None:
                values[where] = field.values[own]
            elif field is self._base:
                values[where] = every.of_base(field.values[own])
            else:
                values[where] = every.of_live[field.values[own]]
        if every is None and self._base is not None:
            return Field(self.kind, values, self._base.keywords)
        return Field(self.kind, values, every)  # type: ignore[arg-type]


class LiveFields(Fields):
    """The fields of a live catalog.

    Args:
        base: of the index, of n rows.
        n: N.
        more, patches, patched: see `LiveField`.
        rows: D, and how many patches there are.
    """

    def __init__(
        self,
        base: Fields,
        n: int,
        more: Mapping[str, GrownField],
        patches: Mapping[str, GrownField],
        patched: tuple[IntArray, IntArray],
        rows: tuple[int, int],
    ) -> None:
        kinds = {name: field.kind for part in (patches, more, base) for name, field in part.items()}
        super().__init__(
            {
                name: LiveField(kinds[name], base.get(name), n, more.get(name), patches.get(name), patched)  # type: ignore[misc]
                for name in sorted(kinds)
            }
        )
        self.base = with_all(base, kinds, n)
        self.more = with_all(more, kinds, rows[0])
        self.patches = with_all(patches, kinds, rows[1])


def with_all(fields: Mapping[str, Field], kinds: Mapping[str, FieldKind], rows: int) -> Fields:
    """Return fields with one for each of `kinds`: what is not among them is without a value in all rows."""
    out = Fields()
    for name in sorted(kinds):
        dtype, none = VALUES[kinds[name]]
        keywords = Strings.of(()) if kinds[name] is FieldKind.KEYWORD else None
        out[name] = fields[name] if name in fields else Field(kinds[name], np.broadcast_to(dtype(none), rows), keywords)
    return out
