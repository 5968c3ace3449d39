"""The fields of a binding, as answers tell them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema, create_model
from pydantic.config import JsonDict

from slotbeam.api.http.models import Moment, Said
from slotbeam.bindings.spec import DEFAULTS, FIELDS, LATER, LIVE, TOLD, Kind

PlacementName = Literal["top", "blend", "only"]
MatchName = bool | Annotated[Literal["live"], WithJsonSchema({"type": "string", "enum": [LIVE]})]
"""`MatchRule`; of a constant in a union the generator of clients makes what reads no `false`."""

Members = dict[str, Any]
"""Name → type and what is said of it, as `create_model` takes them."""

_SAID: Members = {
    "placement": (PlacementName, ...),
    "match": (
        MatchName,
        Field(description="Whether its items were found by its words; live: whether they are, whenever they come"),
    ),
}
_BY_KIND: dict[Kind, object] = {
    Kind.TEXT: str,
    Kind.TEXTS: list[str],
    Kind.FLAG: bool,
    Kind.RULE: MatchName,
    Kind.MOMENT: Moment | None,
}


def _fields(said: Members) -> Members:
    return {name: said.get(name, (_BY_KIND[kind], ...)) for name, kind in FIELDS.items()}


ToldFields: Any = create_model("ToldFields", __base__=Said, **{name: _fields(_SAID)[name] for name in TOLD})
"""The fields of `BindingSpec` that views and exports show."""
_LATER: Members = {name: (_BY_KIND[FIELDS[name]], default) for name, default in LATER.items()}
RecordFields: Any = create_model("RecordFields", __base__=Said, **_fields(_LATER))
"""All fields of `BindingSpec`, as a record has them that anyone may have written; `LATER` ones may be unsaid."""
UNSAID: JsonDict = {name: DEFAULTS[name] for name in TOLD if name in DEFAULTS}
"""Of an example: the fields that nobody said."""
