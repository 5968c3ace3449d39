"""Four bugs that the suite of another store missed, and their like: what a watch may lose, repeat or make up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from slotbeam.bindings.store.store import Store
from slotbeam.items.replica.follower import Follower
from slotbeam.items.store.commit import commit_items
from slotbeam.items.store.store import FeedEntry, ItemStore, Seen
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import ServingState
from support.items import RULES, Remembering, delete, edit, following, make_follower, put, titles
from support.live import NOW, QUICK

HANG_S = 60


@pytest.fixture
async def items(store: Store) -> Store:
    await ItemStore(store).initialise()
    return store


class Meddled(ItemStore):
    """A store in which something happens right after it was listed, or whose feed comes otherwise than it is."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.after_listing: Callable[[], Awaitable[object]] | None = None
        self.fed: Callable[[list[FeedEntry]], list[FeedEntry]] = lambda entries: entries
        self.lists = 0

    async def listing(self, known: int | None = None) -> tuple[Seen | None, dict[str, bytes]]:
        self.lists += 1
        found = await super().listing(known)
        if self.after_listing is not None:
            happens, self.after_listing = self.after_listing, None
            await happens()
        return found

    async def feed(self, after: int) -> list[FeedEntry]:
        return self.fed(await super().feed(after))


def meddled(follower: Follower) -> Meddled:
    follower.store = made = Meddled(follower.store.store)
    return made


async def until(follower: Follower, state: ServingState) -> None:
    async with asyncio.timeout(HANG_S):
        while follower.facts.state is not state:
            await follower.status.changed.wait()


async def test_a_watch_created_in_haste_loses_no_event(items: Store, shop: Artifact, tmp_path: Path) -> None:
    """Edits come after the list was read and before the feed is watched."""
    await edit(items, put("a", "one"))
    sink = Remembering()
    follower = make_follower(items, shop, tmp_path, sink)
    meddled(follower).after_listing = lambda: edit(items, put("b", "two"), delete("a"))
    async with following(follower):
        assert await follower.reached(3, HANG_S)
    assert titles(sink.items) == {"a": None, "b": "two"}
    assert sink.calls == [("reset", ("a",), 1), ("apply", ("b", "a"), 3)]


async def test_a_trim_that_meets_a_deletion_does_not_bring_the_item_back(
    items: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    """The entry that says an item is gone is trimmed before the replica has read it."""
    async with following(make_follower(items, shop, tmp_path)) as first:
        await edit(items, put("a"), put("b"))
        assert await first.reached(2, HANG_S)
    await edit(items, delete("a"))
    await edit(items, put("c"))
    raw.xtrim("{sb}:feed", maxlen=1, approximate=False)
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink)) as again:
        assert await again.reached(4, HANG_S)
        assert again.facts.state is ServingState.LIVE
    assert titles(sink.items) == {"a": None, "b": "red mug", "c": "red mug"}


async def test_a_watch_from_a_future_seq_is_held_and_never_joined_to_another_history(
    items: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    """The store is set back, and edited until it goes past what the replica knows."""
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink)) as follower:
        await edit(items, put("a", "one"))
        kept = {str(key): raw.dump(key) or b"" for key in raw.keys("*")}
        await edit(items, put("a", "two"), put("b", "three"))
        assert await follower.reached(3, HANG_S)
        with raw.pipeline(transaction=True) as pipe:
            pipe.flushall()
            for key, value in kept.items():
                pipe.restore(key, 0, value)
            pipe.execute()
        await until(follower, ServingState.REGRESSED)
        for n in range(4):
            await edit(items, put(f"other{n}"))
        await until(follower, ServingState.DIVERGED)
        assert follower.facts.seq == 3
        assert titles(sink.items) == {"a": "two", "b": "three"}


async def test_an_event_that_comes_twice_after_a_reconnect_is_applied_once(
    items: Store, shop: Artifact, tmp_path: Path
) -> None:
    sink = Remembering()
    follower = make_follower(items, shop, tmp_path, sink)
    every: list[FeedEntry] = []

    def again(entries: list[FeedEntry]) -> list[FeedEntry]:
        every.extend(entries)
        return list(every) if entries else []

    store = meddled(follower)
    store.fed = again
    async with following(follower):
        assert await follower.ready()
        for seq, title in enumerate(("one", "two", "three"), 1):
            await edit(items, put("a", title))
            assert await follower.reached(seq, HANG_S)
        assert follower.facts.state is ServingState.LIVE
    assert store.lists == 1, "what was known is passed over, and nothing is read again for it"
    assert [call for call in sink.calls if call[0] == "apply"] == [("apply", ("a",), seq) for seq in (1, 2, 3)]


@pytest.mark.parametrize(
    "forged",
    [
        lambda entry: replace(entry, digest="0" * 32),
        lambda entry: replace(entry, record=entry.record.replace(b"mug", b"jug")),
        lambda entry: replace(entry, epoch="other"),
        lambda entry: replace(entry, seq=entry.seq + 1),
        lambda entry: replace(entry, id="other"),
    ],
    ids=["digest", "record", "epoch", "seq", "id"],
)
async def test_an_entry_that_does_not_follow_is_not_applied_and_everything_is_read_again(
    items: Store, shop: Artifact, tmp_path: Path, forged: Callable[[FeedEntry], FeedEntry]
) -> None:
    sink = Remembering()
    follower = make_follower(items, shop, tmp_path, sink)
    meddled(follower).fed = lambda entries: [forged(entry) for entry in entries]
    async with following(follower):
        assert await follower.ready()
        await edit(items, put("a"))
        assert await follower.reached(1, HANG_S)
        assert follower.facts.state is ServingState.LIVE
    assert titles(sink.items) == {"a": "red mug"}


async def test_more_edits_than_are_read_at_a_time_arrive_in_order_and_batches_whole(
    items: Store, shop: Artifact, tmp_path: Path
) -> None:
    async with following(make_follower(items, shop, tmp_path)) as first:
        await edit(items, put("a"))
        assert await first.reached(1, HANG_S)
    ends = [1]
    for batch, count in enumerate((600, 1000, 500, 1000, 900)):
        operations = [put(f"i{n % 700}", f"title {batch} {n}") for n in range(count)]
        done = await commit_items(ItemStore(items), operations, RULES, actor="test", at=NOW + batch)
        ends.append(done.seq)
    sink = Remembering()
    async with following(make_follower(items, shop, tmp_path, sink)) as again:
        assert await again.reached(4001, HANG_S)
        assert again.facts.state is ServingState.LIVE
    assert [call for call, _, _ in sink.calls] == ["reset", "apply", "apply", "apply"]
    assert {seq for _, _, seq in sink.calls} <= set(ends), "each batch at one moment"
    assert titles(sink.items)["i199"] == "title 4 899"


async def test_a_digest_that_was_changed_past_the_feed_is_found_when_the_head_is_checked(
    items: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    pace = replace(QUICK, check_s=0.05)
    async with following(make_follower(items, shop, tmp_path, pace=pace)) as follower:
        await edit(items, put("a"))
        assert await follower.reached(1, HANG_S)
        raw.hset("{sb}:imeta", "digest", "0" * 32)
        await until(follower, ServingState.DIVERGED)
        raw.hset("{sb}:imeta", "digest", follower.facts.digest)
        await until(follower, ServingState.LIVE)
