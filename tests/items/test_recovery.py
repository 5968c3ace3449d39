"""Items that a store lost are brought back by hand, as a new epoch that every replica takes over."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import redis

from slotbeam.bindings.store.store import Store
from slotbeam.errors import Conflict, SetupError
from slotbeam.items.recovery import items_of, last_good_items, plan_items_restore, restore_items
from slotbeam.items.store.store import ItemStore
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import ServingState
from support.items import Remembering, delete, edit, following, make_follower, put, titles

HANG_S = 60


async def test_what_a_replica_served_is_brought_back_and_every_replica_goes_on(
    store: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    items, sink, other = ItemStore(store), Remembering(), Remembering()
    await items.initialise()
    async with (
        following(make_follower(store, shop, tmp_path, sink)) as first,
        following(make_follower(store, shop, tmp_path / "other", other)) as second,
    ):
        await edit(store, put("a", "one"), put("b", "two"), delete("b"))
        for follower in (first, second):
            assert await follower.reached(3, HANG_S)
        raw.flushall()
        async with asyncio.timeout(HANG_S):
            while first.facts.state is not ServingState.NO_EPOCH:
                await first.status.changed.wait()
        plan = await plan_items_restore(items, *last_good_items(tmp_path), tmp_path)
        assert (plan.added, plan.changed, plan.removed, plan.risks) == (("a", "b"), (), (), ())
        assert plan.seq == 1003
        assert await restore_items(items, plan, "test", 0) == "appendfsync always"
        for follower in (first, second):
            assert await follower.reached(1003, HANG_S)
            assert follower.facts.epoch == plan.epoch
        done = await edit(store, put("c", "three"))
        assert done.seq == 1004
        for follower, served in ((first, sink), (second, other)):
            assert await follower.reached(1004, HANG_S)
            assert follower.facts.state is ServingState.LIVE
            assert titles(served.items) == {"a": "one", "b": None, "c": "three"}


async def test_what_would_be_overwritten_is_told_and_a_store_that_moved_is_not_written_to(
    store: Store, shop: Artifact, tmp_path: Path
) -> None:
    items = ItemStore(store)
    await items.initialise()
    async with following(make_follower(store, shop, tmp_path)) as follower:
        await edit(store, put("a", "one"))
        assert await follower.reached(1, HANG_S)
    await edit(store, put("a", "newer"), put("b"))
    plan = await plan_items_restore(items, *items_of(tmp_path / "last-good" / "items-data"), tmp_path)
    assert (plan.added, plan.changed, plan.removed) == ((), ("a",), ("b",))
    assert [risk.partition(" ")[0] for risk in plan.risks] == ["1", "the"]
    await edit(store, put("c"))
    with pytest.raises(Conflict, match="changed meanwhile; nothing was written"):
        await restore_items(items, plan, "test", 0)


def test_without_a_file_there_is_nothing_to_bring_back(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="has served items"):
        last_good_items(tmp_path)
    with pytest.raises(SetupError, match="is not there"):
        items_of(tmp_path / "items-data")
