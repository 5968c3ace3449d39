"""Rows of any shape through a mapping file, and what is worth saying when they have passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from slotbeam.catalog.loaders.mapping import MappingFile, look_up
from slotbeam.catalog.loaders.source import CheckedItem, RowOrFault, SourcedItem
from slotbeam.errors import InputError


class MappedRows:
    """Counts what a mapping leaves out, and which of its sources no row has.

    Args:
        own: the mapping is the user's; those that are shipped name more than any one shop has.
    """

    def __init__(self, mapping: MappingFile, own: bool) -> None:
        self._mapping = mapping
        self._own = own
        self._unseen = {rule.source for rule in mapping.attributes} | {rule.source for rule in mapping.fields.values()}
        self._unseen |= {*mapping.description, *([mapping.popularity] if mapping.popularity else [])}
        self._left_out = 0

    def items(self, rows: Iterable[RowOrFault]) -> Iterator[CheckedItem]:
        """Yield the items of rows; those without what the mapping `needs` are none of an item."""
        mapping = self._mapping
        for row in rows:
            if isinstance(row, InputError):
                yield None, (row,)
                continue
            if mapping.needs is not None and look_up(row.values, mapping.needs) is None:
                self._left_out += 1
                continue
            if self._unseen:
                self._unseen = {source for source in self._unseen if look_up(row.values, source) is None}
            item, wrong = mapping.item(row.place, row.values)
            yield SourcedItem(item, row.source, row.place), wrong

    def warnings(self, where: str) -> Iterator[str]:
        """Yield what all rows together say; `where` names their file or files."""
        mapping = self._mapping
        if self._left_out:
            yield f"{where}: {self._left_out} rows without {mapping.needs} are left out, as {mapping.name} says"
        if self._unseen and self._own:
            yield f"{mapping.name}: no row of {where} has {', '.join(sorted(self._unseen))}"
