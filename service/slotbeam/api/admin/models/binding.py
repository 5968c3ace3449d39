"""The fields of a binding, as answers tell them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, JsonValue, WithJsonSchema, create_model
from pydantic.config import JsonDict

from slotbeam.api.http.models import Moment, Said
from slotbeam.bindings.spec import DEFAULTS, FIELDS, LATER, LIVE, RULE_TOLD, SLOT_TOLD, TOLD, Kind

PlacementName = Literal["top", "blend", "only"]
TriggerName = Literal["contains", "whole"]
ActionName = Literal["replace", "filter", "alias", "hide", "boost", "bury", "positions", "metadata"]
"""`ACTIONS`, as types have them."""
MatchName = bool | Annotated[Literal["live"], WithJsonSchema({"type": "string", "enum": [LIVE]})]
"""`MatchRule`; of a constant in a union the generator of clients makes what reads no `false`."""

Members = dict[str, Any]
"""Name → type and what is said of it, as `create_model` takes them."""


class Weighed(Said):
    """A test of the items, and what the score of those that pass it gains or loses."""

    test: dict[str, JsonValue]
    weight: float


_SAID: Members = {
    "placement": (PlacementName, ...),
    "match": (
        MatchName,
        Field(description="Whether its items were found by its words; live: whether they are, whenever they come"),
    ),
    "trigger": (TriggerName, ...),
    "boost": (list[Weighed] | None, ...),
    "bury": (list[Weighed] | None, ...),
}
_BY_KIND: dict[Kind, object] = {
    Kind.TEXT: str,
    Kind.TEXTS: list[str],
    Kind.FLAG: bool,
    Kind.RULE: MatchName,
    Kind.MOMENT: Moment | None,
    Kind.JSON: dict[str, JsonValue] | None,
}
_UNSAID: dict[Kind, object] = {Kind.JSON: None, Kind.TEXTS: []}


def _fields(names: Iterable[str], said: Members) -> Members:
    return {name: said.get(name, (_BY_KIND[FIELDS[name]], ...)) for name in names}


def _unsaid(name: str) -> Any:
    return _UNSAID.get(FIELDS[name], DEFAULTS[name])


_LATER: Members = {name: (_SAID.get(name, (_BY_KIND[FIELDS[name]],))[0], _unsaid(name)) for name in LATER}

if TYPE_CHECKING:

    class _Fields(Said):
        """To who checks types a field is of any type: `BindingSpec` alone says which there are."""

        def __getattr__(self, name: str) -> Any: ...

    class SlotFields(_Fields): ...

    class RuleFields(_Fields): ...

    class ToldFields(_Fields): ...

    class RecordFields(_Fields): ...

else:
    SlotFields = create_model("SlotFields", __base__=Said, **_fields(SLOT_TOLD, _SAID))
    RuleFields = create_model("RuleFields", __base__=Said, **_fields(RULE_TOLD, _SAID))
    ToldFields = create_model("ToldFields", __base__=Said, **_fields(TOLD, _SAID))
    """The fields of `BindingSpec` that views of slots, views of rules, and exports show."""
    RecordFields = create_model("RecordFields", __base__=Said, **_fields(FIELDS, _LATER))
    """All fields of `BindingSpec`, as a record has them that anyone may have written; `LATER` ones may be unsaid."""

UNSAID: JsonDict = {name: _unsaid(name) for name in TOLD if name in DEFAULTS}
"""Of an example: the fields that nobody said."""
