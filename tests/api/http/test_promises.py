"""Both documents say what every answer holds, and an answer that holds anything else turns a test red."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import Any, get_args

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel, SecretStr, ValidationError

from slotbeam.api.admin import create_admin_app
from slotbeam.api.admin.models.binding import PlacementName
from slotbeam.api.admin.models.slots import LifecycleName
from slotbeam.api.http.models import StateName
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.bindings.binding import LIFECYCLES
from slotbeam.bindings.replica.status import STATES
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import PLACEMENTS
from slotbeam.settings import Settings
from support.promises import keeper, promises, validator

NOT_JSON = {("get", "/metrics"): "text/plain", ("get", "/admin/slots.csv"): "text/csv"}


@pytest.fixture(params=["data", "control"])
def app(request: pytest.FixtureRequest, shop: Artifact, tmp_path: Path) -> FastAPI:
    settings = Settings(data_dir=tmp_path, redis_url=f"unix://{tmp_path}/nowhere", admin_token=SecretStr("t" * 32))
    make = create_data_app if request.param == "data" else create_admin_app
    return make(settings, shop)


def variants(model: Any) -> tuple[type[BaseModel], ...]:
    return get_args(model) if isinstance(model, UnionType) else (model,)


def named(schema: dict[str, Any]) -> bool:
    """Whether a schema is a component, or one of several."""
    return "$ref" in schema or (bool(schema.get("anyOf")) and all(map(named, schema["anyOf"])))


def test_every_success_of_every_route_is_a_named_schema(app: FastAPI) -> None:
    document = app.openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = {status: answer for status, answer in operation["responses"].items() if status != "default"}
            assert "2" in {status[0] for status in answers}
            for status, answer in answers.items():
                if method == "head" or status == "304":
                    assert "content" not in answer or not answer["content"].get("application/json", {}).get("schema")
                elif media_type := NOT_JSON.get((method, path)):
                    assert list(answer["content"]) == [media_type]
                else:
                    assert list(answer["content"]) == ["application/json"], (method, path, status)
                    assert named(answer["content"]["application/json"]["schema"]), (method, path, status)


def test_every_object_of_the_document_says_all_its_members_and_what_it_is(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    for promise in promises(app):
        for model in promise.models.values():
            for variant in variants(model):
                schema = schemas[variant.__name__]
                assert schema["description"]
                if schema["type"] == "array":
                    schema = schemas[schema["items"]["$ref"].rpartition("/")[2]]
                    assert schema["description"]
                assert schema["additionalProperties"] is False


def test_every_answer_has_examples_and_they_are_such_answers(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    for promise in promises(app):
        for model in promise.models.values():
            for variant in variants(model):
                examples = schemas[variant.__name__].get("examples")
                assert examples, f"{variant.__name__} of {promise.path} has no example"
                for example in examples:
                    validator(variant).validate_python(example)


def test_no_answer_passes_through_its_model_on_its_way_out(app: FastAPI) -> None:
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    assert routes
    for route in routes:
        assert isinstance(route, APIRoute)
        assert route.response_model is None, route.path


@pytest.mark.parametrize(
    ("kinds", "known"),
    [(StateName, STATES), (LifecycleName, LIFECYCLES), (PlacementName, PLACEMENTS)],
)
def test_closed_sets_of_the_document_are_those_of_the_code(kinds: Any, known: Any) -> None:
    assert set(get_args(kinds)) == set(known)


@pytest.mark.parametrize(
    ("method", "path", "status", "answer"),
    [
        ("GET", "/livez", 200, '{"status":"ok","since":1}'),
        ("GET", "/livez", 200, "{}"),
        ("GET", "/livez", 201, '{"status":"ok"}'),
        ("GET", "/readyz", 200, '{"status":"starting"}'),
        ("POST", "/events", 202, '{"accepted":"1"}'),
        ("POST", "/retrieve", 200, '{"items":[]}'),
    ],
)
def test_an_answer_that_the_document_does_not_promise_turns_a_test_red(
    shop: Artifact, tmp_path: Path, method: str, path: str, status: int, answer: str
) -> None:
    check = keeper(create_data_app(Settings(data_dir=tmp_path), shop))
    request = httpx.Request(method, f"http://t{path}")
    response = httpx.Response(status, content=answer, headers={"content-type": "application/json"}, request=request)
    with pytest.raises((AssertionError, ValidationError)):
        check(response)
