"""What no row alone can show: an id that is there twice, a field whose type changes. And what a catalog holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slotbeam.catalog.fields import FieldKind
from slotbeam.catalog.item import FieldValue
from slotbeam.catalog.loaders.faults import EACH, Faults
from slotbeam.catalog.loaders.ids import IdSet
from slotbeam.catalog.loaders.place import SourcePlace, shown
from slotbeam.catalog.loaders.source import CheckedItem, SourcedItem
from slotbeam.errors import InputError

_KINDS = {bool: "true or false", float: "a number", str: "text"}
_TYPES = {bool: FieldKind.BOOL, float: FieldKind.NUMBER, str: FieldKind.KEYWORD}
_LINE_BITS = 40


@dataclass(slots=True)
class Uses:
    """How often a field has values of one type, and where first."""

    count: int = 0
    first: list[tuple[SourcePlace, FieldValue]] = field(default_factory=list)


class Census:
    """Counts items as they pass, a block at a time. Held: a hash of each id, and a few values of each field."""

    def __init__(self, faults: Faults) -> None:
        self.ids = IdSet()
        self.fields: dict[str, dict[type, Uses]] = {}
        self.categories: Counter[str] = Counter()
        self.described = 0
        self._faults = faults
        self._files: dict[Path, int] = {}
        self._usual: dict[str, type] = {}
        """The type of each field: that of most of its values in the first block that has any."""

    def __len__(self) -> int:
        return len(self.ids)

    def types(self) -> Iterator[tuple[str, FieldKind, int]]:
        """Yield every field in order: its name, its type (that most of its values have), how many items have it."""
        for name, kinds in sorted(self.fields.items()):
            yield name, _TYPES[_most(kinds)], sum(uses.count for uses in kinds.values())

    def passing(self, block: Sequence[CheckedItem]) -> list[SourcedItem]:
        """Return the good items of a block, and note what is wrong with the others."""
        good = []
        twice = self._twice(block)
        odd = self._odd(block)
        for number, (sourced, wrong) in enumerate(block):
            if number in twice:
                wrong = [*wrong, twice[number]]
            if wrong:
                self._faults.note(*wrong)
            elif number in odd:
                self._faults.rows += 1
            elif sourced is not None:
                good.append(sourced)
                self.categories.update(sourced.item.attributes.keys())
                self.described += bool(sourced.item.description)
        return good

    def conclude(self) -> None:
        """Note the values that are not of their field's type, when every block has passed."""
        for name, kinds in self.fields.items():
            if len(kinds) > 1:
                usual = _most(kinds) if self._faults.refused else self._usual[name]
                self._tell_odd(name, kinds, usual)

    def _twice(self, block: Sequence[CheckedItem]) -> dict[int, InputError]:
        """Return a fault for every item, by its number in the block, whose id another one has before it."""
        known = [
            (number, sourced)
            for number, (sourced, _) in enumerate(block)
            if sourced is not None and sourced.item.id is not None
        ]
        places = [self._numbered(sourced.place) for _, sourced in known]
        firsts = self.ids.add([sourced.item.id for _, sourced in known], places)
        return {
            number: self._same_id(sourced, first)
            for (number, sourced), first in zip(known, firsts, strict=True)
            if first is not None
        }

    def _numbered(self, place: SourcePlace) -> int:
        return self._files.setdefault(place.path, len(self._files)) << _LINE_BITS | place.line

    def _same_id(self, sourced: SourcedItem, first: int) -> InputError:
        line, path = first & (1 << _LINE_BITS) - 1, list(self._files)[first >> _LINE_BITS]
        where = f"line {line}" if path == sourced.place.path else f"{path.name}:{line}"
        what = f"{shown(sourced.item.id)} is that of {where}, too; ids are unique in a catalog"
        return sourced.place.fault("id", what, "unique")

    def _odd(self, block: Sequence[CheckedItem]) -> set[int]:
        """Count the block's values; return which items, by number, have one that is not of its field's type."""
        changing = False
        for sourced, _ in block:
            for name, value in sourced.item.fields.items() if sourced is not None else ():
                if value is None:
                    continue
                kinds = self.fields.get(name)
                if kinds is None:
                    kinds = self.fields[name] = {}
                uses = kinds.get(type(value))
                if uses is None:
                    uses = kinds[type(value)] = Uses()
                uses.count += 1
                if sourced is not None and len(uses.first) < EACH:
                    uses.first.append((sourced.place, value))
                changing = changing or len(kinds) > 1
        for name in self.fields.keys() - self._usual.keys():
            self._usual[name] = _most(self.fields[name])
        return {number for number, (sourced, _) in enumerate(block) if self._is_odd(sourced)} if changing else set()

    def _is_odd(self, sourced: SourcedItem | None) -> bool:
        """Return whether an item has a value that is not of its field's type."""
        fields = () if sourced is None else sourced.item.fields.items()
        return any(value is not None and type(value) is not self._usual[name] for name, value in fields)

    def _tell_odd(self, name: str, kinds: dict[type, Uses], usual: type) -> None:
        """Tell of the values that are not of the usual type; their rows are counted already."""
        place, example = kinds[usual].first[0]
        for kind, uses in kinds.items():
            if kind is usual:
                continue
            for where, value in uses.first:
                in_line = f"line {place.line}" if where.path == place.path else str(place)
                what = f"{shown(value)} is {_KINDS[kind]}, {shown(example)} in {in_line} is {_KINDS[usual]}"
                told = f"{uses.count} of its values are, {kinds[usual].count} are not; a field has one type"
                self._faults.tell(where.fault(f"fields.{name}", f"{what} ({told})", f"one type, not {kind.__name__}"))
            self._faults.pass_over(uses.count - len(uses.first))


def _most(kinds: dict[type, Uses]) -> type:
    """Return the type that most values have; of equals the one that came first."""
    return max(kinds, key=lambda kind: kinds[kind].count)
