"""The served OpenAPI document: bodies that pydantic reads from raw JSON, and one shape for every error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, JsonValue, RootModel

from slotbeam.api.http.models import Said
from slotbeam.api.http.problems import MEDIA_TYPE
from slotbeam.api.http.problemschema import PROBLEM

_REF = "#/components/schemas/"

Part = dict[str, Any]
"""Of an OpenAPI document, as FastAPI takes it."""


def asks(
    *parameters: Part,
    body: type[BaseModel] | Mapping[str, Part] | None = None,
    needed: bool = True,
    example: Mapping[str, object] | None = None,
) -> Part:
    """Return `openapi_extra` of a route.

    Args:
        parameters: of the query and the headers, as OpenAPI has them.
        body: the model of its JSON body, or a schema for each media type that it takes.
        needed: whether the body must be there.
        example: a body that succeeds, to begin from in `/docs`.
    """
    extra: Part = {"parameters": list(parameters)} if parameters else {}
    if body is not None:
        schemas = body if isinstance(body, Mapping) else {"application/json": ref(body)}
        shown = {} if example is None else {"example": dict(example)}
        content = {kind: {"schema": schema, **shown} for kind, schema in schemas.items()}
        extra["requestBody"] = {"required": needed, "content": content}
    return extra


def ref(model: type[BaseModel]) -> Part:
    """Return where a model's schema is; `describe` puts it among the components."""
    return {"$ref": _REF + model.__name__}


def answers(*statuses: int, model: object) -> dict[int | str, Part]:
    """Return `responses` of a route: what JSON answers of these statuses hold. What none names is a problem document.

    Args:
        model: a `Said`, or a union of them. It is for the document and for tests: no answer passes through it.
    """
    return {status: {"description": "Answer", "model": model} for status in statuses}


def describe(app: FastAPI, *models: type[BaseModel], secured: str | None = None) -> None:
    """Complete the document that `app` serves.

    Args:
        models: the bodies that `asks` names.
        secured: paths that begin so need a bearer token.
    """
    build = app.openapi

    def openapi() -> Part:
        if app.openapi_schema is None:
            document = build()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for model in models:
                schema = model.model_json_schema(ref_template=_REF + "{model}")
                schemas.update(schema.pop("$defs", {}))
                schemas[model.__name__] = schema
            for name, examples in (_examples(Said) | _examples(RootModel)).items():
                if name in schemas:
                    schemas[name]["examples"] = examples  # FastAPI drops what is null in them
            schemas["Problem"] = PROBLEM
            for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own shape of a 422
                schemas.pop(unused, None)
            refused = {"description": "Refused", "content": {MEDIA_TYPE: {"schema": {"$ref": _REF + "Problem"}}}}
            bodiless = {"description": refused["description"]}
            if secured is not None:
                document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    for parameter in operation.get("parameters", ()):
                        parameter["schema"] = _without_null(parameter["schema"])
                    if secured is not None and path.startswith(secured):
                        operation["security"] = [{"bearer": []}]
                    operation["responses"].pop("422", None)
                    operation["responses"]["default"] = bodiless if method == "head" else refused
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _examples(base: type[BaseModel]) -> dict[str, list[JsonValue]]:
    """Return name → examples of every model below `base` that has some of its own."""
    by_name: dict[str, list[JsonValue]] = {}
    for model in base.__subclasses__():
        by_name |= _examples(model)
        extra = model.model_config.get("json_schema_extra")
        if isinstance(extra, dict) and isinstance(examples := extra.get("examples"), list):
            by_name[model.__name__] = examples
    return by_name


def _without_null(schema: Part) -> Part:
    """Return the schema of a parameter that may be left out: no query can say null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **kinds[0]} if kinds else schema
