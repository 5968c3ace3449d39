"""The documented JSON-lines schema (docs/catalog.md): items, item edits, interactions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from slotbeam.catalog.item import KINDS, Field, Interaction, Item
from slotbeam.catalog.loaders.mapping import CATEGORIES, amount, identifier, text
from slotbeam.catalog.loaders.records import Place, rows
from slotbeam.errors import InputError

ITEM_KEYS = ("id", "title", "description", "attributes", "fields", "popularity")
LOG_KEYS = ("query", "item_id", "kind", "day", "user", "recent_queries", "recent_item_ids", "position")


def items(path: Path) -> Iterator[Item]:
    """Yield the items of a file in the documented schema; an unknown key is refused by name."""
    for place, row in rows(path):
        yield item(place, row)


def item(place: Place, row: Mapping[str, Any]) -> Item:
    """Check one row and build its item."""
    _known(place, row, ITEM_KEYS)
    return Item(
        id=identifier(place, "id", row.get("id")),
        title=text(place, "title", row.get("title"), required=True),
        description=text(place, "description", row.get("description")),
        attributes=_attributes(place, row.get("attributes")),
        fields=_fields(place, row.get("fields")),
        popularity=amount(place, "popularity", row.get("popularity")),
    )


def edited(source: Iterator[Item], path: Path) -> Iterator[Item]:
    """`source` with the edits of `path` (`id` and any of title, description) applied; held in memory by id."""
    edits: dict[str, dict[str, str]] = {}
    for place, row in rows(path):
        _known(place, row, ("id", "title", "description"))
        edits[identifier(place, "id", row.get("id"))] = {
            key: text(place, key, row[key], required=key == "title") for key in ITEM_KEYS[1:3] if key in row
        }
    for one in source:
        change = edits.pop(one.id, None)
        if change:
            title, description = change.get("title", one.title), change.get("description", one.description)
            one = replace(one, title=title, description=description)
        yield one
    if edits:
        raise InputError(f"{path.name}: item {min(edits)!r} is not in the catalog; an edit names an item that is")


def interactions(path: Path) -> Iterator[Interaction]:
    """Yield the interactions of a file in the documented schema."""
    for place, row in rows(path):
        _known(place, row, LOG_KEYS)
        kind = row.get("kind", "click")
        if kind not in KINDS:
            raise place.error("kind", kind, " or ".join(KINDS))
        yield Interaction(
            query=text(place, "query", row.get("query"), required=True),
            item_id=identifier(place, "item_id", row.get("item_id")),
            kind=kind,
            day=_whole(place, "day", row.get("day", 1), 1),
            user=identifier(place, "user", row["user"]) if row.get("user") is not None else "",
            recent_queries=_texts(place, "recent_queries", row.get("recent_queries")),
            recent_item_ids=_texts(place, "recent_item_ids", row.get("recent_item_ids")),
            position=_whole(place, "position", row.get("position", 0), 0),
        )


def _known(place: Place, row: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    if not row.keys() <= set(keys):
        name = min(row.keys() - set(keys))
        raise place.error(name, row[name], f"only the keys {', '.join(keys)} (a mapping file reads any others)")


def _attributes(place: Place, value: Any) -> dict[str, tuple[str, ...]]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise place.error("attributes", value, "an object: category -> word or list of words")
    found: dict[str, tuple[str, ...]] = {}
    for category, words in value.items():
        if category not in CATEGORIES:
            raise place.error(f"attributes.{category}", words, f"the categories {', '.join(sorted(CATEGORIES))}")
        listed = [words] if isinstance(words, str) else words
        if not isinstance(listed, list) or not all(isinstance(word, str) and word.strip() for word in listed):
            raise place.error(f"attributes.{category}", words, "a word or a list of words, none blank")
        if listed:
            found[category] = tuple(listed)
    return found


def _fields(place: Place, value: Any) -> dict[str, Field]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise place.error("fields", value, "an object: name -> text, number or true/false")
    fields: dict[str, Field] = {}
    for name, one in value.items():
        if not isinstance(one, (str, int, float)):
            raise place.error(f"fields.{name}", one, "text, a number or true/false")
        fields[name] = one if isinstance(one, (str, bool)) else float(one)
    return fields


def _texts(place: Place, field: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise place.error(field, value, "a list of texts, newest last")
    return tuple(value)


def _whole(place: Place, field: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise place.error(field, value, f"a whole number >= {least}")
    return value
