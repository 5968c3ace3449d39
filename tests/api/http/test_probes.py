"""Probes, /info and /metrics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.search.snapshot import Holder, ServingState, Snapshot
from slotbeam.settings import Settings
from support.clients import client_of


async def test_livez_answers(data: httpx.AsyncClient) -> None:
    assert (await data.get("/livez")).json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("state", "status"),
    [("live", "ready"), ("none", "ready"), ("degraded", "degraded"), ("hold:REGRESSED", "degraded")],
)
async def test_readyz_is_200_with_a_snapshot_and_says_degraded(
    bound_shop: Snapshot, tmp_path: Path, state: str, status: str
) -> None:
    holder = Holder(replace(bound_shop, state=ServingState(state)))
    async with client_of(create_data_app(Settings(data_dir=tmp_path), holder=holder)) as client:
        response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == status
    assert response.json()["bindings"]["revision"] == 7


async def test_readyz_waits_while_the_store_was_not_heard_of(bound_shop: Snapshot, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, redis_url=f"unix://{tmp_path}/nowhere")
    async with client_of(
        create_data_app(settings, holder=Holder(replace(bound_shop, state=ServingState.NONE)))
    ) as client:
        response = await client.get("/readyz")
        answered = await client.post("/retrieve", json={"query": "mug"})
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert answered.status_code == 200


async def test_info_names_the_model_the_codebook_and_the_sizes(data: httpx.AsyncClient, bound_shop: Snapshot) -> None:
    info = (await data.get("/info")).json()
    assert info["model"] == "shop"
    assert info["codebook_sha"] == bound_shop.artifact.codebook_sha
    assert info["catalog"]["items"] == 60
    assert info["positions"][1]["reserved"] == 4
    assert info["bindings"]["pinned"] == 1
    assert info["trie"]["sids"] == bound_shop.artifact.trie.n_leaves


async def test_metrics_count_what_happened(data: httpx.AsyncClient) -> None:
    await data.post("/retrieve", json={"query": "blue labubu xyzzy"})
    await data.post("/retrieve", json={"query": "mug", "k": 0})
    lines = (await data.get("/metrics")).text.splitlines()
    for expected in (
        'slotbeam_retrieve_requests_total{outcome="ok"} 1.0',
        'slotbeam_retrieve_requests_total{outcome="invalid"} 1.0',
        'slotbeam_binding_activations_total{binding="b_labubu"} 1.0',
        'slotbeam_binding_info{binding="b_labubu",slot="1-4"} 1.0',
        "slotbeam_activations_total 1.0",
        'slotbeam_queries_understood_total{understood="partly"} 1.0',
        'slotbeam_query_words_total{result="known"} 1.0',
        'slotbeam_query_words_total{result="bound"} 1.0',
        'slotbeam_query_words_total{result="unknown"} 1.0',
        'slotbeam_slots{position="1",state="active"} 1.0',
        'slotbeam_slots{position="1",state="free"} 3.0',
        "slotbeam_bindings_applied_revision 7.0",
        'slotbeam_retrieve_duration_seconds_count{stage="decode"} 1.0',
        "slotbeam_retrieve_items_count 1.0",
        "slotbeam_queue_depth 0.0",
    ):
        assert expected in lines


async def test_metrics_never_carry_a_query_or_a_word(data: httpx.AsyncClient) -> None:
    await data.post("/retrieve", json={"query": "blue labubu xyzzy"})
    text = (await data.get("/metrics")).text.replace("b_labubu", "the id of a binding")
    assert not any(word in text for word in ("labubu", "xyzzy", "blue"))


@pytest.mark.parametrize(
    ("query", "use_bindings", "understood"),
    [
        ("blue mug", True, "wholly"),
        ("blue labubu", True, "wholly"),
        ("blue labubu", False, "partly"),
        ("mug xyzzy", True, "partly"),
        ("xyzzy", True, "not"),
        ("labubu", False, "not"),
        ("?!", True, "not"),
    ],
)
async def test_a_query_is_counted_as_understood_wholly_partly_or_not(
    data: httpx.AsyncClient, query: str, use_bindings: bool, understood: str
) -> None:
    answer = await data.post("/retrieve", json={"query": query, "use_bindings": use_bindings})
    assert answer.status_code == 200
    lines = (await data.get("/metrics")).text.splitlines()
    assert sorted(line for line in lines if line.startswith("slotbeam_queries_understood_total{")) == sorted(
        f'slotbeam_queries_understood_total{{understood="{how}"}} {float(how == understood)}'
        for how in ("wholly", "partly", "not")
    )


async def test_the_schema_lists_every_path(data: httpx.AsyncClient) -> None:
    paths = (await data.get("/openapi.json")).json()["paths"]
    assert {"/retrieve", "/retrieve:batch", "/livez", "/readyz", "/metrics", "/info"} <= set(paths)
