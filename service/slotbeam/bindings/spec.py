"""What an operator says of a binding: the one list of these fields.

Everything that spells a binding derives from it: its record (`binding.py`), what an edit wants (`edits/wanted.py`),
backups (`recovery/backup.py`), and under `api/admin/` bodies and rows (`forms.py`), views (`views.py`), CSV columns and
exports (`rows.py`), and what the OpenAPI document says of answers (`models/binding.py`). A new field of a kind that is
here already is one line in `BindingSpec`: `name: kind = later(default)`, which leaves every record as it is.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import Any, Literal, NewType, TypeVar, get_type_hints

from slotbeam.search.snapshot import Placement

T = TypeVar("T")

LIVE: Literal["live"] = "live"
MatchRule = bool | Literal["live"]
"""Whether the words of a binding find items: never, once when it was edited, or for as long as it is bound."""
Json = NewType("Json", str)
"""A JSON value as a record holds it, which holds no floats: its canonical text (`json_text`), "" for none."""
NO_JSON = Json("")


class Kind(StrEnum):
    """What a field holds, which is how records, JSON and CSV write it.

    `text`     a text
    `texts`    a tuple of texts; a list in JSON, one cell with `|` between them in CSV
    `flag`     whether
    `rule`     a `MatchRule`
    `moment`   unix milliseconds, None for no such time; RFC 3339 in JSON and CSV
    `json`     a `Json`; that value in JSON, null for none, and one cell in CSV
    """

    TEXT = "text"
    TEXTS = "texts"
    FLAG = "flag"
    RULE = "rule"
    MOMENT = "moment"
    JSON = "json"


def later(default: T) -> T:
    """Return the declaration of a field that records have not always had.

    A record does not say it while it is `default`, and one that does not say it means that: so records, digests and
    backups from before the field stay what they were, byte for byte.
    """
    return field(default=default, metadata={"later": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingSpec:
    """The fields of a binding that an operator decides, in the order in which they are told.

    One without a category is a *rule*: it has no slot and no items, and its actions are all that it does. A binding on
    a slot may have actions, too (`actions.py` says which, and what each of these fields may be).

    `words` are canonical, times are unix ms. `match` says that its items were looked up by its words, or, where it is
    `live`, that every item whose text holds one of them is its item, too, whenever it comes; a `draft` holds no slot
    and no words; an `exact` one is found by its words as they are spelt, and by no other spelling.
    """

    words: tuple[str, ...]
    category: str
    placement: str = Placement.TOP.value
    near_miss: bool = False
    match: MatchRule = False
    draft: bool = False
    starts_at: int | None = None
    ends_at: int | None = None
    owner: str = ""
    reason: str = ""
    exact: bool = later(False)
    trigger: str = later("contains")
    unless: tuple[str, ...] = later(())
    when: Json = later(NO_JSON)
    positions: tuple[str, ...] = later(())
    hide: tuple[str, ...] = later(())
    boost: Json = later(NO_JSON)
    bury: Json = later(NO_JSON)
    filter: Json = later(NO_JSON)
    replace: str = later("")
    metadata: Json = later(NO_JSON)
    alias: str = later("")
    two_way: bool = later(False)

    @property
    def is_live(self) -> bool:
        """Whether its words find items for as long as it is bound; else only those that are listed are its own."""
        return self.match == LIVE

    @property
    def is_rule(self) -> bool:
        """Whether it needs no slot: it has no category."""
        return not self.category

    @property
    def holds_words(self) -> bool:
        """Whether no other binding may have its words: a rule shares them, a draft has none yet."""
        return not (self.draft or self.is_rule)

    def values(self) -> dict[str, Any]:
        """Return the fields of this class by name, whatever a subclass adds."""
        return {name: getattr(self, name) for name in FIELDS}


_KINDS: dict[Any, Kind] = {
    str: Kind.TEXT,
    tuple[str, ...]: Kind.TEXTS,
    bool: Kind.FLAG,
    MatchRule: Kind.RULE,
    int | None: Kind.MOMENT,
    Json: Kind.JSON,
}
_HINTS = get_type_hints(BindingSpec)

FIELDS: dict[str, Kind] = {field.name: _KINDS[_HINTS[field.name]] for field in fields(BindingSpec)}
"""Name → kind, in order."""
DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(BindingSpec) if field.default is not MISSING}
"""Name → what it is where nobody says it; `words` and `category` are always said."""
LATER: dict[str, Any] = {field.name: field.default for field in fields(BindingSpec) if "later" in field.metadata}
"""Name → default, of the fields that a record says only where they are not that."""
MOMENTS = tuple(name for name, kind in FIELDS.items() if kind is Kind.MOMENT)
TIMES = (*MOMENTS, "created_at")
"""The fields of a record that are times; the last is no operator's to say."""
OBJECTS = tuple(name for name, kind in FIELDS.items() if kind is Kind.JSON)
"""The fields that are JSON."""
TOLD = tuple(name for name in FIELDS if name != "draft")
"""The fields that exports show; a draft shows by its state."""
RULES_ONLY = ("filter", "replace", "alias", "two_way")
SLOTS_ONLY = ("category", "placement", "near_miss", "match", "exact")
"""The fields that no binding on a slot has, and those that no rule has."""
SLOT_TOLD = tuple(name for name in TOLD if name not in RULES_ONLY)
RULE_TOLD = tuple(name for name in TOLD if name not in SLOTS_ONLY)
"""The fields that views of slots, and of rules, show."""


def in_order(*first: str, then: tuple[str, ...] = TOLD, last: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names as an answer or a file has them, each once: `first`, the rest of `then`, the rest of `last`."""
    return tuple(dict.fromkeys((*first, *then, *last)))


def json_text(value: object) -> Json:
    """Return the canonical text of a JSON value: keys sorted, no whitespace; "" for what says nothing."""
    if value in (None, {}, [], ""):
        return NO_JSON
    return Json(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False))


def json_of(text: Json) -> Any:
    """Return the JSON value of a `Json`; None for none. Raises `ValueError`: it is no JSON."""
    return json.loads(text) if text else None
