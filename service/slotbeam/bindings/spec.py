"""What an operator says of a binding: the one list of these fields.

Everything that spells a binding derives from it: its record (`binding.py`), what an edit wants (`edits/wanted.py`),
backups (`recovery/backup.py`), and under `api/admin/` bodies and rows (`forms.py`), views (`views.py`), CSV columns and
exports (`rows.py`), and what the OpenAPI document says of answers (`models/binding.py`). A new field of a kind that is
here already is one line in `BindingSpec`: `name: kind = later(default)`, which leaves every record as it is.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import Any, Literal, TypeVar, get_type_hints

from slotbeam.search.snapshot import Placement

T = TypeVar("T")

LIVE: Literal["live"] = "live"
MatchRule = bool | Literal["live"]
"""Whether the words of a binding find items: never, once when it was edited, or for as long as it is bound."""


class Kind(StrEnum):
    """What a field holds, which is how records, JSON and CSV write it.

    `text`     a text
    `texts`    a tuple of texts; a list in JSON, one cell with `|` between them in CSV
    `flag`     whether
    `rule`     a `MatchRule`
    `moment`   unix milliseconds, None for no such time; RFC 3339 in JSON and CSV
    """

    TEXT = "text"
    TEXTS = "texts"
    FLAG = "flag"
    RULE = "rule"
    MOMENT = "moment"


def later(default: T) -> T:
    """Return the declaration of a field that records have not always had.

    A record does not say it while it is `default`, and one that does not say it means that: so records, digests and
    backups from before the field stay what they were, byte for byte.
    """
    return field(default=default, metadata={"later": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingSpec:
    """The fields of a binding that an operator decides, in the order in which they are told.

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

    @property
    def is_live(self) -> bool:
        """Whether its words find items for as long as it is bound; else only those that are listed are its own."""
        return self.match == LIVE

    def values(self) -> dict[str, Any]:
        """Return the fields of this class by name, whatever a subclass adds."""
        return {name: getattr(self, name) for name in FIELDS}


_KINDS: dict[Any, Kind] = {
    str: Kind.TEXT,
    tuple[str, ...]: Kind.TEXTS,
    bool: Kind.FLAG,
    MatchRule: Kind.RULE,
    int | None: Kind.MOMENT,
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
TOLD = tuple(name for name in FIELDS if name != "draft")
"""The fields that views and exports show; a draft shows by its state."""


def in_order(*first: str, then: tuple[str, ...] = TOLD, last: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names as an answer or a file has them, each once: `first`, the rest of `then`, the rest of `last`."""
    return tuple(dict.fromkeys((*first, *then, *last)))
