"""`items_late.jsonl`: what became of the texts of a catalog after training data was taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders.faults import Faults, RowParts, good_rows
from slotbeam.catalog.loaders.ids import IdSet
from slotbeam.catalog.loaders.jsonl import known
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.catalog.loaders.rows import rows
from slotbeam.catalog.loaders.values import identifier, text

LATE = "items_late.jsonl"


@dataclass(frozen=True, slots=True)
class TextEdit:
    """What is new of an item (title, description), and where that stands."""

    place: SourcePlace
    change: dict[str, Any]


class Edits:
    """The edits beside the files of a catalog, by the id of their item; none where there is no such file."""

    def __init__(self, files: Iterable[Path], faults: Faults) -> None:
        self._by_id: dict[str, TextEdit] = {}
        for folder in dict.fromkeys(file.parent for file in files):
            if (folder / LATE).is_file():
                self._read(folder / LATE, faults)

    def __bool__(self) -> bool:
        return bool(self._by_id)

    def apply(self, item: Item) -> Item:
        """Return the item with its edit; one without is the same object."""
        edit = self._by_id.get(item.id)
        return item if edit is None else replace(item, **edit.change)

    def tell_strangers(self, ids: IdSet, faults: Faults) -> None:
        """Note every edit of an item that is none of the catalog's `ids`."""
        for (item_id, edit), is_known in zip(self._by_id.items(), ids.contain(list(self._by_id)), strict=True):
            if not is_known:
                what = f"item {item_id!r} is not in the catalog; an edit names an item that is"
                faults.note(edit.place.fault("id", what, "known"))

    def _read(self, path: Path, faults: Faults) -> None:
        """Take the rows of a file: `id`, and any of title and description."""
        for place, row, _ in good_rows(rows(path), faults):
            parts = RowParts()
            known(parts, place, row, ("id", "title", "description"))
            item_id = parts.take(identifier, place, "id", row.get("id"))
            given = [name for name in ("title", "description") if row.get(name) is not None]
            change = {name: parts.take(text, place, name, row[name], required=name == "title") for name in given}
            faults.note(*parts.faults)
            if not parts.faults:
                self._by_id[item_id] = TextEdit(place, change)
