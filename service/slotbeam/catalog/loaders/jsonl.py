"""The documented JSON-lines schema (docs/catalog.md): items and interactions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any

from slotbeam.catalog.item import KINDS, FieldValue, Interaction, Item
from slotbeam.catalog.loaders.faults import Faults, RowParts, good_rows
from slotbeam.catalog.loaders.files import TABLES
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.catalog.loaders.plain import plain
from slotbeam.catalog.loaders.rows import rows
from slotbeam.catalog.loaders.source import CheckedItem, RowOrFault, SourcedItem, SourceRow, source_of
from slotbeam.catalog.loaders.tables import documented
from slotbeam.catalog.loaders.values import CATEGORIES, amount, identifier, text
from slotbeam.errors import InputError

ITEM_KEYS = ("id", "title", "description", "attributes", "fields", "popularity")
LOG_KEYS = ("query", "item_id", "kind", "day", "user", "recent_queries", "recent_item_ids", "position")


def documented_items(rows: Iterable[RowOrFault], path: Path) -> Iterator[CheckedItem]:
    """Yield the items of a file's rows in the documented schema; an unknown key is a fault."""
    for row in documented_rows(rows, path):
        if isinstance(row, InputError):
            yield None, (row,)
        else:
            read, wrong = item(row.place, row.values)
            yield SourcedItem(read, row.source, row.place), wrong


def item(place: SourcePlace, row: Mapping[str, Any]) -> tuple[Item, Sequence[InputError]]:
    """Return the item of one row, with None for what cannot be read, and all that is wrong with it."""
    parts = RowParts()
    known(parts, place, row, ITEM_KEYS)
    read = Item(
        id=parts.take(identifier, place, "id", row.get("id")),
        title=parts.take(text, place, "title", row.get("title"), required=True),
        description=parts.take(text, place, "description", row.get("description")),
        attributes=_attributes(parts, place, row.get("attributes")),
        fields=_fields(parts, place, row.get("fields")),
        popularity=parts.take(amount, place, "popularity", row.get("popularity")),
    )
    return read, parts.faults


def interactions(path: Path, faults: Faults) -> Iterator[Interaction]:
    """Yield the interactions of a file in the documented schema."""
    for place, row, _ in good_rows(documented_rows(rows(path), path), faults):
        parts = RowParts()
        known(parts, place, row, LOG_KEYS)
        interaction = Interaction(
            query=parts.take(text, place, "query", row.get("query"), required=True),
            item_id=parts.take(identifier, place, "item_id", row.get("item_id")),
            kind=parts.take(_kind, place, row.get("kind")),
            day=parts.take(_whole, place, "day", row.get("day"), 1),
            user="" if row.get("user") is None else parts.take(identifier, place, "user", row["user"]),
            recent_queries=parts.take(_texts, place, "recent_queries", row.get("recent_queries")),
            recent_item_ids=parts.take(_texts, place, "recent_item_ids", row.get("recent_item_ids")),
            position=parts.take(_whole, place, "position", row.get("position"), 0),
        )
        faults.note(*parts.faults)
        if not parts.faults:
            yield interaction


def documented_rows(rows: Iterable[RowOrFault], path: Path) -> Iterator[RowOrFault]:
    """Yield the rows of a file as they are; those of a table nested as in JSON lines."""
    if not path.name.endswith(TABLES):
        yield from rows
        return
    for row in rows:
        if isinstance(row, SourceRow):
            nested = documented(row.values)
            yield SourceRow(row.place, nested, source_of(nested))
        else:
            yield row


def known(parts: RowParts, place: SourcePlace, row: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    """Note every key of a row that is none of `keys`."""
    if row.keys() <= set(keys):
        return
    for name in sorted(row.keys() - set(keys)):
        near = get_close_matches(name, keys, 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        what = f"unknown key{meant}; allowed: {', '.join(keys)}; a mapping file reads any others"
        parts.faults.append(place.fault(name, what))


def _attributes(parts: RowParts, place: SourcePlace, value: Any) -> dict[str, tuple[str, ...]]:
    named = parts.take(_object, place, "attributes", value, "category -> word or list of words") or {}
    found = {category: parts.take(_words, place, category, words) for category, words in named.items()}
    return {category: words for category, words in found.items() if words}


def _fields(parts: RowParts, place: SourcePlace, value: Any) -> dict[str, FieldValue]:
    named = parts.take(_object, place, "fields", value, "name -> text, number or true/false") or {}
    return {name: parts.take(_field, place, name, one) for name, one in named.items() if one is not None}


def _object(place: SourcePlace, field: str, value: Any, holds: str) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise place.error(field, value, f"an object: {holds}")
    return value or {}


def _words(place: SourcePlace, category: str, given: Any) -> tuple[str, ...]:
    field = "attributes." + category
    if category not in CATEGORIES:
        raise place.fault(field, f"unknown category; allowed: {', '.join(sorted(CATEGORIES))}")
    listed = [given] if given is None or isinstance(given, str) else given
    if not isinstance(listed, list):
        raise place.error(field, given, "a word or a list of words, none blank")
    words = tuple([plain(word) if isinstance(word, str) else "" for word in listed if word is not None])
    if not all(map(str.strip, words)):
        raise place.error(field, given, "a word or a list of words, none blank")
    return words


def _field(place: SourcePlace, name: str, value: Any) -> FieldValue:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, bool):
        return value
    if not isinstance(value, int | float) or not isfinite(value):
        raise place.error(f"fields.{name}", value, "text, a number or true/false")
    return float(value)


def _kind(place: SourcePlace, value: Any) -> str:
    if value is not None and value not in KINDS:
        raise place.error("kind", value, " or ".join(KINDS))
    return value or KINDS[0]


def _texts(place: SourcePlace, field: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise place.error(field, value, "a list of texts, newest last")
    return tuple(value)


def _whole(place: SourcePlace, field: str, value: Any, least: int) -> int:
    """Return a whole number; `least` where there is none."""
    if value is None:
        return least
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise place.error(field, value, f"a whole number >= {least}")
    return value
