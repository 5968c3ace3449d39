"""What no row alone can show: an id that is there twice, a field whose type changes. And what a catalog holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from slotbeam.catalog.item import FieldValue, Item
from slotbeam.catalog.loaders.faults import EACH, CheckedItem, Faults
from slotbeam.catalog.loaders.place import SourcePlace, shown

_KINDS = {bool: "true or false", float: "a number", str: "text"}
_TYPES = {bool: "bool", float: "number", str: "keyword"}


@dataclass(slots=True)
class Uses:
    """How often a field has values of one type, and where first."""

    count: int = 0
    first: list[tuple[SourcePlace, FieldValue]] = field(default_factory=list)


class Census:
    """Counts items as they pass. Held: the ids, and a few values of each field."""

    def __init__(self, faults: Faults) -> None:
        self.lines: dict[str, int] = {}
        self.fields: dict[str, dict[type, Uses]] = {}
        self.categories: Counter[str] = Counter()
        self.described = 0
        self._faults = faults

    def __len__(self) -> int:
        return len(self.lines)

    def types(self) -> Iterator[tuple[str, str, int]]:
        """Yield every field in order: its name, its type (that most of its values have), how many items have it."""
        for name, kinds in sorted(self.fields.items()):
            most = max(kinds, key=lambda kind: kinds[kind].count)
            yield name, _TYPES[most], sum(uses.count for uses in kinds.values())

    def passing(self, source: Iterator[CheckedItem]) -> Iterator[Item]:
        """Yield every whole item of `source` whose id is new; at the end, note what is wrong with all together."""
        for place, item, whole in source:
            line = place.line if item.id is None else self.lines.setdefault(item.id, place.line)
            if line != place.line:
                what = f"{shown(item.id)} is that of line {line}, too; ids are unique in a catalog"
                self._faults.note(place.fault("id", what, "unique"))
                whole = False
            for name, value in (item.fields or {}).items():
                if value is None:
                    continue
                uses = self.fields.setdefault(name, {}).setdefault(type(value), Uses())
                uses.count += 1
                if len(uses.first) < EACH:
                    uses.first.append((place, value))
            if whole:
                self.categories.update(item.attributes.keys())
                self.described += bool(item.description)
                yield item
        for name, kinds in self.fields.items():
            if len(kinds) > 1:
                self._changed(name, kinds)

    def _changed(self, name: str, kinds: dict[type, Uses]) -> None:
        """Note the values that are not of the type that most of the field's values have."""
        most = max(kinds, key=lambda kind: kinds[kind].count)
        place, usual = kinds[most].first[0]
        for kind, uses in kinds.items():
            if kind is most:
                continue
            for where, value in uses.first:
                what = f"{shown(value)} is {_KINDS[kind]}, {shown(usual)} in line {place.line} is {_KINDS[most]}"
                told = f"{uses.count} of its values are, {kinds[most].count} are not; a field has one type"
                self._faults.note(where.fault(f"fields.{name}", f"{what} ({told})", f"one type, not {kind.__name__}"))
            self._faults.pass_over(uses.count - len(uses.first))
