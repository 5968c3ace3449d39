"""Mapping files: which source field feeds which part of an `Item`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slotbeam.catalog.item import Field, Item
from slotbeam.catalog.loaders.records import Place
from slotbeam.errors import InputError

CATEGORIES = frozenset(
    (
        *("entity", "modifier", "brand", "material", "style", "function", "location", "audience", "color", "scene"),
        *("specifications", "price", "model", "anchor", "series", "marketing", "season", "pattern"),
    )
)
TYPES = ("keyword", "number", "bool")
_RULE_KEYS = {"field", "category", "split", "format", "when"}
_KEYS = {"about", "id", "title", "description", "popularity", "attributes", "fields", "drop"}


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
class MappingFile:
    """How a row becomes an `Item`; see docs/catalog.md for the file format."""

    id: str
    title: str
    description: tuple[str, ...]
    popularity: str | None
    attributes: tuple[AttributeRule, ...]
    fields: Mapping[str, tuple[str, str]]
    drop: frozenset[str]

    @classmethod
    def load(cls, path: Path) -> MappingFile:
        """Read and check a mapping file. Raises `InputError` naming the key and what is allowed."""
        try:
            raw = json.loads(path.read_text("utf-8"))
        except OSError as error:
            raise InputError(f"mapping {path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise InputError(f"mapping {path.name} is not JSON: {error}") from error
        return cls.parse(raw, path.name)

    @classmethod
    def parse(cls, raw: Mapping[str, Any], name: str) -> MappingFile:
        unknown = set(raw) - _KEYS
        if unknown:
            raise InputError(f"mapping {name}: unknown key {min(unknown)!r}; allowed: {', '.join(sorted(_KEYS))}")
        rules = [_rule(rule, name) for rule in raw.get("attributes", ())]
        fields = {}
        for field, rule in raw.get("fields", {}).items():
            got = rule.get("type")
            if got not in TYPES:
                raise InputError(f"mapping {name}: field {field!r} has type {got!r}; allowed: {', '.join(TYPES)}")
            if not isinstance(rule.get("field"), str):
                raise InputError(f'mapping {name}: field {field!r} names no source; give "field"')
            fields[field] = (rule["field"], got)
        description = raw.get("description", ())
        return cls(
            id=raw.get("id", "id"),
            title=raw.get("title", "title"),
            description=(description,) if isinstance(description, str) else tuple(description),
            popularity=raw.get("popularity"),
            attributes=tuple(rules),
            fields=fields,
            drop=frozenset(value.casefold() for value in raw.get("drop", ())),
        )

    def item(self, place: Place, row: Mapping[str, Any]) -> Item:
        """Build the item of one row. Raises `InputError` when id or title is missing or a value has a wrong type."""
        found: dict[str, list[str]] = {}
        for rule in self.attributes:
            value = look_up(row, rule.source)
            if value is None:
                continue
            for word in self._words(rule, value):
                if word not in found.setdefault(rule.category, []):
                    found[rule.category].append(word)
        fields: dict[str, Field] = {}
        for field, (source, kind) in self.fields.items():
            value = look_up(row, source)
            if value is not None and not (isinstance(value, str) and self._dropped(value)):
                fields[field] = typed(place, source, value, kind)
        parts = (look_up(row, source) for source in self.description)
        return Item(
            id=identifier(place, self.id, look_up(row, self.id)),
            title=text(place, self.title, look_up(row, self.title), required=True),
            description=" ".join(part.strip() for part in parts if isinstance(part, str) and part.strip()),
            attributes={category: tuple(words) for category, words in found.items() if words},
            fields=fields,
            popularity=amount(place, self.popularity, look_up(row, self.popularity)) if self.popularity else 0.0,
        )

    def _dropped(self, value: str) -> bool:
        return value.strip().casefold() in self.drop or not value.strip()

    def _words(self, rule: AttributeRule, value: Any) -> Iterable[str]:
        if isinstance(value, bool):
            if value and rule.when:
                yield rule.when
            return
        if isinstance(value, (int, float)):
            yield rule.format.format(value=value) if rule.format else f"{value:g}"
            return
        texts = value if isinstance(value, (list, tuple)) else [value]
        for one in texts:
            if not isinstance(one, str) or self._dropped(one):
                continue
            for part in re.split(rule.split, one) if rule.split else (one,):
                if not self._dropped(part):
                    yield rule.format.format(value=part.strip()) if rule.format else part.strip()


def _rule(rule: Mapping[str, Any], name: str) -> AttributeRule:
    where, category = f"mapping {name}: attribute {rule.get('field')!r}", rule.get("category")
    if not isinstance(rule.get("field"), str):
        raise InputError(f'mapping {name}: an attribute without a field; give "field" and "category"')
    unknown = set(rule) - _RULE_KEYS
    if unknown:
        raise InputError(f"{where} has unknown key {min(unknown)!r}; allowed: {', '.join(sorted(_RULE_KEYS))}")
    if category not in CATEGORIES:
        raise InputError(f"{where} has category {category!r}; allowed: {', '.join(sorted(CATEGORIES))}")
    split = rule.get("split")
    if split is not None:
        try:
            re.compile(split)
        except (re.error, TypeError) as error:
            raise InputError(f"{where}: split {split!r} is no regular expression: {error}") from None
    return AttributeRule(rule["field"], category, split, rule.get("format"), rule.get("when"))


def look_up(row: Mapping[str, Any], source: str) -> Any:
    """The value at a dotted path, or None."""
    value: Any = row
    for key in source.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def identifier(place: Place, field: str, value: Any) -> str:
    """An id: text or an integer (kept as its decimal text)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > 256:
        raise place.error(field, value, "text of 1 to 256 characters, or an integer")
    return value


def text(place: Place, field: str, value: Any, required: bool = False) -> str:
    """A text; `required` refuses a missing or blank one."""
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()):
        raise place.error(field, value, "text that is not blank" if required else "text")
    return value


def amount(place: Place, field: str, value: Any) -> float:
    """A number >= 0; None is 0."""
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise place.error(field, value, "a number >= 0")
    return float(value)


def typed(place: Place, field: str, value: Any, kind: str) -> Field:
    """A filter value of the kind that the mapping file states."""
    if kind == "number" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "keyword" and isinstance(value, (str, int)) and not isinstance(value, bool):
        return str(value).strip()
    raise place.error(field, value, f"a {kind}")
