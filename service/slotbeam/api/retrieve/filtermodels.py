"""What a filter is, for the OpenAPI document. No filter passes through these: `catalog.filters` reads and refuses."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

from slotbeam.api.http.models import sometimes
from slotbeam.catalog.filters import MAX_CONDITIONS, MAX_LEVELS, MAX_VALUES

Number = Annotated[
    float,
    Field(ge=-(2**63), le=2**63 - 1, description="What lies beyond must be written with a fraction or an exponent"),
]
FieldValue = str | bool | Number


class FieldBounds(BaseModel, json_schema_extra={"minProperties": 1}):
    """What the value of one field must be; all of it has to hold."""

    model_config = ConfigDict(extra="forbid")

    gte: Number = sometimes(float, "Of a number: at least")
    gt: Number = sometimes(float, "Of a number: above")
    lte: Number = sometimes(float, "Of a number: at most")
    lt: Number = sometimes(float, "Of a number: below")
    exists: bool = sometimes(bool, "Whether the item has a value at all")
    not_: FieldCondition = Field(default="", alias="not", description="What must not hold; of no value, nothing does")


FieldCondition = (
    FieldValue
    | FieldBounds
    | Annotated[list[FieldValue | FieldBounds], Field(min_length=1, max_length=MAX_VALUES, description="Any of these")]
)
FieldBounds.model_rebuild()


class ItemFilter(BaseModel):
    """Which items may be answered: field → condition. All entries have to hold."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, FieldCondition] = Field(init=False)

    any_: list[ItemFilter] = Field(
        default_factory=list, alias="any", min_length=1, max_length=MAX_CONDITIONS, description="One has to hold"
    )
    not_: ItemFilter = Field(
        default_factory=lambda: ItemFilter.model_construct(), alias="not", description="What must not hold"
    )
    field: dict[str, FieldCondition] = sometimes(dict, "Names that are fields, whatever they are: any, not, field")


class DescribedAs:
    """Of an annotation: the document describes a value as `model`; nothing is validated by it."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model

    def __get_pydantic_json_schema__(self, _: object, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe, as pydantic asks."""
        return handler(self._model.__pydantic_core_schema__)


FilterObject = Annotated[
    dict[str, object],
    DescribedAs(ItemFilter),
    Field(description=f"At most {MAX_CONDITIONS} conditions in all, {MAX_LEVELS} levels of any, not and field"),
]
