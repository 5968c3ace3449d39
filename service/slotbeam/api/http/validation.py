"""What a body's model says of a value, as one error that names each field, what was given and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from slotbeam.errors import InputError
from slotbeam.text import SHOWN, printable, shown

LISTED = 20
"""Places that a refusal lists at most."""

M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], value: object) -> M:
    """Validate parsed JSON against a pydantic model. Raises `InputError` with every field that is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise validation_error(error.errors(include_url=False, include_context=False), model) from None


def validation_error(failures: Sequence[ErrorDetails], model: type[BaseModel]) -> InputError:
    """Turn pydantic's failures into one `InputError` that names each field, what was given and what is allowed.

    Args:
        failures: as the `errors()` of `model`'s pydantic error returns them (`loc`, `msg`, `type`, `input`).
    """
    wrong = []
    for failure in failures[:LISTED]:
        place = ".".join(printable(str(part)[:SHOWN]) for part in failure["loc"]) or "body"
        kind, message = failure["type"], str(failure["msg"])
        if kind == "extra_forbidden":
            wrong.append({"field": place, "message": _unknown(str(failure["loc"][-1]), _fields(model, failure["loc"]))})
        elif kind in ("model_type", "model_attributes_type", "dict_type"):
            wrong.append({"field": place, "given": shown(failure.get("input")), "message": "must be an object"})
        elif kind == "missing":
            wrong.append({"field": place, "message": "is required"})
        else:
            given = shown(failure.get("input"))
            wrong.append({"field": place, "given": given, "message": message.removeprefix("Value error, ")})
    detail = "; ".join(
        f"{each['field']}: {each['message']}" + (f" (given {each['given']})" if "given" in each else "")
        for each in wrong[:3]
    )
    if len(failures) > 3:
        detail += f"; and {len(failures) - 3} more"
    return InputError(detail, errors=wrong)


def _fields(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return what the fields beside the one at `loc` are called; none where `loc` leads through a union of models."""
    for part in loc[:-1]:
        if isinstance(part, str):  # else a place in a list: of the same model
            models = _models(next((field.annotation for name, field in _named(model) if name == part), None))
            if len(models) != 1:
                return []
            [model] = models
    return [name for name, _ in _named(model)]


def _named(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    return [(field.alias or name, field) for name, field in model.model_fields.items()]


def _models(kind: object) -> set[type[BaseModel]]:
    """Return the models that an annotation names: of `list[X] | None`, X."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {kind}
    return set().union(*map(_models, get_args(kind)))


def _unknown(name: str, allowed: Sequence[str]) -> str:
    near = get_close_matches(name[:SHOWN], allowed, 1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"unknown field{meant}" + (f"; allowed: {', '.join(allowed)}" if allowed else "")
