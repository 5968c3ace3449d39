"""Bodies of the control plane, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, WithJsonSchema, create_model, model_validator
from pydantic.config import JsonDict

from slotbeam.api.admin.models.binding import Members, PlacementName, TriggerName
from slotbeam.api.http.bodies import RAW_TEXT, ItemId, Strict
from slotbeam.bindings.actions import MAX_HIDDEN, MAX_POSITIONS, MAX_TEXT, MAX_UNLESS, MAX_WEIGHED, MAX_WEIGHT
from slotbeam.bindings.binding import MAX_ITEMS, MAX_WORD_LENGTH, MAX_WORDS
from slotbeam.bindings.spec import (
    DEFAULTS,
    FIELDS,
    LIVE,
    MOMENTS,
    OBJECTS,
    RULES_ONLY,
    SLOTS_ONLY,
    Kind,
    MatchRule,
    json_text,
)
from slotbeam.bindings.times import LOCAL, ends_ms, starts_ms
from slotbeam.bindings.words import MAX_RAW_WORD, canonical_words
from slotbeam.errors import BindingError
from slotbeam.kae.categories import CATEGORIES
from slotbeam.language.normalize import normalize
from slotbeam.text import shown
from slotbeam.types import SLOT_LENGTH, SLOT_PATTERN

MAX_SAMPLES = 8


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


class _WordForm(Strict):
    words: list[Word] = Field(min_length=1, max_length=MAX_WORDS)
    category: Category


class _BoundItems(Strict):
    items: ItemsForm
    slot: SlotId | None = None


class _Sampled(Strict):
    sample_queries: list[SampledQuery] = Field(default_factory=list, max_length=MAX_SAMPLES)


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


def _described(name: str, but: tuple[str, ...], optional: bool = False) -> Any:
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


_Described = _described("_Described", RULES_ONLY)
_PatchDescribed = _described("_PatchDescribed", RULES_ONLY, optional=True)
_RuleDescribed = _described("_RuleDescribed", SLOTS_ONLY)
_PatchRuleDescribed = _described("_PatchRuleDescribed", SLOTS_ONLY, optional=True)
_RowDescribed = _described("_RowDescribed", ())

# A model has the fields of its last base first. The order counts: what is wrong with a body is told in it.


class BindForm(_Sampled, _Described, _BoundItems, _WordForm):  # type: ignore[misc, valid-type]
    """`POST /admin/slots` and `PUT /admin/slots/{slot}` (there `slot` is the path's)."""


class _PatchNamed(Strict):
    words: list[Word] | None = Field(None, min_length=1, max_length=MAX_WORDS)
    category: Category | None = None
    items: PatchedItemsForm | None = None


class PatchForm(_Sampled, _PatchDescribed, _PatchNamed):  # type: ignore[misc, valid-type]
    """`PATCH /admin/slots/{slot}`: what is left out stays; times and objects may be set to null."""


class _RuleWords(Strict):
    words: list[Word] = Field(
        default_factory=list, max_length=MAX_WORDS, description="Without any it applies to every query"
    )


class RuleForm(_Sampled, _RuleDescribed, _RuleWords):  # type: ignore[misc, valid-type]
    """`POST /admin/rules` and `PUT /admin/rules/{rule}`."""


class _PatchRuleWords(Strict):
    words: list[Word] | None = Field(None, max_length=MAX_WORDS)


class PatchRuleForm(_Sampled, _PatchRuleDescribed, _PatchRuleWords):  # type: ignore[misc, valid-type]
    """`PATCH /admin/rules/{rule}`: what is left out stays; times and objects may be set to null."""


class AcceptForm(Strict):
    """`POST /admin/suggestions/{word}:accept`: what is left out is as suggested."""

    category: Category | None = None
    items: ItemsForm = Field(default_factory=lambda: ItemsForm(match=True))
    owner: Line = ""


class _RowItems(Strict):
    items: list[ItemId] = Field(default_factory=list, max_length=MAX_ITEMS)
    match: Rule = False
    slot: SlotId | None = None


class _RowWords(Strict):
    words: list[Word] = Field(default_factory=list, max_length=MAX_WORDS)
    category: Category | None = None


class RowForm(_RowDescribed, _RowItems, _RowWords):  # type: ignore[misc, valid-type]
    """One row of `POST /admin/slots:import`: what `slotbeam slots export` writes. Without a category it is a rule.

    `items` are exactly the items; without any, `match` finds them, and a live one does beside them, too. `id` and
    `revision` say what the row was exported from; `state` matters only where `draft` is left out; `created_at` is
    ignored.
    """

    draft: bool | None = None
    id: Annotated[str, Field(max_length=64)] | None = None
    state: Literal["draft", "scheduled", "active", "expired", "failed"] | None = None
    revision: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    created_at: Start | None = None


def _words(raw: list[str]) -> tuple[str, ...]:
    return canonical_words(raw) if raw else ()


def _canonical(raw: str) -> str:
    text = normalize(raw)
    if raw and not text:
        raise BindingError(f"{shown(raw)} has no visible character; a query could never hold it")
    return text


def _once(ids: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


def _weighed(forms: list[WeighedForm] | None) -> str:
    return json_text([form.model_dump() for form in forms or ()])


_READ: dict[str, Callable[..., object]] = {
    **dict.fromkeys(OBJECTS, json_text),
    **{name: tuple for name, kind in FIELDS.items() if kind is Kind.TEXTS},
    **dict.fromkeys(("words", "unless"), _words),
    **dict.fromkeys(("positions", "hide"), _once),
    **dict.fromkeys(("replace", "alias"), _canonical),
    **dict.fromkeys(("boost", "bury"), _weighed),
    "starts_at": starts_ms,
    "ends_at": ends_ms,
}


def said(form: BindForm | PatchForm | RuleForm | PatchRuleForm | RowForm) -> dict[str, Any]:
    """Return what a body says of the fields of `BindingSpec`, as that has them; what it leaves out is left out.

    Null is a time's or an object's to say: of any other field it leaves it out.

    Raises:
        InputError: a word that cannot be bound.
    """
    given = {name: getattr(form, name) for name in FIELDS if name in form.model_fields_set}
    kept = {name: value for name, value in given.items() if value is not None or name in (*MOMENTS, *OBJECTS)}
    return {name: _READ[name](value) if name in _READ else value for name, value in kept.items()}
