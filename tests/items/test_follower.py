"""A replica knows which items changed, whatever happens to store, feed, disk and process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from slotbeam.bindings.store.store import Store
from slotbeam.items.record import Digest, ItemRecord, Op
from slotbeam.items.replica.follower import Follower
from slotbeam.items.store.store import ItemStore
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import ServingState
from support.items import Remembering, delete, edit, following, make_follower, patch, put, titles


@pytest.fixture
async def items(store: Store) -> Store:
    """A store whose items are at seq 0."""
    await ItemStore(store).initialise()
    return store


def dumped(raw: redis.Redis) -> dict[str, bytes]:
    """Everything that the store holds, to be restored."""
    return {str(key): raw.dump(key) or b"" for key in raw.keys("*")}


async def until(follower: Follower, true: Callable[[], bool], guard_s: float = 20.0) -> None:
    """Wait until `true` after some change of the follower's facts; a hang guard, not a measure."""
    async with asyncio.timeout(guard_s):
        while not true():
            try:
                async with asyncio.timeout(0.25):
                    await follower.status.changed.wait()
            except TimeoutError:
                pass


async def test_edits_reach_the_sink_in_order_each_once(items: Store, shop: Artifact, tmp_path: Path) -> None:
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink)) as follower:
        assert await follower.ready()
        await edit(items, put("a", "one"), put("b", "two"))
        assert await follower.reached(2, 20)
        await edit(items, patch("a", title="uno"), delete("b"))
        assert await follower.reached(4, 20)
        assert titles(sink.items) == {"a": "uno", "b": None}
        assert sink.calls == [("reset", (), 0), ("apply", ("a", "b"), 2), ("apply", ("a", "b"), 4)]
        facts = follower.facts
        assert (facts.state, facts.seq, facts.count) == (ServingState.LIVE, 4, 2)
        assert facts.digest == str(Digest.of(follower.records.values()))


async def test_a_data_plane_before_a_store_without_items_is_ready_at_once(
    store: Store, shop: Artifact, tmp_path: Path
) -> None:
    await store.initialise()
    async with following(make_follower(store, shop, tmp_path)) as follower:
        assert await follower.ready(timeout_s=20), "and not after the 30 s that a store may be away"
        assert (follower.facts.state, follower.facts.seq) == (ServingState.NONE, 0)


async def test_a_replica_that_comes_later_is_handed_everything_at_once(
    items: Store, shop: Artifact, tmp_path: Path
) -> None:
    await edit(items, put("a", "one"), put("b", "two"))
    await edit(items, delete("a"))
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink)) as follower:
        assert await follower.reached(3, 20)
        assert sink.calls == [("reset", ("a", "b"), 3)]
        assert titles(sink.items) == {"a": None, "b": "two"}


async def test_a_replica_boots_from_its_file_and_journal_when_the_store_is_dead(
    items: Store, shop: Artifact, tmp_path: Path
) -> None:
    async with following(make_follower(items, shop, tmp_path)) as follower:
        await edit(items, put("a", "one"))
        assert await follower.reached(1, 20)
        await edit(items, put("b", "two"))
        await edit(items, put("a", "uno"))
        assert await follower.reached(3, 20)
    dead, sink = Store("unix:///nowhere/redis.sock"), Remembering()
    again = make_follower(dead, shop, tmp_path, sink)
    await again.boot()
    await dead.close()
    assert titles(sink.items) == {"a": "uno", "b": "two"}
    assert (again.facts.state, again.facts.seq) == (ServingState.DEGRADED, 3)


async def test_a_replica_that_was_away_reads_only_what_it_missed(items: Store, shop: Artifact, tmp_path: Path) -> None:
    async with following(make_follower(items, shop, tmp_path)) as follower:
        await edit(items, put("a", "one"), put("b", "two"))
        assert await follower.reached(2, 20)
    await edit(items, put("c", "three"))
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink)) as again:
        assert await again.reached(3, 20)
    assert sink.calls == [("reset", ("a", "b"), 2), ("apply", ("c",), 3)]


async def test_a_trimmed_feed_means_a_list_and_only_what_differs_is_handed_on(
    items: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    async with following(make_follower(items, shop, tmp_path)) as follower:
        await edit(items, put("a", "one"), put("b", "two"))
        assert await follower.reached(2, 20)
    await edit(items, put("c", "three"), delete("b"))
    raw.xtrim("{sb}:feed", maxlen=0, approximate=False)
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink)) as again:
        assert await again.reached(4, 20)
        assert again.facts.state is ServingState.LIVE
    assert sink.calls[0] == ("reset", ("a", "b"), 2)
    assert [(call, set(ids), seq) for call, ids, seq in sink.calls[1:]] == [("apply", {"b", "c"}, 4)]


async def test_a_flushed_store_is_held_against_and_nothing_served_is_lost(
    items: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink, role="admin")) as follower:
        await edit(items, put("a", "one"))
        assert await follower.reached(1, 20)
        raw.flushall()
        await until(follower, lambda: follower.facts.state is ServingState.NO_EPOCH)
        assert titles(sink.items) == {"a": "one"}
        assert follower.facts.seq == 1
        assert not raw.keys("*"), "a replica never repopulates the store by itself"


async def test_an_older_replica_promoted_is_held_against_until_the_store_is_back(
    items: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink)) as follower:
        await edit(items, put("a", "one"))
        kept = dumped(raw)
        await edit(items, put("a", "two"))
        assert await follower.reached(2, 20)
        newest = dumped(raw)
        for state, held in ((ServingState.REGRESSED, kept), (ServingState.LIVE, newest)):
            raw.flushall()
            for key, value in held.items():
                raw.restore(key, 0, value, replace=True)
            await until(follower, lambda state=state: follower.facts.state is state)  # type: ignore[misc]
            assert titles(sink.items) == {"a": "two"}


async def test_another_history_at_a_known_seq_is_held_against(
    items: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink)) as follower:
        await edit(items, put("a", "one"))
        kept = dumped(raw)
        await edit(items, put("a", "two"))
        assert await follower.reached(2, 20)
        with raw.pipeline(transaction=True) as pipe:
            pipe.flushall()
            for key, value in kept.items():
                pipe.restore(key, 0, value, replace=True)
            pipe.execute()
        await edit(items, put("a", "other"), put("b", "more"))
        await until(follower, lambda: follower.facts.state is ServingState.DIVERGED)
        assert titles(sink.items) == {"a": "two"}


@pytest.mark.parametrize("names", [True, False])
async def test_a_record_that_the_sink_cannot_take_is_named_and_the_rest_is_served(
    items: Store, shop: Artifact, tmp_path: Path, names: bool
) -> None:
    sink = Remembering()
    sink.refuses, sink.names = {"b"}, names
    async with following(make_follower(items, shop, tmp_path, sink)) as follower:
        await edit(items, put("a"), put("b"), put("c"))
        assert await follower.reached(3, 20)
        assert set(sink.items) == {"a", "c"}
        assert list(follower.facts.failed) == ["b"]
        assert follower.facts.failed["b"].startswith("NACK:BUILD")
        sink.refuses = set()
        await edit(items, put("b", "blue mug"))
        assert await follower.reached(4, 20)
        assert not follower.facts.failed
        assert set(sink.items) == {"a", "b", "c"}


async def test_a_poison_record_written_past_the_admin_is_named_and_the_rest_is_served(
    items: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink)) as follower:
        await edit(items, put("a"))
        assert await follower.reached(1, 20)
        poison = b'{"item":{"id":"b"},"op":"put","seq":2}'  # no title
        digest = Digest(follower.facts.digest)
        digest.replace(None, poison)
        with raw.pipeline(transaction=True) as pipe:
            pipe.hset("{sb}:item", "b", poison)
            epoch = follower.facts.epoch
            pipe.xadd("{sb}:feed", {"epoch": epoch, "id": "b", "record": poison, "digest": str(digest)}, id="2-0")
            pipe.hset("{sb}:imeta", mapping={"seq": "2", "digest": str(digest), "count": "2"})
            pipe.execute()
        assert await follower.reached(2, 20)
        assert follower.facts.failed["b"].startswith("NACK:RECORD title: is missing")
        assert set(sink.items) == {"a"}


async def test_a_record_changed_past_the_feed_is_found_when_everything_is_listed(
    items: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    await edit(items, put("a"), put("b"))
    raw.hset("{sb}:item", "a", ItemRecord(Op.PUT, 1, {"id": "a", "title": "forged"}).data())
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink)) as follower:
        await until(follower, lambda: follower.facts.state is ServingState.DIVERGED)
    assert not sink.calls


async def test_one_item_among_many_that_nobody_names_is_found_by_halves(
    items: Store, shop: Artifact, tmp_path: Path
) -> None:
    sink = Remembering()
    sink.refuses, sink.names = {"i37", "i38", "i99"}, False
    await edit(items, *(put(f"i{n}") for n in range(200)))
    async with following(make_follower(items, shop, tmp_path, sink)) as follower:
        assert await follower.reached(200, 20)
        assert set(follower.facts.failed) == sink.refuses
        assert len(sink.items) == 197
    assert len(sink.calls) < 40
