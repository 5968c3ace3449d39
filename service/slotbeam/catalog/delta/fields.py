"""Typed fields of live items: columns that grow, and fields over an index and them together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slotbeam.arrays import Strings
from slotbeam.catalog.columns import VALUES
from slotbeam.catalog.delta.growing import GrowingArray
from slotbeam.catalog.delta.joined import patched_of
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
    """The fields of rows that only come. A field that is new has no value in the rows before."""

    def __init__(self) -> None:
        self._columns: dict[str, tuple[FieldKind, GrowingArray, dict[str, int]]] = {}
        self._rows = 0

    @property
    def kinds(self) -> dict[str, FieldKind]:
        return {name: kind for name, (kind, _, _) in self._columns.items()}

    def append(self, rows: Sequence[Mapping[str, FieldValue]]) -> None:
        """Take the fields of the next rows, each of its kind."""
        for name, value in ((name, value) for row in rows for name, value in row.items()):
            if name not in self._columns:
                dtype, none = VALUES[kind_of(value)]
                column = GrowingArray(dtype)
                column.append(np.full(self._rows, none, dtype))
                self._columns[name] = kind_of(value), column, {}
        for name, (kind, column, codes) in self._columns.items():
            dtype, none = VALUES[kind]
            said = (row.get(name) for row in rows)
            if kind is FieldKind.KEYWORD:
                said = (None if value is None else codes.setdefault(str(value), len(codes)) for value in said)
            column.append(np.array([none if value is None else value for value in said], dtype))
        self._rows += len(rows)

    def view(self) -> dict[str, GrownField]:
        """Return the fields of all rows so far."""
        return {
            name: GrownField(kind, column.view(), codes, len(codes))
            for name, (kind, column, codes) in self._columns.items()
        }


class GrownField(Field):
    """A field of rows that came one after the other: its codes are numbered as their keywords came.

    Args:
        kind, values: see `Field`.
        codes: keyword → code, shared with later rows.
        known: how many of them there are yet.
    """

    def __init__(self, kind: FieldKind, values: NDArray[Any], codes: Mapping[str, int], known: int) -> None:
        object.__setattr__(self, "codes", codes)
        object.__setattr__(self, "known", known)
        super().__init__(kind, values, _KeywordCount(known) if kind is FieldKind.KEYWORD else None)  # type: ignore[arg-type]

    codes: Mapping[str, int]
    known: int

    def _code_of(self, keyword: str) -> int | None:
        code = self.codes.get(keyword)
        return None if code is None or code >= self.known else code

    def words(self) -> list[str]:
        """Return the keywords, by code."""
        return [word for word, _ in zip(list(self.codes), range(self.known), strict=False)]


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

    @cached_property
    def _codes(self) -> tuple[Keywords, list[IntArray | None]]:
        """Return all keywords, sorted, and what the codes of each part are among them, none last; None: the same."""
        base = self._base.keywords if self._base and self._base.keywords is not None else Strings.of(())
        grown = [part.words() if part else [] for part in (self._more, self._patches)]
        code = {word: self._base._code_of(word) if self._base else None for words in grown for word in words}
        new = sorted(word for word, at in code.items() if at is None)
        keywords = Keywords(base, new, np.array([bisect_left(base, word) for word in new], np.int64))
        of_base = None if not new else np.append(keywords.of_base(np.arange(len(base))), -1)
        code |= dict(zip(new, (keywords.points + np.arange(len(new))).tolist(), strict=True))
        held = {word: at if word in new or of_base is None else int(of_base[at]) for word, at in code.items()}
        return keywords, [of_base, *(np.array([*(held[word] for word in words), -1], np.int64) for words in grown)]

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
        keywords, tables = self._codes if self.kind is FieldKind.KEYWORD else (None, [None] * 3)
        for (field, where, own), table in zip(parts, tables, strict=True):
            if field is not None:
                values[where] = field.values[own] if table is None else table[field.values[own]]
            elif len(own):
                values[where] = none
        return Field(self.kind, values, keywords)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class Keywords:
    """Sorted keywords: those of an index, and new ones between them.

    Attributes:
        base: of the index, sorted.
        new: others, sorted.
        points: of each new one how many of `base` are less.
    """

    base: Strings
    new: Sequence[str]
    points: IntArray

    def __len__(self) -> int:
        return len(self.base) + len(self.new)

    def of_base(self, codes: IntArray) -> IntArray:
        """Return what `codes` (n,) of the index's keywords are among all."""
        return codes + np.searchsorted(self.points, codes, "right")

    def take(self, codes: IntArray) -> list[str]:
        """Return the keywords of `codes` (n,)."""
        own = self.points + np.arange(len(self.new))
        place = np.searchsorted(own, codes)
        is_new = own[np.minimum(place, len(own) - 1)] == codes if len(own) else np.zeros(len(codes), np.bool_)
        told = iter(self.base.take(codes[~is_new] - place[~is_new]))
        return [self.new[at] if new else next(told) for at, new in zip(place.tolist(), is_new.tolist(), strict=True)]


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
