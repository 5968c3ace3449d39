"""Every error leaves as one problem document with a stable type."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import orjson
import pytest
from fastapi import FastAPI

from slotbeam import errors
from slotbeam.api.http import problems, query
from slotbeam.api.http.problemschema import MEMBERS, PROBLEM
from slotbeam.text import shown
from support.raising import brought


def tree(root: type[errors.SlotbeamError]) -> Iterator[type[errors.SlotbeamError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith("slotbeam."):
            yield from tree(child)


@pytest.mark.parametrize("kind", list(tree(errors.SlotbeamError)), ids=lambda kind: kind.__name__)
def test_every_error_class_has_a_status(kind: type[errors.SlotbeamError]) -> None:
    assert kind in problems.STATUS


def test_every_error_class_is_drawn_in_the_tree() -> None:
    assert errors.__doc__ is not None
    assert all(kind.__name__ in errors.__doc__ for kind in tree(errors.SlotbeamError))


def test_every_error_type_is_unique() -> None:
    types = [kind.type for kind in set(tree(errors.SlotbeamError))]
    assert len(types) == len(set(types))


def test_the_schema_of_a_problem_declares_every_member_that_an_error_brings_and_no_other() -> None:
    assert {member for _, member in brought()} == set(MEMBERS)
    properties = PROBLEM["properties"]
    assert isinstance(properties, dict)
    assert properties.keys() >= MEMBERS.keys()


def test_details_become_members_and_never_replace_the_standard_ones() -> None:
    response = problems.problem_of(errors.SlotTaken("slot 1-2 is taken", holder="b_7k", status=200))
    document = orjson.loads(response.body)
    assert document == {
        "type": "urn:slotbeam:problem:slot-taken",
        "title": "Slot taken",
        "status": 409,
        "detail": "slot 1-2 is taken",
        "holder": "b_7k",
    }
    assert response.media_type == "application/problem+json"


def test_a_lone_surrogate_in_the_details_is_escaped() -> None:
    document = orjson.loads(problems.problem_of(errors.InputError("bad \ud800", word=["\udfff"])).body)
    assert document["detail"] == "bad \\ud800"
    assert document["word"] == ["\\udfff"]


def test_control_and_bidi_characters_are_escaped() -> None:
    assert shown("a\r\nb\x1b[31m\u202e") == '"a\\r\\nb\\x1b[31m\\u202e"'


def test_a_long_value_is_cut() -> None:
    assert len(shown("x" * 10_000)) < 80


async def ask(method: str, path: str) -> httpx.Response:
    app = FastAPI()
    problems.install(app)
    query.install(app)

    @app.get("/bug")
    def bug() -> None:
        raise ZeroDivisionError("secret")

    @app.get("/held")
    def held(limit: int) -> None:
        raise errors.Overloaded(f"{limit} requests wait", retry_after_s=3)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(verify=False, transport=transport, base_url="http://test") as client:
        return await client.request(method, path)


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/bug", 405, "method-not-allowed"),
        ("GET", "/bug", 500, "internal"),
        ("GET", "/held?limit=two", 422, "invalid-input"),
        ("GET", "/held?limit=2", 503, "overloaded"),
    ],
)
async def test_every_failure_is_a_problem_document(method: str, path: str, status: int, slug: str) -> None:
    response = await ask(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"urn:slotbeam:problem:{slug}"
    assert response.json()["status"] == status
    assert "secret" not in response.text


async def test_an_overloaded_answer_says_when_to_come_back() -> None:
    assert (await ask("GET", "/held?limit=2")).headers["retry-after"] == "3"


async def test_a_wrong_method_is_answered_with_the_right_ones() -> None:
    response = await ask("DELETE", "/bug")
    assert response.headers["allow"] == "GET, HEAD"
    assert "it takes GET" in response.json()["detail"]
