"""POST /events: what users did with the items of answers of this service."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.api.retrieve.events import EventCounter, rank_bucket
from slotbeam.api.retrieve.metrics import Metrics
from slotbeam.api.retrieve.requestid import LIFE_S, RequestIds
from slotbeam.api.retrieve.schemas import Event
from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from slotbeam.types import Slot
from support.clients import client_of

SLOT = "1-4"  # of "labubu", which brings i003 and i004
LABUBU = "b_labubu"
BOUND, FREE = ("i003", "i004"), "i005"


@pytest.fixture
def app(bound_shop: Snapshot, tmp_path: Path) -> FastAPI:
    return create_data_app(Settings(data_dir=tmp_path), holder=Holder(bound_shop))


@pytest.fixture
async def data(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


async def ask(data: httpx.AsyncClient, query: str = "blue labubu", **fields: Any) -> str:
    answer = (await data.post("/retrieve", json={"query": query, "k": 5, **fields})).json()
    return str(answer["request_id"])


def event(request_id: str, item_id: str = FREE, type: str = "click", **more: Any) -> dict[str, Any]:
    return {"request_id": request_id, "type": type, "item_id": item_id, **more}


async def send(data: httpx.AsyncClient, *events: dict[str, Any]) -> httpx.Response:
    return await data.post("/events", json={"events": events})


async def taken(data: httpx.AsyncClient, *events: dict[str, Any]) -> None:
    response = await send(data, *events)
    assert (response.status_code, response.json()) == (202, {"accepted": len(events)})


async def refused(data: httpx.AsyncClient, *events: dict[str, Any]) -> dict[str, Any]:
    response = await send(data, *events)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    return document


async def counted(data: httpx.AsyncClient, name: str = "events") -> dict[tuple[str, ...], float]:
    """Label values in the order of their names → count, of the samples that are not 0."""
    text = (await data.get("/metrics")).text
    found = re.findall(rf"^slotbeam_{name}_total\{{(.*)\}} (\S+)$", text, re.MULTILINE)
    return {tuple(re.findall('"(.*?)"', labels)): float(value) for labels, value in found if float(value)}


async def test_a_click_and_an_order_count_by_the_bound_of_their_rank(data: httpx.AsyncClient) -> None:
    request = await ask(data, "mug", k=1000)
    ranks = {0: "10", 9: "10", 10: "100", 99: "100", 100: "350", 349: "350", 350: "1000", 999: "1000"}
    await taken(data, *(event(request, f"i{n:03d}", rank=rank) for n, rank in enumerate(ranks)))
    await taken(data, event(request, type="order"))
    expected = {(k, "click"): 2.0 for k in ("10", "100", "350", "1000")}
    assert await counted(data) == {**expected, ("unknown", "order"): 1.0}
    assert await counted(data, "binding_hits") == {}


@given(ranks=st.lists(st.integers(0, 999), min_size=1))
def test_the_share_of_the_first_buckets_is_the_share_of_ranks_below_k(ranks: list[int]) -> None:
    buckets = [rank_bucket(rank) for rank in ranks]
    for first, k in enumerate((10, 100, 350, 1000), 1):
        inside = sum(bucket in ("10", "100", "350", "1000")[:first] for bucket in buckets)
        assert inside == sum(rank < k for rank in ranks)


@pytest.mark.parametrize("type", ["view", "cart"])
async def test_a_view_and_a_cart_count_by_their_rank_and_are_no_hit(data: httpx.AsyncClient, type: str) -> None:
    same = event(await ask(data), BOUND[0], type, rank=0)
    await taken(data, same, same)
    assert await counted(data) == {("10", type): 1.0, ("10", "repeated"): 1.0}
    assert await counted(data, "binding_hits") == await counted(data, "hits") == {}


BEACON = {"content-type": "text/plain;charset=UTF-8"}  # what navigator.sendBeacon says of a string


async def test_what_a_browser_sends_without_a_preflight_is_the_same_event(data: httpx.AsyncClient) -> None:
    same = {"events": [event(await ask(data), BOUND[0], rank=0)]}
    for _ in range(2):
        response = await data.post("/events", content=json.dumps(same), headers=BEACON)
        assert (response.status_code, response.json()) == (202, {"accepted": 1})
    assert await counted(data) == {("10", "click"): 1.0, ("10", "repeated"): 1.0}


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "[]",
        '{"events": []}',
        '{"events": [], "events": []}',
        '{"events": [{}]}',
        '{"events": NaN}',
        "\ud800",
        "click",
    ],
)
async def test_a_text_is_refused_as_the_json_that_it_should_be(data: httpx.AsyncClient, wrong: str) -> None:
    body = wrong.encode("utf-8", "surrogatepass")
    as_text = await data.post("/events", content=body, headers=BEACON)
    as_json = await data.post("/events", content=body, headers={"content-type": "application/json"})
    assert as_text.status_code in (400, 422)
    assert (as_text.status_code, as_text.json()) == (as_json.status_code, as_json.json())


@pytest.mark.parametrize("kind", ["text/html", "text/plain;charset=latin-1", "multipart/form-data", ""])
async def test_other_types_of_events_are_refused(data: httpx.AsyncClient, kind: str) -> None:
    response = await data.post("/events", content=b'{"events": []}', headers={"content-type": kind})
    assert response.status_code == 415
    assert "application/json" in response.json()["detail"]


@pytest.mark.parametrize("path", ["/retrieve", "/retrieve:batch"])
async def test_nothing_else_takes_a_text(data: httpx.AsyncClient, path: str) -> None:
    assert (await data.post(path, content=b"{}", headers=BEACON)).status_code == 415


@pytest.mark.parametrize("type", ["click", "order"])
@pytest.mark.parametrize(
    ("query", "fields", "item", "hits"),
    [
        ("blue labubu", {}, BOUND[0], 1),
        ("blue labubu", {}, BOUND[1], 1),
        ("blue labubu", {}, FREE, 0),
        ("blue labubu", {}, "gone", 0),
        ("blue labubu", {"use_bindings": False}, BOUND[0], 0),
        ("blue mug", {}, BOUND[0], 0),
    ],
)
async def test_a_binding_is_hit_by_an_item_it_holds_in_a_request_it_was_applied_to(
    data: httpx.AsyncClient, type: str, query: str, fields: dict[str, Any], item: str, hits: int
) -> None:
    await taken(data, event(await ask(data, query, **fields), item, type))
    assert await counted(data, "binding_hits") == ({(LABUBU, type): 1.0} if hits else {})


async def test_of_two_bindings_that_hold_an_item_those_applied_are_hit(bound_shop: Snapshot, tmp_path: Path) -> None:
    places = [Slot(1, index) for index in bound_shop.artifact.kae.codebook.reserved(1)[:2]]
    bound = [Bound(f"b_{word}", place, (word,), BOUND) for word, place in zip(("labubu", "crocs"), places, strict=True)]
    holder = Holder(replace(bound_shop, overlay=build_overlay(bound_shop.artifact, bound)))
    async with client_of(create_data_app(Settings(data_dir=tmp_path), holder=holder)) as data:
        for query in ("labubu", "crocs", "labubu crocs", "crocs"):
            await taken(data, event(await ask(data, query), BOUND[0]))
        assert await counted(data, "binding_hits") == {(LABUBU, "click"): 2.0, ("b_crocs", "click"): 3.0}


async def test_hits_are_at_most_activations_however_many_items_are_clicked(data: httpx.AsyncClient) -> None:
    for items in (BOUND, BOUND[:1], (FREE,), ()):
        request = await ask(data)
        for item in items:
            await taken(data, event(request, item))
    assert await counted(data, "binding_activations") == {(LABUBU,): 4.0}
    assert await counted(data, "binding_hits") == {(LABUBU, "click"): 2.0}


async def test_an_item_is_looked_up_in_what_the_binding_holds_now(
    data: httpx.AsyncClient, app: FastAPI, bound_shop: Snapshot
) -> None:
    request, holder = await ask(data), app.state.plane.holder
    edited = Bound(LABUBU, Slot.parse(SLOT), ("labubu",), (FREE,))
    holder.current = replace(bound_shop, overlay=build_overlay(bound_shop.artifact, [edited]), revision=8)
    await taken(data, event(request, BOUND[0]))
    assert await counted(data, "binding_hits") == {}
    await taken(data, event(request, FREE))
    assert await counted(data, "binding_hits") == {(LABUBU, "click"): 1.0}
    assert await counted(data) == {("unknown", "click"): 2.0}


async def test_a_word_that_follows_on_a_slot_takes_over_neither_activations_nor_hits(
    data: httpx.AsyncClient, app: FastAPI, bound_shop: Snapshot
) -> None:
    holder, requests = app.state.plane.holder, [await ask(data) for _ in range(3)]
    await taken(data, event(requests[0], BOUND[0]))
    assert await counted(data, "binding_activations") == {(LABUBU,): 3.0}
    following = Bound("b_crocs", Slot.parse(SLOT), ("crocs",), BOUND)
    holder.current = replace(bound_shop, overlay=build_overlay(bound_shop.artifact, [following]), revision=9)
    for name in ("binding_activations", "binding_hits"):
        assert await counted(data, name) == {}
    await taken(data, event(requests[1], BOUND[0]))  # of an answer that "labubu" brought
    await taken(data, event(await ask(data, "crocs"), BOUND[1]))
    assert await counted(data, "binding_activations") == {("b_crocs",): 1.0}
    assert await counted(data, "binding_hits") == {("b_crocs", "click"): 1.0}
    lines = (await data.get("/metrics")).text.splitlines()
    assert [line for line in lines if line.startswith("slotbeam_binding_info{")] == [
        f'slotbeam_binding_info{{binding="b_crocs",slot="{SLOT}"}} 1.0'
    ]
    assert not any(LABUBU in line for line in lines)
    assert {"slotbeam_activations_total 4.0", 'slotbeam_hits_total{event="click"} 2.0'} <= set(lines)


async def test_an_item_that_left_the_catalog_is_taken_and_counted_as_such(data: httpx.AsyncClient) -> None:
    await taken(data, event(await ask(data), "gone", rank=1))
    assert await counted(data) == {("10", "unknown_item"): 1.0}


async def test_every_answer_of_a_batch_has_an_id_of_its_own(data: httpx.AsyncClient) -> None:
    queries = [{"query": "mug", "k": 3}, {"query": "labubu", "k": 20}]
    answers = (await data.post("/retrieve:batch", json={"queries": queries})).json()["answers"]
    first, second = (answer["request_id"] for answer in answers)
    await taken(data, event(first, BOUND[0], rank=2), event(second, BOUND[0], rank=19))
    assert await counted(data) == {("10", "click"): 1.0, ("100", "click"): 1.0}
    assert await counted(data, "binding_hits") == {(LABUBU, "click"): 1.0}


async def test_the_same_event_counts_once(data: httpx.AsyncClient) -> None:
    request = await ask(data)
    same = event(request, BOUND[0], rank=0)
    await taken(data, same, same)
    await taken(data, same)
    await taken(data, event(request, BOUND[0], "order", rank=0), event(await ask(data), BOUND[0], rank=0))
    assert await counted(data) == {("10", "click"): 2.0, ("10", "repeated"): 2.0, ("10", "order"): 1.0}
    assert await counted(data, "binding_hits") == {(LABUBU, "click"): 2.0, (LABUBU, "order"): 1.0}


def test_the_memory_of_events_is_bounded_and_forgets_the_oldest(bound_shop: Snapshot) -> None:
    ids, metrics = RequestIds("k" * 16), Metrics(Holder(bound_shop))
    counter = EventCounter(ids, metrics, remembered=3)
    request = ids.issue(10)

    def clicks(*items: str) -> tuple[float, float]:
        counter.take(bound_shop, [Event(request_id=request, type="click", item_id=item) for item in items])
        assert max(map(len, counter._seen.values())) <= 3
        label = metrics.registry.get_sample_value
        found = [label("slotbeam_events_total", {"k": "unknown", "result": r}) or 0.0 for r in ("click", "repeated")]
        return found[0], found[1]

    assert clicks("i001", "i002", "i003") == (3, 0)
    assert clicks("i001", "i002", "i003") == (3, 3)
    assert clicks("i004") == (4, 3)
    assert clicks("i001") == (5, 3)  # forgotten
    assert clicks("i003", "i004") == (5, 5)
    views = [Event(request_id=request, type="view", item_id=f"i{n:03d}") for n in range(50)]
    counter.take(bound_shop, views)
    assert clicks("i004", "i001") == (5, 7), "views push out no click"


@pytest.mark.parametrize("place", [0, 1, 63])
@pytest.mark.parametrize(
    ("wrong", "problem", "names"),
    [
        ({"request_id": "A" * 47}, "unknown-request-id", "request_id"),
        ({"rank": 5}, "invalid-input", "rank"),
        ({"type": "wish"}, "invalid-input", "type"),
    ],
)
async def test_one_wrong_event_refuses_all_and_is_named(
    data: httpx.AsyncClient, place: int, wrong: dict[str, Any], problem: str, names: str
) -> None:
    request = await ask(data)
    events = [event(request, f"i{n % 60:03d}", rank=4) for n in range(64)]
    events[place] |= wrong
    document = await refused(data, *events)
    assert document["type"] == f"urn:slotbeam:problem:{problem}"
    assert document["detail"].startswith(f"events.{place}.{names}: ")
    assert document.get("event", place) == place
    assert await counted(data) == ({("unknown", "refused"): 64.0} if "unknown" in problem else {})
    assert await counted(data, "binding_hits") == {}


async def test_the_first_of_several_wrong_events_is_named(data: httpx.AsyncClient) -> None:
    good = event(await ask(data))
    document = await refused(data, good, event("made up"), {**good, "rank": 9}, event("made up"))
    assert (document["type"], document["event"]) == ("urn:slotbeam:problem:unknown-request-id", 1)
    document = await refused(data, good, {**good, "rank": 9}, event("made up"))
    assert [error["field"] for error in document["errors"]] == ["events.1.rank"]


async def test_every_id_that_was_not_issued_gets_the_same_answer(data: httpx.AsyncClient) -> None:
    real = await ask(data)
    stranger = RequestIds("another key of 26 characters")
    expired = RequestIds("another key of 26 characters", clock=lambda: 0.0)
    wrong = [real[:-1], real + "A", real + "=", real.swapcase(), " " + real, "A", "é" * 47, "x" * 256]
    wrong += [stranger.issue(5), expired.issue(5), "5f0cd1a60d3c4b0f8f5a7d0a5a6c1b2e"]
    answers = {(await send(data, event(text))).content for text in wrong}
    assert len(answers) == 1


async def test_an_id_of_more_than_24_hours_is_refused_and_says_so(data: httpx.AsyncClient, app: FastAPI) -> None:
    request, ids = await ask(data), app.state.plane.ids
    real_clock = ids.clock
    ids.clock = lambda: real_clock() + LIFE_S - 60
    await taken(data, event(request))
    ids.clock = lambda: real_clock() + LIFE_S + 60
    document = await refused(data, event(await ask(data)), event(request, BOUND[0]))
    assert document["type"] == "urn:slotbeam:problem:request-id-expired"
    assert document["event"] == 1
    assert "more than 24 hours ago" in document["detail"]


async def test_replicas_that_share_the_key_take_each_other_s_events(bound_shop: Snapshot, tmp_path: Path) -> None:
    def replica(name: str, key: str | None) -> FastAPI:
        secret = None if key is None else SecretStr(key)
        return create_data_app(Settings(data_dir=tmp_path / name, events_key=secret), holder=Holder(bound_shop))

    shared = "shared by all of them"
    async with (
        client_of(replica("one", shared)) as one,
        client_of(replica("two", shared)) as two,
        client_of(replica("three", None)) as other,
        client_of(replica("three", None)) as neighbour,
    ):
        await taken(two, event(await ask(one), BOUND[0]))
        assert await counted(two, "binding_hits") == {(LABUBU, "click"): 1.0}
        await refused(other, event(await ask(one)))
        await refused(one, event(await ask(other)))
        await taken(neighbour, event(await ask(other)))  # the same data directory


async def test_events_do_not_wait_for_the_store(bound_shop: Snapshot, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, redis_url=f"unix://{tmp_path}/nowhere")
    async with client_of(create_data_app(settings, holder=Holder(bound_shop))) as data:
        await taken(data, event(await ask(data), BOUND[0]))
        assert await counted(data, "binding_hits") == {(LABUBU, "click"): 1.0}


async def test_events_are_no_queries(data: httpx.AsyncClient) -> None:
    await taken(data, event(await ask(data)))
    await refused(data, event("made up"))
    assert await counted(data, "retrieve_requests") == {("ok",): 1.0}


async def test_neither_metrics_nor_logs_hold_a_query_an_item_or_an_id(
    data: httpx.AsyncClient, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    request = await ask(data, "blue labubu xyzzy")
    await taken(data, event(request, BOUND[0], rank=1), event(request, "no-such-item"))
    answers = [await refused(data, event(request, "secret-item", rank=7)), await refused(data, event(request + "A"))]
    logged = caplog.text + "".join(capfd.readouterr())
    key = (tmp_path / "events.key").read_text().strip()
    for place in ((await data.get("/metrics")).text, logged, *map(str, answers)):
        for private in (request, BOUND[0], "no-such-item", "secret-item", "xyzzy", key):
            assert private not in place
