"""Mapping files: which source field feeds which part of an `Item`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slotbeam.catalog.fields import FieldKind
from slotbeam.catalog.item import FieldValue, Item
from slotbeam.catalog.loaders.faults import RowParts
from slotbeam.catalog.loaders.numbers import decimal_of, number_of
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.catalog.loaders.plain import plain
from slotbeam.catalog.loaders.values import CATEGORIES, amount, identifier, text, truth, typed
from slotbeam.errors import InputError

TYPES = tuple(FieldKind)
SHIPPED = Path(__file__).parent.parent / "mappings"
_RULE_KEYS = {"field", "category", "split", "format", "when"}
_FIELD_KEYS = {"field", "type", "locale", "first"}
_KEYS = {"about", "id", "title", "description", "popularity", "attributes", "fields", "drop", "locale", "needs"}


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """`source` (a dotted path) gives values of `category`; `split` cuts text, `format` words a number."""

    source: str
    category: str
    split: str | None = None
    format: str | None = None
    when: str | None = None
    """The value given when a bool source is true; None: the text of the source itself."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """`source` gives a field of this kind; `decimal` is the sign in its numbers, None where they are as in JSON."""

    source: str
    kind: FieldKind
    decimal: str | None
    first: bool
    """Of several values the first is taken; otherwise they are a fault."""


@dataclass(frozen=True, slots=True)
class MappingFile:
    """How a row becomes an `Item`; see docs/catalog.md for the file format."""

    name: str
    id: str
    title: str
    description: tuple[str, ...]
    popularity: str | None
    attributes: tuple[AttributeRule, ...]
    fields: Mapping[str, FieldRule]
    drop: frozenset[str]
    decimal: str | None = None
    needs: str | None = None
    """Rows that have nothing there are none of an item, such as a shop's further variants and pictures."""

    @classmethod
    def load(cls, path: Path, locale: str | None = None) -> MappingFile:
        """Read and check a mapping file; `locale` goes before its own. Raises `InputError`."""
        try:
            raw = json.loads(path.read_text("utf-8-sig"))
        except OSError as error:
            raise InputError(f"mapping {path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise InputError(f"mapping {path.name} is not JSON: {error}") from error
        return cls.parse({**raw, "locale": locale} if locale and isinstance(raw, Mapping) else raw, path.name)

    @classmethod
    def parse(cls, raw: Any, name: str) -> MappingFile:
        if not isinstance(raw, Mapping):
            raise InputError(f'mapping {name} is no JSON object; begin with {{"id": …, "title": …}}')
        _known(raw, _KEYS, f"mapping {name}:")
        description = raw.get("description", ())
        rules, fields = raw.get("attributes", []), raw.get("fields", {})
        if not isinstance(rules, list) or not isinstance(fields, Mapping):
            raise InputError(f"mapping {name}: attributes is a list of rules, fields an object: name -> rule")
        sources = (description,) if isinstance(description, str) else tuple(description)
        named = [raw.get(key) for key in ("id", "title", "popularity", "needs", "locale")]
        if not all(one is None or isinstance(one, str) for one in (*named, *sources, *raw.get("drop", ()))):
            raise InputError(f"mapping {name}: id, title, description, popularity, needs, locale and drop name texts")
        locale = raw.get("locale")
        decimal = None if locale is None else _decimal(locale, f"mapping {name}")
        return cls(
            name=name,
            id=raw.get("id", "id"),
            title=raw.get("title", "title"),
            description=sources,
            popularity=raw.get("popularity"),
            attributes=tuple(_rule(rule, name) for rule in rules),
            fields={
                field: _field_rule(rule, f"mapping {name}: field {field!r}", decimal) for field, rule in fields.items()
            },
            drop=frozenset(value.casefold() for value in raw.get("drop", ())),
            decimal=decimal,
            needs=raw.get("needs"),
        )

    def item(self, place: SourcePlace, row: Mapping[str, Any]) -> tuple[Item, Sequence[InputError]]:
        """Return the item of one row, None for what cannot be read, and all that is missing or has a wrong type."""
        parts = RowParts()
        attributes: dict[str, dict[str, None]] = {}
        for rule in self.attributes:
            value = look_up(row, rule.source)
            if value is not None:
                attributes.setdefault(rule.category, {}).update(
                    dict.fromkeys(parts.take(self._words, place, rule, value) or ())
                )
        fields: dict[str, FieldValue] = {}
        for field, one in self.fields.items():
            value = look_up(row, one.source)
            if one.first and isinstance(value, list):
                value = value[0] if value else None
            if value is not None and not (isinstance(value, str) and self._dropped(value)):
                fields[field] = parts.take(typed, place, one.source, value, one.kind, one.decimal)
        texts = (look_up(row, source) for source in self.description)
        written = (plain(one).strip() for one in texts if isinstance(one, str))
        item = Item(
            id=parts.take(identifier, place, self.id, look_up(row, self.id)),
            title=parts.take(text, place, self.title, look_up(row, self.title), required=True),
            description=" ".join(one for one in written if one),
            attributes={category: tuple(words) for category, words in attributes.items() if words},
            fields=fields,
            popularity=parts.take(amount, place, self.popularity, look_up(row, self.popularity), self.decimal or ".")
            if self.popularity
            else 0.0,
        )
        return item, parts.faults

    def _dropped(self, value: str) -> bool:
        return value.strip().casefold() in self.drop or not value.strip()

    def _words(self, place: SourcePlace, rule: AttributeRule, value: Any) -> list[str]:
        if isinstance(value, str) and rule.when is not None:
            if truth(value) is None and not self._dropped(value):
                raise place.error(rule.source, value, "true or false")
            value = bool(truth(value))
        if isinstance(value, bool):
            return [rule.when] if value and rule.when else []
        if isinstance(value, int | float):
            return [rule.format.format(value=value) if rule.format else f"{value:g}"]
        texts = value if isinstance(value, list | tuple) else [value]
        return [
            self._worded(place, rule, part.strip())
            for one in texts
            if isinstance(one, str) and not self._dropped(one)
            for part in _cut(plain(one), rule.split)
            if not self._dropped(part)
        ]

    def _worded(self, place: SourcePlace, rule: AttributeRule, word: str) -> str:
        """Return a text in its rule's `format`, which may want a number."""
        try:
            return rule.format.format(value=word) if rule.format else word
        except ValueError:
            number = number_of(word, self.decimal)
        if number is None or rule.format is None:
            raise place.error(rule.source, word, f"a number, as format {rule.format!r} wants")
        return rule.format.format(value=number)


def _cut(one: str, split: str | None) -> Iterable[str]:
    return re.split(split, one) if split else (one,)


def _known(raw: Mapping[str, Any], keys: set[str], where: str) -> None:
    unknown = set(raw) - keys
    if unknown:
        raise InputError(f"{where} unknown key {min(unknown)!r}; allowed: {', '.join(sorted(keys))}")


def _decimal(locale: Any, where: str) -> str:
    try:
        return decimal_of(str(locale))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _field_rule(rule: Any, where: str, decimal: str | None) -> FieldRule:
    got = rule.get("type") if isinstance(rule, Mapping) else None
    if got not in TYPES:
        raise InputError(f"{where} has type {got!r}; allowed: {', '.join(TYPES)}")
    if not isinstance(rule.get("field"), str):
        raise InputError(f'{where} names no source; give "field"')
    _known(rule, _FIELD_KEYS, f"{where} has")
    if not isinstance(rule.get("first", False), bool):
        raise InputError(f"{where} has first {rule['first']!r}; allowed: true, false")
    own = _decimal(rule["locale"], where) if "locale" in rule else decimal
    return FieldRule(rule["field"], FieldKind(got), own, rule.get("first", False))


def _rule(rule: Any, name: str) -> AttributeRule:
    if not isinstance(rule, Mapping) or not isinstance(rule.get("field"), str):
        raise InputError(f'mapping {name}: an attribute without a field; give "field" and "category"')
    where, category = f"mapping {name}: attribute {rule['field']!r}", rule.get("category")
    _known(rule, _RULE_KEYS, f"{where} has")
    if category not in CATEGORIES:
        raise InputError(f"{where} has category {category!r}; allowed: {', '.join(sorted(CATEGORIES))}")
    split, form = rule.get("split"), rule.get("format")
    if split is not None:
        try:
            re.compile(split)
        except (re.error, TypeError) as error:
            raise InputError(f"{where}: split {split!r} is no regular expression: {error}") from None
    if form is not None:
        try:
            form.format(value=1.5)
        except (AttributeError, LookupError, ValueError) as error:
            raise InputError(f'{where}: format {form!r} is none: {error}; for example "{{value:g}} inch"') from None
    return AttributeRule(rule["field"], category, split, form, rule.get("when"))


def look_up(row: Mapping[str, Any], source: str) -> Any:
    """Return the value of a key, or else at a dotted path; None where there is none."""
    if source in row:
        return row[source]
    value: Any = row
    for key in source.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value
