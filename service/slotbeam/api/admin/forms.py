"""Bodies of the control plane, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from slotbeam.api.admin.fields import (
    Category,
    ItemsForm,
    Line,
    PatchedItemsForm,
    Rule,
    SampledQuery,
    SlotId,
    Start,
    WeighedForm,
    Word,
    described,
)
from slotbeam.api.http.bodies import ItemId, Strict
from slotbeam.bindings.binding import MAX_ITEMS, MAX_WORDS
from slotbeam.bindings.spec import FIELDS, MOMENTS, OBJECTS, RULES_ONLY, SLOTS_ONLY, Kind, json_text
from slotbeam.bindings.times import ends_ms, starts_ms
from slotbeam.bindings.words import canonical_words
from slotbeam.errors import BindingError
from slotbeam.language.normalize import normalize
from slotbeam.text import shown

MAX_SAMPLES = 8


class _WordForm(Strict):
    words: list[Word] = Field(min_length=1, max_length=MAX_WORDS)
    category: Category


class _BoundItems(Strict):
    items: ItemsForm
    slot: SlotId | None = None


class _Sampled(Strict):
    sample_queries: list[SampledQuery] = Field(default_factory=list, max_length=MAX_SAMPLES)


_Described = described("_Described", RULES_ONLY)
_PatchDescribed = described("_PatchDescribed", RULES_ONLY, optional=True)
_RuleDescribed = described("_RuleDescribed", SLOTS_ONLY)
_PatchRuleDescribed = described("_PatchRuleDescribed", SLOTS_ONLY, optional=True)
_RowDescribed = described("_RowDescribed", ())

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
