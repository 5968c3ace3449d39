"""Some items, column by column: what an index holds of them, in any order, and how it is put in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slotbeam.arrays import Strings
from slotbeam.catalog.fields import Field, FieldKind
from slotbeam.types import BoolArray, FloatArray, IntArray

TEXTS = ("ids", "titles", "texts", "sources", "terms")
NUMBERS = ("popularity", "sids", "vectors", "text_vectors", "text_lists", "id_hashes", "reread")
VALUES: dict[FieldKind, tuple[type, Any]] = {
    FieldKind.KEYWORD: (np.int32, -1),
    FieldKind.NUMBER: (np.float64, np.nan),
    FieldKind.BOOL: (np.int8, -1),
}
"""Kind of a field → type of its values, and the one that says none."""

_Rows = tuple[int, IntArray, IntArray]
"""A part, places in the answer, rows of the part."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """n items.

    Attributes:
        ids, titles, texts: (n,) strings, `texts` canonical.
        sources: (n,) each item as it was given, a JSON object.
        terms: (n,) four bytes a term: the hashes that words are found by.
        popularity: (n,) float64.
        sids: (n, L) int32.
        vectors: (n, e) int8.
        text_vectors, text_lists: (n, m) int8 and (n,) int32, the list of each; m = 0 where the model had no teacher.
        id_hashes: (n,) uint64.
        reread: (n,) bool, whether its terms do not tell which words its text holds.
        fields: name → values; a field that no item of these has may be missing.
    """

    ids: Strings
    titles: Strings
    texts: Strings
    sources: Strings
    terms: Strings
    popularity: FloatArray
    sids: IntArray
    vectors: IntArray
    text_vectors: IntArray
    text_lists: IntArray
    id_hashes: IntArray
    reread: BoolArray
    fields: Mapping[str, Field]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class FieldTypes:
    """The fields of a catalog, sorted by name: their kinds, and the sorted words of the keyword ones."""

    kinds: dict[str, FieldKind]
    keywords: dict[str, Strings]

    @classmethod
    def of(cls, parts: Sequence[Columns]) -> FieldTypes:
        """Collect them of all `parts`."""
        names = sorted({name for part in parts for name in part.fields})
        kinds: dict[str, FieldKind] = {}
        keywords: dict[str, Strings] = {}
        for name in names:
            own = [part.fields[name] for part in parts if name in part.fields]
            if len({field.kind for field in own}) != 1:
                raise ValueError(f"the field {name!r} has two types; a reader lets one pass. This is a bug.")
            kinds[name] = own[0].kind
            if own[0].kind is FieldKind.KEYWORD:
                keywords[name] = Strings.of(sorted({word for field in own for word in field.keywords or ()}))
        return cls(kinds, keywords)


class Interleaving:
    """Puts items of several parts in one order.

    Args:
        parts: in any order.
        types: of the fields of all of them; keyword codes are made to mean the same in all.
    """

    def __init__(self, parts: Sequence[Columns], types: FieldTypes) -> None:
        self._parts, self._types = parts, types
        self._starts = np.cumsum([0, *map(len, parts)])
        self._codes = {name: self._code_tables(name, words) for name, words in types.keywords.items()}

    def _code_tables(self, name: str, words: Strings) -> list[IntArray]:
        """Return for each part (its codes + 1,) int32: what its codes are among `words`; the last is that of none."""
        code = {word: number for number, word in enumerate(words)}
        fields = [part.fields.get(name) for part in self._parts]
        return [
            np.array([*(code[word] for word in (field.keywords or () if field else ())), -1], np.int32)
            for field in fields
        ]

    def take(self, order: IntArray) -> Columns:
        """Return the items `order` (n,), numbers of items through all parts."""
        owner = np.searchsorted(self._starts, order, side="right") - 1
        by_part = np.argsort(owner, kind="stable")
        cuts = np.searchsorted(owner[by_part], np.arange(len(self._parts) + 1))
        of_parts = np.flatnonzero(np.diff(cuts)).tolist()
        places = [by_part[cuts[part] : cuts[part + 1]] for part in of_parts]
        own = [(part, at, order[at] - self._starts[part]) for part, at in zip(of_parts, places, strict=True)]
        taken: dict[str, Any] = {name: self._texts(name, own, len(order)) for name in TEXTS}
        taken |= {name: self._numbers(name, own, len(order)) for name in NUMBERS}
        fields = {name: self._field(name, own, len(order)) for name in self._types.kinds}
        return Columns(**taken, fields=fields)

    def _texts(self, name: str, own: Sequence[_Rows], n: int) -> Strings:
        pieces = np.empty(n, object)
        for part, places, rows in own:
            pieces[places] = list(getattr(self._parts[part], name).encoded(rows))
        return Strings.of_bytes(pieces.tolist())

    def _numbers(self, name: str, own: Sequence[_Rows], n: int) -> NDArray[Any]:
        columns = [getattr(part, name) for part in self._parts]
        out = np.empty((n, *columns[0].shape[1:]), columns[0].dtype)
        for part, places, rows in own:
            out[places] = columns[part][rows]
        return out

    def _field(self, name: str, own: Sequence[_Rows], n: int) -> Field:
        kind = self._types.kinds[name]
        dtype, none = VALUES[kind]
        values: NDArray[Any] = np.full(n, none, dtype)
        for part, places, rows in own:
            field = self._parts[part].fields.get(name)
            if field is not None:
                held = field.values[rows]
                values[places] = self._codes[name][part][held] if kind is FieldKind.KEYWORD else held
        return Field(kind, values, self._types.keywords.get(name))


def taken_of(parts: Sequence[Columns], order: IntArray) -> Columns:
    """Return the items `order` (n,), numbers of items through all parts, without their fields."""
    return Interleaving(parts, FieldTypes({}, {})).take(order)
