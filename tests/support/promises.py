"""What each route of an app promises to answer, and whether an answer is that."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter
from starlette.routing import compile_path

JSON = "application/json"


@dataclass(frozen=True)
class Promise:
    """A documented route.

    Attributes:
        pattern: of the paths that it answers.
        models: status → what its JSON answer holds.
        described: whether it is in the OpenAPI document.
    """

    path: str
    methods: frozenset[str]
    pattern: re.Pattern[str]
    models: dict[int, Any]
    described: bool


def promises(app: FastAPI) -> list[Promise]:
    """Every route that `app` declares, in the order in which they are asked."""
    found = []
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or context.path is None:
            continue
        assert route.methods is not None
        models = {int(status): answer["model"] for status, answer in route.responses.items() if "model" in answer}
        pattern = compile_path(context.path)[0]
        found.append(Promise(context.path, frozenset(route.methods), pattern, models, route.include_in_schema))
    return found


def keeper(app: FastAPI) -> Callable[[httpx.Response], None]:
    """Make what fails unless an answer of `app`, already read, is what its route promises for its status."""
    known = promises(app)

    def check(response: httpx.Response) -> None:
        method, path = response.request.method, response.request.url.path
        if response.headers.get("content-type") != JSON or method == "HEAD":
            return
        promise = next(one for one in known if method in one.methods and one.pattern.match(path))
        if promise.described:
            assert response.status_code in promise.models, f"{method} {promise.path}: no model for {response}"
            validator(promise.models[response.status_code]).validate_json(response.content)

    return check


@cache
def validator(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)
