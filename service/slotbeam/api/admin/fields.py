"""The fields of bodies of the control plane: what each may be, by its kind or by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, WithJsonSchema, create_model, model_validator
from pydantic.config import JsonDict

from slotbeam.api.admin.models.binding import Members, PlacementName, TriggerName
from slotbeam.api.http.bodies import RAW_TEXT, ItemId, Strict
from slotbeam.bindings.actions import MAX_HIDDEN, MAX_POSITIONS, MAX_TEXT, MAX_UNLESS, MAX_WEIGHED, MAX_WEIGHT
from slotbeam.bindings.binding import MAX_ITEMS, MAX_WORD_LENGTH
from slotbeam.bindings.spec import DEFAULTS, FIELDS, LIVE, Kind, MatchRule
from slotbeam.bindings.times import LOCAL, ends_ms, starts_ms
from slotbeam.bindings.words import MAX_RAW_WORD
from slotbeam.kae.categories import CATEGORIES
from slotbeam.types import SLOT_LENGTH, SLOT_PATTERN


def _line(text: str) -> str:
    text = " ".join(text.split())
    if not text.isprintable():
        raise ValueError("holds a control or invisible character")
    return text


def _read_by(read: Callable[[str], object]) -> AfterValidator:
    """Check a text by reading it; it stays as it was sent."""

    def check(text: str) -> str:
        read(text)
        return text

    return AfterValidator(check)


_MOMENT: JsonDict = {
    "anyOf": [{"format": "date-time"}, {"pattern": f"^{LOCAL}$"}],
    "examples": ["2026-12-31T00:00:00Z", "2026-12-31 09:00 Europe/Berlin", "2026-12-31"],
}

Word = Annotated[
    str,
    Field(
        max_length=MAX_RAW_WORD,
        json_schema_extra={"minLength": 1},
        description=f"1 to {MAX_WORD_LENGTH} characters after normalisation, at most {MAX_RAW_WORD} as they are sent",
    ),
]
SampledQuery = Annotated[
    str,
    Field(max_length=RAW_TEXT, description="A query for the dry run, which says in its place what is wrong with one"),
]
Line = Annotated[str, Field(max_length=256), AfterValidator(_line)]
Start = Annotated[str, Field(max_length=64, json_schema_extra=_MOMENT), _read_by(starts_ms)]
End = Annotated[str, Field(max_length=64, json_schema_extra=_MOMENT), _read_by(ends_ms)]
Category = Annotated[str, Field(max_length=64, json_schema_extra=cast(JsonDict, {"enum": list(CATEGORIES)}))]
SlotId = Annotated[str, Field(max_length=64, json_schema_extra={"maxLength": SLOT_LENGTH, "pattern": SLOT_PATTERN})]
_RULE: JsonDict = {
    "anyOf": [{"type": "boolean"}, {"type": "string", "enum": [LIVE]}],
    "description": f"Every item whose text holds one of the words; {LIVE}: those that come to hold one, too",
}


def _rule(value: object) -> object:
    """Refuse what is no rule with one message for both of its kinds."""
    if not isinstance(value, bool) and value != LIVE:
        raise ValueError(f'must be true, false or "{LIVE}"')
    return value


Rule = Annotated[MatchRule, BeforeValidator(_rule), WithJsonSchema(_RULE)]


_Filter = Annotated[dict[str, JsonValue], Field(description="A filter, as /retrieve takes it")]
_Metadata = Annotated[
    dict[str, JsonValue],
    Field(description="Passed through; what is called redirect, or ends in url, is an http(s) URL or a path"),
]


class ItemsForm(Strict):
    """Items by id, or every item whose text holds one of the words, or both."""

    ids: list[ItemId] = Field(
        default_factory=list, max_length=MAX_ITEMS, description=f"At most {MAX_ITEMS} together with those that match"
    )
    match: Rule = False


class PatchedItemsForm(ItemsForm):
    """The same, or which items come and go of those that are listed."""

    add: list[ItemId] = Field(default_factory=list, max_length=MAX_ITEMS, description="Items to list, too")
    remove: list[ItemId] = Field(default_factory=list, max_length=MAX_ITEMS, description="Items to list no more")

    @property
    def moves(self) -> bool:
        """Whether it says what comes and goes."""
        return bool(self.add or self.remove)

    @model_validator(mode="after")
    def _one_way(self) -> PatchedItemsForm:
        if self.moves and (self.ids or self.match):
            raise ValueError("give ids and match for another list, or add and remove to change the one that is there")
        return self


class WeighedForm(Strict):
    """A test of the items, and what the score of those that pass it gains or loses."""

    test: _Filter
    weight: float = Field(gt=0, le=MAX_WEIGHT, description="In units of score")


def _ids(most: int, about: str) -> Any:
    return Annotated[list[ItemId], Field(max_length=most, description=about)]


_Weighed = Annotated[list[WeighedForm], Field(max_length=MAX_WEIGHED)]
_SAID: Members = {
    "placement": PlacementName,
    "starts_at": Start | None,
    "ends_at": End | None,
    "trigger": TriggerName,
    "unless": Annotated[list[Word], Field(max_length=MAX_UNLESS, description="Words that keep it from applying")],
    "positions": _ids(MAX_POSITIONS, "Items at 1, 2, 3 …"),
    "hide": _ids(MAX_HIDDEN, "Items that are in no answer"),
    "when": _Filter | None,
    "filter": _Filter | None,
    "boost": _Weighed | None,
    "bury": _Weighed | None,
    "metadata": _Metadata | None,
    "replace": Annotated[str, Field(max_length=RAW_TEXT, description=f"At most {MAX_TEXT} characters, normalised")],
    "alias": Annotated[str, Field(max_length=MAX_RAW_WORD, description="A word that the dictionary knows")],
}
"""Fields of a binding that a body says otherwise than by a line of text, a list of these, a flag or an object."""
_BY_KIND: dict[Kind, Any] = {
    Kind.TEXT: Line,
    Kind.TEXTS: list[Line],
    Kind.FLAG: bool,
    Kind.RULE: Rule,
    Kind.JSON: dict[str, JsonValue] | None,
}


def described(name: str, but: tuple[str, ...], optional: bool = False) -> Any:
    """Return a model of the fields of `BindingSpec` that have a default; `optional` ones may be null, too.

    Args:
        but: fields that it has not; `match`, which bodies say of their items, it never has.
    """
    said: Members = {}
    for field in (field for field in DEFAULTS if field not in (*but, "match")):
        kind = _SAID[field] if field in _SAID else _BY_KIND[FIELDS[field]]
        default = {Kind.TEXTS: Field(default_factory=list), Kind.JSON: None}.get(FIELDS[field], DEFAULTS[field])
        said[field] = (kind | None, None) if optional else (kind, default)
    return create_model(name, __base__=Strict, **said)
