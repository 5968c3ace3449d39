"""Query parameters: what the signature of a route declares is what the route takes, each once but for lists.

A route declares them as one `Params` model (`Annotated[Model, Query()]`). Parsing, the messages and the served OpenAPI
document all read that declaration.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, NamedTuple, get_origin

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import ErrorDetails
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.http.problems import problem_of
from slotbeam.api.http.validation import LISTED
from slotbeam.errors import InputError
from slotbeam.text import SHOWN, printable, shown, truth

_NAMED = 3
_DIGITS = 20


class Params(BaseModel):
    """The query parameters of a route."""

    model_config = ConfigDict(frozen=True)


def _flag(text: object) -> bool:
    if isinstance(text, str) and (meant := truth(text)) is not None:
        return meant
    raise ValueError("is neither true nor false")


def _whole(text: object) -> int:
    """Read digits and nothing else: `int` would take " 5", "+5" and "1_000", too."""
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= _DIGITS:
        return int(text)
    raise ValueError("is no whole number")


class _WrongParameter(NamedTuple):
    """What is wrong with a parameter; `given` is its value, where that is the matter."""

    name: str
    given: str | None
    why: str


Flag = Annotated[bool, BeforeValidator(_flag)]
Digits = BeforeValidator(_whole)


def declared_alone(secured: str | None) -> Callable[[Request], Awaitable[None]]:
    """Return the dependency of a whole application: `refuse_undeclared`, but for paths that begin with `secured`.

    There, who asks is looked at first, by a dependency of their own.
    """

    async def declared(request: Request) -> None:
        if secured is None or not request.scope["path"].startswith(secured):
            refuse_undeclared(request)

    return declared


def refuse_undeclared(request: Request) -> None:
    """Refuse a query parameter that the route of `request` does not declare, or that is no list and given twice.

    Raises:
        InputError: names each of them, and what is allowed.
    """
    if not request.scope["query_string"]:
        return
    declared = declared_by(request.scope["route"])
    names = [name for name, _ in request.query_params.multi_items()]
    allowed = f"allowed: {', '.join(declared)}" if declared else f"{request.scope['path'][:200]} takes none"
    wrong = {name: f"is no query parameter; {allowed}" for name in names if name not in declared}
    once = [name for name, schema in declared.items() if schema.get("type") != "array"]
    wrong |= {name: "is given more than once; send it once" for name in once if names.count(name) > 1}
    if wrong:
        raise _refusal([_WrongParameter(name, None, why) for name, why in wrong.items()])


def install(app: FastAPI) -> None:
    """Make what FastAPI finds wrong with a parameter of `app` a problem document."""

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_of(query_error(request, error.errors()))

    app.add_exception_handler(RequestValidationError, on_validation)


def query_error(request: Request, failures: Sequence[ErrorDetails]) -> InputError:
    """Turn pydantic's failures on query and path parameters into one error that says of each what is allowed.

    Args:
        failures: as FastAPI gives them: `loc` is `("query", name)` or `("path", name)`.
    """
    declared = declared_by(request.scope["route"])
    wrong: list[_WrongParameter] = []
    for failure in failures:
        name = str(failure["loc"][-1])
        if failure["type"] == "missing":
            wrong.append(_WrongParameter(name, None, "is missing, and required"))
            continue
        allowed = allowed_by(declared.get(name, {})) or str(failure["msg"]).removeprefix("Value error, ")
        given = (request.path_params if failure["loc"][0] == "path" else request.query_params).get(name)
        wrong.append(_WrongParameter(name, shown(given), allowed))
    return _refusal(wrong)


def declared_by(route: APIRoute) -> Mapping[str, JsonSchemaValue]:
    """Return name → JSON schema of every query parameter in the signature of `route`."""
    schemas: dict[str, JsonSchemaValue] = {}
    for field in route.dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, Params):
            schemas.update(_schemas(kind))
        else:
            schemas[field.alias] = {"type": "array"} if get_origin(kind) is list else {}
    return schemas


@cache
def _schemas(kind: type[Params]) -> Mapping[str, JsonSchemaValue]:
    schemas: Mapping[str, JsonSchemaValue] = kind.model_json_schema()["properties"]
    return schemas


def allowed_by(schema: JsonSchemaValue) -> str:
    """Return what a parameter's JSON schema allows, in words; "" where only its validator can say it."""
    if "anyOf" in schema:  # null is how a signature says that it may be left out; no query can say it
        return "".join(map(allowed_by, schema["anyOf"]))
    if "enum" in schema:
        return f"allowed: {', '.join(map(str, schema['enum']))}"
    if "minimum" in schema and "maximum" in schema:
        return f"allowed: {schema['minimum']} to {schema['maximum']}"
    return "allowed: true, false" if schema.get("type") == "boolean" else ""


def _refusal(wrong: Sequence[_WrongParameter]) -> InputError:
    """Make one error of all that is wrong; none of the caller's text is told at length."""
    detail = "; ".join(
        f"{shown(each.name)} {each.why}" if each.given is None else f"{each.name} is {each.given}; {each.why}"
        for each in wrong[:_NAMED]
    )
    if len(wrong) > _NAMED:
        detail += f"; and {len(wrong) - _NAMED} more"
    errors = []
    for each in wrong[:LISTED]:
        given = {} if each.given is None else {"given": each.given}
        errors.append({"field": printable(each.name[:SHOWN]), **given, "message": each.why})
    return InputError(detail, errors=errors)
