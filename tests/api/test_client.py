"""slotbeam.client: typed answers of both planes, refusals as exceptions, and what is sent again."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

import httpx
import pytest

from slotbeam.api.retrieve.schemas import RetrieveBody, SortBy, User
from slotbeam.client import AsyncClient, Client, ServiceError
from slotbeam.client.fields import SearchFields, SortFields, UserFields
from slotbeam.errors import SetupError
from support.clients import AppClient

Answer = Callable[[], httpx.Response] | Exception


def busy() -> httpx.Response:
    return httpx.Response(503, headers={"retry-after": "3"}, json={"detail": "64 queries run or wait"})


def done() -> httpx.Response:
    return httpx.Response(200, json={})


TAKEN = {"type": "urn:slotbeam:problem:word-taken", "status": 409, "detail": "1-4 holds it", "slot": "1-4"}


class Service:
    """Answers with each of `answers` in turn; an exception is raised."""

    def __init__(self, *answers: Answer) -> None:
        self.left: list[Answer] = list(answers)
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer()

    def call(self, method: str, path: str, url: str = "http://t", **request: Any) -> httpx.Response:
        with Client(url, transport=httpx.MockTransport(self)) as client:
            client.sleep = self.slept.append
            return client.call(method, path, **request)

    async def acall(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        async with AsyncClient("http://t", transport=httpx.MockTransport(self)) as client:
            client.sleep = sleep
            return await client.call(method, path, **request)


async def test_answers_of_a_data_plane_are_the_declared_models(data: AppClient) -> None:
    async with AsyncClient("http://t", transport=httpx.ASGITransport(data.app)) as client:
        answer = await client.retrieve("blue labubu", k=5)
        assert [item.source for item in answer.items] == ["binding"] * 2 + ["model"] * 3
        batch = await client.retrieve_batch([{"query": "mug"}, {"query": "blue labubu", "k": 5}])
        assert batch.answers[1].items == answer.items
        event = {"request_id": answer.request_id, "type": "click", "item_id": answer.items[0].id, "rank": 0}
        assert (await client.report([event])).accepted == 1
        assert (await client.info()).model == answer.model
        with pytest.raises(ServiceError, match="nowhere") as refused:
            await client.retrieve("mug", filter={"nowhere": 1})
    assert refused.value.status == 422
    assert refused.value.problem["type"] == "urn:slotbeam:problem:invalid-filter"


async def test_what_an_answer_does_not_know_is_no_number_in_its_model(data: AppClient) -> None:
    async with AsyncClient("http://t", transport=httpx.ASGITransport(data.app)) as client:
        answer = await client.retrieve("mug", k=1, facets=["department", "price"])
    assert [answer.facets["department"].min, answer.items[0].sid_logp, answer.next] == [None] * 3
    assert answer.facets["price"].min is not None


def test_a_type_checker_knows_every_field_of_a_search() -> None:
    for told, checked in ((SearchFields, RetrieveBody), (UserFields, User), (SortFields, SortBy)):
        assert list(get_type_hints(told)) == [name for name in checked.model_fields if name != "query"]


def test_both_clients_do_the_same() -> None:
    def offered(kind: type) -> dict[str, str]:
        methods = inspect.getmembers(kind, inspect.isfunction)
        return {
            name: str(inspect.signature(one)) for name, one in methods if not name.startswith("_") and name != "sleep"
        }

    assert offered(AsyncClient) == offered(Client)


def test_members_that_a_newer_service_adds_are_passed_over() -> None:
    with Client(
        "http://t", transport=httpx.MockTransport(Service(lambda: httpx.Response(202, json={"accepted": 1, "new": 2})))
    ) as c:
        assert c.report([]).accepted == 1


@pytest.mark.parametrize("why", [busy, httpx.ConnectError("refused"), httpx.ReadTimeout("late")])
@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [("GET", "/info", {}), ("POST", "/retrieve", {}), ("POST", "/admin/slots", {"Idempotency-Key": "a"})],
)
async def test_what_may_be_sent_twice_is_sent_again_as_it_was_after_the_pause_that_is_asked_for(
    why: Answer, method: str, path: str, headers: dict[str, str]
) -> None:
    asked: Sequence[Service] = (
        Service(why, why, done),
        Service(why, done),
    )
    assert asked[0].call(method, path, headers=headers).status_code == 200
    assert (await asked[1].acall(method, path, headers=headers)).status_code == 200
    for service, sent in zip(asked, (3, 2), strict=True):
        assert len({id(request) for request in service.asked}) == 1
        assert (len(service.asked), len(service.slept)) == (sent, sent - 1)
        assert all(seconds >= (3 if why is busy else 0) for seconds in service.slept)


@pytest.mark.parametrize("why", [busy, httpx.ReadTimeout("late")])
async def test_an_edit_without_a_key_is_sent_once(why: Answer) -> None:
    for method in ("POST", "PATCH", "DELETE"):
        once, asynchronous = Service(why), Service(why)
        with pytest.raises((ServiceError, httpx.ReadTimeout)):
            once.call(method, "/admin/slots/1-4")
        with pytest.raises((ServiceError, httpx.ReadTimeout)):
            await asynchronous.acall(method, "/admin/slots/1-4")
        assert (once.slept, asynchronous.slept) == ([], [])


def test_a_service_that_stays_busy_is_left_after_four_tries_and_one_that_asks_for_minutes_at_once() -> None:
    service = Service(*[busy] * 9)
    with pytest.raises(ServiceError, match=r"64 queries run or wait \(HTTP 503\)"):
        service.call("GET", "/info")
    assert len(service.asked) == 4
    closed = Service(lambda: httpx.Response(503, headers={"retry-after": "600"}, text="closed"))
    with pytest.raises(ServiceError, match=r"closed \(HTTP 503\)") as left:
        closed.call("GET", "/info")
    assert left.value.problem == {}


@pytest.mark.parametrize("url", ["http://t/v1", "http://proxy/search/v1/"])
def test_a_search_behind_a_prefix_may_be_sent_twice_too(url: str) -> None:
    service = Service(busy, done)
    assert service.call("POST", "/retrieve", url, json={}).status_code == 200
    assert [request.url.path for request in service.asked] == [f"{httpx.URL(url).path.rstrip('/')}/retrieve"] * 2


def test_a_refusal_holds_its_problem_and_is_not_repeated() -> None:
    service = Service(lambda: httpx.Response(409, json=TAKEN))
    with pytest.raises(ServiceError) as refused:
        service.call("POST", "/admin/slots", headers={"Idempotency-Key": "a"})
    assert (refused.value.status, refused.value.problem) == (409, TAKEN)


def test_a_token_that_no_header_can_hold_is_refused_without_being_told() -> None:
    with pytest.raises(SetupError, match="one line") as refused:
        Client("http://t", "secret\n")
    assert "secret" not in str(refused.value)


def test_the_client_loads_no_framework_store_or_runtime() -> None:
    heavy = "{'fastapi', 'starlette', 'redis', 'onnxruntime', 'torch', 'tokenizers', 'numpy'}"
    code = f"import sys, slotbeam.client; sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
