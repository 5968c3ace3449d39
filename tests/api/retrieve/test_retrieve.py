"""POST /retrieve and POST /retrieve:batch."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.api.retrieve.schemas import RetrieveBody
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import Answer
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from support.clients import client_of


async def test_only_the_query_is_required(data: httpx.AsyncClient) -> None:
    response = await data.post("/retrieve", json={"query": "Red  MUG"})
    answer = response.json()
    assert response.status_code == 200
    assert answer["model"] == "shop"
    assert answer["bindings"] == {"state": "live", "epoch": "e1", "revision": 7, "active": "c1"}
    assert answer["query_sid"][0] == {"position": 0, "group": "entity", "slot": 1, "kind": "solo", "word": "mug"}
    assert [place["position"] for place in answer["query_sid"]] == [0, 1, 2]
    assert answer["applied_bindings"] == []
    item = answer["items"][0]
    assert set(item) == {"id", "title", "score", "sid", "source", "relevance", "matched"}
    assert item["source"] == "model"
    assert "explain" not in answer


async def test_a_checked_body_holds_canonical_queries_and_is_answered_as_it_was_typed(data: httpx.AsyncClient) -> None:
    typed = {"query": "Ｒed  MUG", "user": {"recent_queries": ["Blue  LAMP", " \u200b ", "x" * 1025]}}
    body = RetrieveBody.model_validate(typed)
    assert (body.query, body.user.recent_queries) == ("red mug", ["blue lamp"])
    canonical = {"query": "red mug", "user": {"recent_queries": ["blue lamp"]}}
    answers = [(await data.post("/retrieve", json=sent)).json() for sent in (typed, canonical)]
    assert answers[0]["items"] == answers[1]["items"]
    assert answers[0]["query_sid"] == answers[1]["query_sid"]


async def test_a_bound_word_brings_its_items_first_and_says_so(data: httpx.AsyncClient) -> None:
    answer = (await data.post("/retrieve", json={"query": "blue labubu", "k": 5})).json()
    [applied] = answer["applied_bindings"]
    assert applied == {"id": "b_labubu", "slot": "1-4", "word": "labubu", "span": [5, 11], "items": 2}
    assert {item["id"] for item in answer["items"][:2]} == {"i003", "i004"}
    assert [item["source"] for item in answer["items"]] == ["binding", "binding", "model", "model", "model"]


async def test_use_bindings_false_answers_from_the_base_alone(data: httpx.AsyncClient) -> None:
    answer = (await data.post("/retrieve", json={"query": "red labubu", "use_bindings": False})).json()
    assert answer["applied_bindings"] == []
    assert {item["source"] for item in answer["items"]} == {"model"}


async def test_headers_carry_the_stages_and_the_revision(data: httpx.AsyncClient) -> None:
    response = await data.post("/retrieve", json={"query": "mug"})
    stages = [part.split(";dur=") for part in response.headers["server-timing"].split(", ")]
    assert [name for name, _ in stages] == ["encode", "decode", "rank", "queue"]
    assert all(float(ms) >= 0 for _, ms in stages)
    assert response.headers["x-bindings-revision"] == "7"


async def test_explain_adds_the_facts(data: httpx.AsyncClient) -> None:
    answer = (await data.post("/retrieve", json={"query": "blue labubu", "explain": True})).json()
    assert [group["group"] for group in answer["explain"]["groups"]] == ["base", "b_labubu"]
    assert answer["explain"]["words"][0]["word"] == "blue"


async def test_a_filter_applies_to_every_item(data: httpx.AsyncClient) -> None:
    everything = (await data.post("/retrieve", json={"query": "mug", "k": 1000})).json()["items"]
    some = (await data.post("/retrieve", json={"query": "mug", "k": 1000, "filter": {"department": "toys"}})).json()
    assert 0 < len(some["items"]) < len(everything)


async def test_a_batch_is_answered_in_order_on_one_snapshot(data: httpx.AsyncClient) -> None:
    queries = [{"query": word, "k": 3} for word in ("mug", "labubu", "red lamp")]
    response = await data.post("/retrieve:batch", json={"queries": queries})
    answers = response.json()["answers"]
    single = [(await data.post("/retrieve", json=query)).json() for query in queries]
    assert [answer["items"] for answer in answers] == [answer["items"] for answer in single]
    assert {answer["bindings"]["revision"] for answer in answers} == {7}
    assert len({answer["request_id"] for answer in answers}) == 3
    assert response.headers["x-bindings-revision"] == "7"


ODD = [
    "\x00mug",
    "mug\r\nX-Evil: 1",
    "\x1b[31mmug",
    "\u202emug",
    "\ue000",
    "(a+)+$",
    "{{7*7}}",
    "<script>",
    "<eos>",
    "İß",
]


async def items_of(data: httpx.AsyncClient, **user: list[str]) -> list[dict[str, Any]]:
    response = await data.post("/retrieve", json={"query": "mug", "k": 60, "user": user})
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def test_the_history_changes_the_answer(data: httpx.AsyncClient) -> None:
    assert await items_of(data, recent_item_ids=["i001"]) != await items_of(data)


UNUSABLE: list[tuple[str, dict[str, list[str]]]] = [
    ("an item that is not in the catalog", {"recent_item_ids": ["nowhere"]}),
    ("an id of nothing", {"recent_item_ids": [""]}),
    ("an endless id", {"recent_item_ids": ["x" * 100_000]}),
    ("an id with control characters", {"recent_item_ids": ["\x00\r\n\x1b[31m"]}),
    ("many unknown items", {"recent_item_ids": [f"gone{number}" for number in range(5000)]}),
    ("an empty query", {"recent_queries": [""]}),
    ("a query of nothing visible", {"recent_queries": ["\u200b \u200b"]}),
    ("an endless query", {"recent_queries": ["mug " * 10_000]}),
    ("many queries of nothing", {"recent_queries": ["\u200b"] * 20_000}),
]


@pytest.mark.parametrize("user", [row[1] for row in UNUSABLE], ids=[row[0] for row in UNUSABLE])
async def test_a_history_that_cannot_be_used_is_ignored(data: httpx.AsyncClient, user: dict[str, list[str]]) -> None:
    assert await items_of(data, **user) == await items_of(data)


async def test_of_an_over_long_history_the_newest_counts(data: httpx.AsyncClient) -> None:
    known = [f"i{number:03d}" for number in range(60)]
    short = await items_of(data, recent_item_ids=known[-64:])
    assert await items_of(data, recent_item_ids=["i050", "i051"] * 5000 + ["gone"] * 4 + known) == short


async def test_unknown_items_do_not_crowd_out_known_ones(data: httpx.AsyncClient) -> None:
    mixed = ["gone1", "i001", "gone2", "i002", *(f"gone{number}" for number in range(3, 40))]
    assert await items_of(data, recent_item_ids=mixed) == await items_of(data, recent_item_ids=["i001", "i002"])


@pytest.mark.parametrize("query", [*ODD, "zxqv wvut", "\ufdfa" * 256, "a" * 1024, "拉布布", "=1+1"])
async def test_any_earlier_query_is_taken(data: httpx.AsyncClient, query: str) -> None:
    assert await items_of(data, recent_queries=[query], recent_item_ids=["i001"])


async def test_an_unusable_history_in_a_batch_harms_no_other_query(data: httpx.AsyncClient) -> None:
    plain = {"query": "mug", "k": 60}
    odd = {**plain, "user": {"recent_queries": [""] * 100, "recent_item_ids": ["nowhere"] * 100}}
    answers = (await data.post("/retrieve:batch", json={"queries": [plain, odd]})).json()["answers"]
    assert answers[0]["items"] == answers[1]["items"]


async def test_a_batch_names_the_query_that_is_wrong(data: httpx.AsyncClient) -> None:
    response = await data.post("/retrieve:batch", json={"queries": [{"query": "mug"}, {"query": "mug", "k": 0}]})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "queries.1.k"


async def test_a_batch_holds_at_most_64_queries(data: httpx.AsyncClient) -> None:
    response = await data.post("/retrieve:batch", json={"queries": [{"query": "mug"}] * 65})
    assert "at most 64" in response.json()["detail"]


async def test_overload_is_refused_at_once_and_says_when_to_come_back(bound_shop: Snapshot, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, workers=1, queue=1)
    go = threading.Event()

    def slow(*asked: Any) -> Answer:
        go.wait(30)
        return retrieve(*asked)

    statuses: list[int] = []

    async def one(client: httpx.AsyncClient) -> None:
        statuses.append((await client.post("/retrieve", json={"query": "mug"})).status_code)

    async with client_of(app := create_data_app(settings, holder=Holder(bound_shop), search=slow)) as client:
        admission = app.state.plane.admission
        async with anyio.create_task_group() as group:
            group.start_soon(one, client)
            group.start_soon(one, client)
            while admission.depth < 2:
                await anyio.lowlevel.checkpoint()
            refused = await client.post("/retrieve", json={"query": "mug"})
            metrics = (await client.get("/metrics")).text
            assert (await client.get("/livez")).status_code == 200
            go.set()
        after = await client.post("/retrieve", json={"query": "mug"})
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["type"] == "urn:slotbeam:problem:overloaded"
    assert "slotbeam_queue_depth 2.0" in metrics
    assert 'slotbeam_retrieve_requests_total{outcome="overloaded"} 1.0' in metrics
    assert statuses == [200, 200]
    assert after.status_code == 200


async def test_a_request_that_waits_keeps_the_snapshot_it_began_with(bound_shop: Snapshot, tmp_path: Path) -> None:
    holder = Holder(bound_shop)

    def swapping(*asked: Any) -> Answer:
        holder.current = replace(bound_shop, revision=8)
        return retrieve(*asked)

    async with client_of(create_data_app(Settings(data_dir=tmp_path), holder=holder, search=swapping)) as client:
        first = await client.post("/retrieve", json={"query": "mug"})
        second = await client.post("/retrieve", json={"query": "mug"})
    for response, revision in ((first, 7), (second, 8)):
        assert response.json()["bindings"]["revision"] == revision
        assert response.headers["x-bindings-revision"] == str(revision)


async def test_a_bug_is_a_problem_document_and_is_counted(bound_shop: Snapshot, tmp_path: Path) -> None:
    def broken(*_: Any) -> Answer:
        raise ZeroDivisionError("secret")

    app = create_data_app(Settings(data_dir=tmp_path), holder=Holder(bound_shop), search=broken)
    async with client_of(app) as client:
        response = await client.post("/retrieve", json={"query": "mug"})
        metrics = (await client.get("/metrics")).text
    assert response.status_code == 500
    assert "secret" not in response.text
    assert 'slotbeam_retrieve_requests_total{outcome="error"} 1.0' in metrics
