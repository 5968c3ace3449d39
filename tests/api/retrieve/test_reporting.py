"""The report on unknown words costs no request anything."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import redis

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import StoreUnavailable
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from slotbeam.suggestions.reporting import INBOX, TrendReporter
from slotbeam.suggestions.trends import BUCKET_S
from support.clients import client_of


async def test_a_store_out_of_reach_costs_suggestions_and_nothing_else(
    bound_shop: Snapshot, raw: redis.Redis, server: EmbeddedStore, tmp_path: Path
) -> None:
    nowhere = f"unix://{tmp_path}/nowhere"
    app = create_data_app(Settings(data_dir=tmp_path, redis_url=nowhere), holder=Holder(bound_shop))
    lost, back = Store(nowhere), Store(server.url)
    async with client_of(app) as client:
        trends = app.state.plane.trends
        for number in range(10):
            answer = await client.post("/retrieve", json={"query": f"blue labubu xyzzy {number}", "k": 3})
            assert answer.status_code == 200
            assert answer.json()["applied_bindings"][0]["word"] == "labubu"
            with pytest.raises(StoreUnavailable):
                await trends.report(lost, "r1")
        assert await trends.report(back, "r1")  # what was counted meanwhile is not lost either
        assert not await trends.report(back, "r1")  # nothing new
    await lost.close()
    [document] = await back.stats()
    await back.close()
    assert list(document["words"]) == ["xyzzy"]
    assert sum(document["words"]["xyzzy"]["recent"].values()) == sum(document["total"]["recent"].values()) == 10


async def test_what_a_named_asker_says_again_counts_once(bound_shop: Snapshot, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, redis_url=f"unix://{tmp_path}/nowhere")
    app = create_data_app(settings, holder=Holder(bound_shop))
    async with client_of(app) as client:
        for number, asker in enumerate(["crawler"] * 5 + ["somebody"] + [""] * 3):
            headers = {"X-Asker": asker} if asker else {}
            await client.post("/retrieve", json={"query": f"xyzzy {number}"}, headers=headers)
        trends = app.state.plane.trends
        assert trends.drain() == 9
        assert sum(trends.counter.entries["xyzzy"].seen.recent.values()) == 1 + 1 + 3


async def test_a_click_is_news_without_another_query(store: Store) -> None:
    trends = TrendReporter()
    trends.note("mug", [])
    assert await trends.report(store, "r1")
    trends.note_click(b"mark")
    assert await trends.report(store, "r1")
    [document] = await store.stats()
    assert document["unclicked"]["clicked"] == [b"mark".hex()]
    assert not await trends.report(store, "r1")


async def test_reports_go_on_after_any_failure(raw: redis.Redis, server: EmbeddedStore) -> None:
    failures, published = [StoreUnavailable("x"), RuntimeError("x")], asyncio.Event()

    class Failing(Store):
        async def publish_stats(self, replica: str, document: Mapping[str, Any]) -> None:
            if failures:
                raise failures.pop()
            await super().publish_stats(replica, document)
            published.set()

    store = Failing(server.url)
    trends = TrendReporter(every_s=0.001)
    trends.note("labubu", ["labubu"])
    task = asyncio.create_task(trends.run(store, "r1"))
    async with asyncio.timeout(20):
        await published.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.close()
    assert raw.exists("{sb}:stats:r1")


def test_the_inbox_is_bounded_and_keeps_the_newest() -> None:
    trends = TrendReporter(lambda: 5 * BUCKET_S)
    for number in range(INBOX + 10):
        trends.note("q", ["last"] if number >= INBOX else ["2026", "x"])
    assert [trends.drain(), trends.drain()] == [INBOX, 0]
    assert {word: entry.seen.recent for word, entry in trends.counter.entries.items()} == {"last": {5: 10}}


def test_a_clock_that_was_far_ahead_is_forgotten() -> None:
    now = [10**9 * BUCKET_S]
    trends = TrendReporter(lambda: now[0])
    trends.note("labubu", ["labubu"])
    trends.drain()
    now[0] = 100 * BUCKET_S
    trends.note("crocs", ["crocs"])
    trends.drain()
    assert (trends.counter.bucket, list(trends.counter.entries)) == (100, ["crocs"])


async def test_without_a_store_nothing_is_counted(bound_shop: Snapshot, tmp_path: Path) -> None:
    app = create_data_app(Settings(data_dir=tmp_path), holder=Holder(bound_shop))
    async with client_of(app) as client:
        assert (await client.post("/retrieve", json={"query": "xyzzy"})).status_code == 200
    assert app.state.plane.trends is None
