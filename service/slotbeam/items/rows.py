"""An item as it is sent: checked exactly as a row of a catalog is, patched, compared part by part. Pure code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from slotbeam.catalog.fields import FieldKind
from slotbeam.catalog.inmemory import item_source
from slotbeam.catalog.item import FieldValue, Item
from slotbeam.catalog.loaders.formats import ITEM_SIGNS
from slotbeam.catalog.loaders.jsonl import item as read_documented
from slotbeam.catalog.loaders.mapping import SHIPPED, MappingFile
from slotbeam.catalog.loaders.place import SourcePlace, shown
from slotbeam.catalog.loaders.values import identifier
from slotbeam.errors import InputError
from slotbeam.search.artifact import Artifact

_KINDS = {bool: FieldKind.BOOL, float: FieldKind.NUMBER, str: FieldKind.KEYWORD}
_SAID = {FieldKind.BOOL: "true or false", FieldKind.NUMBER: "a number", FieldKind.KEYWORD: "text"}
ENCODED = ("title", "description", "attributes")
"""Parts of an item that its encoding is made of; a change of any other needs none anew."""


@dataclass(frozen=True, slots=True)
class _Sent(SourcePlace):
    """An item that stands in no file."""

    def __str__(self) -> str:
        return "item"


_PLACE = _Sent(Path("item"), 1)


def check_id(item_id: object) -> str:
    """Return an item's id as a catalog would take it. Raises `InputError`."""
    try:
        return identifier(_PLACE, "id", item_id)
    except InputError as error:
        raise _refusal([error]) from None


def read_row(row: Mapping[str, Any], kinds: Mapping[str, FieldKind]) -> Item:
    """Return the item of a row in the documented schema; one reader for this and for files.

    Args:
        row: with its `id`.
        kinds: field → the type of its values in the catalog.

    Raises:
        InputError: everything that is wrong with it; `errors` names each place.
    """
    read, faults = read_documented(_PLACE, row)
    wrong = [*faults, *(() if faults else _odd(read.fields, kinds))]
    if wrong:
        raise _refusal(wrong)
    return read


def base_row(artifact: Artifact, item_id: str) -> tuple[dict[str, Any], Item] | None:
    """Return the row that an item of the index was made of, and the item; None for one that it does not hold.

    Raises:
        InputError: it is in another schema than the documented one, by a mapping that was not shipped.
    """
    number = artifact.catalog.row_of(item_id)
    if number is None:
        return None
    found = documented(orjson.loads(artifact.catalog.source(number)))
    if found is None or found[1].id != item_id:
        raise InputError(
            f"item {shown(item_id)} was read from a row of another shape, by a mapping; a patch of it has nothing to "
            "begin from: put the whole item"
        )
    row, item = found
    return {**row, "id": item_id}, item


def is_documented(row: Mapping[str, Any]) -> bool:
    """Return whether a row is an item in the documented schema."""
    return not read_documented(_PLACE, row)[1]


def documented(row: dict[str, Any]) -> tuple[dict[str, Any], Item] | None:
    """Return a row in the documented schema, and its item: as it is, or of what a shipped mapping reads; else None."""
    read, faults = read_documented(_PLACE, row)
    if not faults:
        return row, read
    shape = next((shape for sign, shape in ITEM_SIGNS.items() if sign in row), None)
    if shape is None:
        return None
    read, wrong = _mapping(shape).item(_PLACE, row)
    return None if wrong else (orjson.loads(item_source(read)), read)


@cache
def _mapping(shape: str) -> MappingFile:
    return MappingFile.load(SHIPPED / f"{shape}.json")


def merged(row: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with a JSON merge patch applied (RFC 7396): null takes a member away, objects merge."""
    result = dict(row)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            held = result.get(name)
            result[name] = merged(held if isinstance(held, dict) else {}, value)
        else:
            result[name] = value
    return result


def changed_parts(before: Item | None, after: Item) -> tuple[str, ...]:
    """Name the parts in which an item differs from what it was: `title`, `attributes.color`, `fields.price` …"""
    was = before or Item(id=after.id, title="")
    plain = [name for name in ("title", "description", "popularity") if getattr(was, name) != getattr(after, name)]
    nested: list[str] = []
    for name in ("attributes", "fields"):
        old, new = getattr(was, name), getattr(after, name)
        nested += [f"{name}.{key}" for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    return (*plain, *nested)


def needs_encoding(changed: Sequence[str]) -> bool:
    """Return whether a change of these parts means that the item is encoded anew."""
    return any(part.partition(".")[0] in ENCODED for part in changed)


def _odd(fields: Mapping[str, FieldValue], kinds: Mapping[str, FieldKind]) -> list[InputError]:
    """Return a fault for every value that is not of its field's type."""
    wrong = []
    for name, value in fields.items():
        usual = kinds.get(name)
        if usual is not None and _KINDS[type(value)] is not usual:
            what = f"{shown(value)} is {_SAID[_KINDS[type(value)]]}, {name} is {_SAID[usual]} in the catalog"
            wrong.append(_PLACE.fault(f"fields.{name}", f"{what}; a field has one type"))
    return wrong


def _refusal(faults: Sequence[InputError]) -> InputError:
    """Make one error of a loader's faults, without the place in a file that there is not."""
    wrong = []
    for fault in faults:
        field = str(fault.details["field"])
        wrong.append({"field": field, "message": str(fault).removeprefix(f"{_PLACE}: {field}: ")})
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in wrong[:3])
    more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return InputError(detail + more, errors=wrong[:20])
