"""What goes wrong while items are edited: nothing acknowledged is lost, nothing served is torn, nothing is silent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import redis

from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import IdempotencyReused, OutcomeUnknown, StoreError, StoreUnavailable
from slotbeam.items.record import Digest
from slotbeam.items.store.commit import ItemsRules, commit_items
from slotbeam.items.store.store import ItemStore, Seen
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import ServingState
from support.items import RULES, Remembering, delete, edit, following, make_follower, outcomes, patch, put, titles
from torture.proxy import Proxy
from torture.server import StoreServer

HANG_S = 60


class Editing:
    """A client that edits one item after another and remembers what was acknowledged."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.acknowledged: dict[str, str] = {}
        self.unsure: set[str] = set()
        self.number = 0

    async def run(self) -> None:
        while True:
            self.number += 1
            item_id, title = f"i{self.number % 20}", f"title {self.number}"
            self.unsure.add(title)  # until it is answered; the last may be cut off in the middle
            try:
                await edit(self.store, put(item_id, title))
            except OutcomeUnknown:
                continue
            except StoreError:
                await asyncio.sleep(0.01)
            else:
                self.acknowledged[item_id] = title
            self.unsure.remove(title)

    async def more(self, count: int) -> None:
        """Wait for so many edits more that are acknowledged, or tried where none can be."""
        wanted = self.number + count
        async with asyncio.timeout(HANG_S):
            while self.number < wanted:
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def editing(store: Store) -> AsyncIterator[Editing]:
    client = Editing(store)
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("cut", [False, True], ids=["killed", "power cut"])
async def test_no_acknowledged_edit_is_lost_when_the_store_dies_in_the_middle(
    shop: Artifact, tmp_path: Path, cut: bool
) -> None:
    sink = Remembering()
    async with StoreServer(tmp_path / "store", recorded=cut) as server:
        store = Store(server.url, strict=True, lookup_s=0.2)
        watched = Store(server.url)
        await ItemStore(store).initialise()
        async with following(make_follower(watched, shop, tmp_path, sink)) as follower:
            async with editing(store) as client:
                for _ in range(3):
                    await client.more(5)
                    await (server.cut() if cut else server.kill())
                    await server.start()
                    await client.more(5)
            seen, records = await ItemStore(store).listing()
            assert seen is not None
            assert await follower.reached(seen.head.seq, HANG_S)
            assert follower.facts.state is ServingState.LIVE
            assert str(Digest.of(records.values())) == seen.head.digest == follower.facts.digest
            served = titles(sink.items)
            for item_id, title in client.acknowledged.items():
                assert served[item_id] == title or served[item_id] in client.unsure
        await store.close()
        await watched.close()


@pytest.fixture
async def proxied(server: EmbeddedStore, raw: redis.Redis, tmp_path: Path) -> AsyncIterator[tuple[Proxy, Store]]:
    """A store behind a network that fails on command, its items at seq 0."""
    target = Path(server.url.removeprefix("unix://"))
    async with Proxy(tmp_path / "proxy.sock", target) as proxy:
        store = Store(proxy.url, strict=True, lookup_s=0.3)
        await ItemStore(store).initialise()
        yield proxy, store
        await store.close()


def commits(chunk: bytes) -> bool:
    return b"EVAL" in chunk and b"{sb}:imeta" in chunk


async def test_a_lost_reply_is_looked_up_and_a_client_that_sends_again_does_nothing_twice(
    proxied: tuple[Proxy, Store], raw: redis.Redis
) -> None:
    proxy, store = proxied
    await edit(store, put("z"))  # the server knows the script from here on
    proxy.lose_reply(commits)
    done = await edit(store, put("a"), idempotency_key="k1", fingerprint="f")
    assert (done.seq, done.durability, done.replayed) == (2, "appendfsync always", False)
    loop = asyncio.get_running_loop()

    def cut(chunk: bytes) -> bool:
        if commits(chunk):
            loop.call_soon(proxy.partition)
        return commits(chunk)

    proxy.lose_reply(cut)
    with pytest.raises(OutcomeUnknown, match="may have been written") as unknown:
        await edit(store, put("b"), put("c", " "), delete("a"), idempotency_key="k2", fingerprint="f")
    assert unknown.value.details["idempotency_key"] == "k2"
    proxy.heal()
    async with asyncio.timeout(HANG_S):
        while True:
            with contextlib.suppress(StoreUnavailable):
                again = await edit(store, put("b"), put("c", " "), delete("a"), idempotency_key="k2", fingerprint="f")
                break
    assert outcomes(again) == ["created", "refused", "deleted"]
    assert [outcome.seq for outcome in again.outcomes] == [3, None, 4]
    assert raw.xlen("{sb}:feed") == again.seq, "each edit once"
    with pytest.raises(IdempotencyReused):
        await edit(store, put("b"), idempotency_key="k2", fingerprint="other")


async def test_what_is_so_already_is_not_acknowledged_before_it_is_on_disk(store: Store, raw: redis.Redis) -> None:
    """Who asks again with another key, after the disk did not confirm it, would be told that it is kept."""
    await ItemStore(store).initialise()
    raw.config_set("appendfsync", "no")  # nothing is synced, and WAITAOF waits in vain
    try:
        with pytest.raises(OutcomeUnknown, match="did not confirm that it is on disk"):
            await edit(store, put("a"))
        with pytest.raises(OutcomeUnknown, match="did not confirm that it is on disk"):
            await edit(store, put("a"))
        raw.config_set("appendfsync", "everysec")
        again = await edit(store, put("a"))
        assert (outcomes(again), again.seq, again.durability) == (["unchanged"], 1, "waitaof")
    finally:
        raw.config_set("appendfsync", "always")


async def test_a_replica_behind_a_network_that_fails_catches_up_and_says_so(
    proxied: tuple[Proxy, Store], server: EmbeddedStore, shop: Artifact, tmp_path: Path
) -> None:
    proxy, far = proxied
    sink, near = Remembering(), Store(server.url)
    async with following(make_follower(far, shop, tmp_path, sink)) as follower:
        await edit(near, put("a"))
        assert await follower.reached(1, HANG_S)
        proxy.partition()
        async with asyncio.timeout(HANG_S):
            while follower.facts.state is not ServingState.DEGRADED:
                await follower.status.changed.wait()
        await edit(near, put("b"))
        assert titles(sink.items) == {"a": "red mug"}
        proxy.heal()
        proxy.slice(1)
        assert await follower.reached(2, HANG_S)
        assert titles(sink.items) == {"a": "red mug", "b": "red mug"}
        assert not follower.facts.failed
    await near.close()


async def test_two_control_planes_that_edit_at_once_lose_nothing(
    server: EmbeddedStore, store: Store, raw: redis.Redis
) -> None:
    await ItemStore(store).initialise()
    others = [Store(server.url, strict=True) for _ in range(3)]
    await asyncio.gather(*(edit(one, put(f"{n}-{k}")) for n, one in enumerate(others) for k in range(5)))
    for one in others:
        await one.close()
    seen, records = await ItemStore(store).listing()
    assert seen is not None
    assert (seen.head.seq, len(records), seen.count) == (15, 15, 15)
    assert str(Digest.of(records.values())) == seen.head.digest


async def test_the_feed_is_trimmed_and_its_end_stays(store: Store, raw: redis.Redis) -> None:
    await ItemStore(store).initialise()
    short = ItemsRules(RULES.base, {}, 10_000, keep=50)
    for start in range(0, 1000, 250):
        await edit(store, *(put(f"i{n}") for n in range(start, start + 250)), rules=short)
    assert 50 <= raw.xlen("{sb}:feed") < 400
    [(newest, _)] = raw.xrevrange("{sb}:feed", count=1)  # type: ignore[misc]
    assert newest == "1000-0"


async def test_only_so_many_keys_are_remembered(store: Store, raw: redis.Redis) -> None:
    await ItemStore(store).initialise()
    for n in range(4):
        raw.hset("{sb}:imeta", "commits", str(10_000 * n + 6))  # each takes the place of the one 10 000 commits before
        await edit(store, put("a", f"title {n}"), idempotency_key=f"k{n}", fingerprint="f")
    kept: dict[str, str] = raw.hgetall("{sb}:iidem")  # type: ignore[assignment]
    assert {name for name in kept if name.startswith("key:")} == {"key:k3"}


async def test_an_edit_that_somebody_made_meanwhile_is_planned_on(store: Store, server: EmbeddedStore) -> None:
    """A patch is of what there is, not of what there was when it was asked for."""
    await ItemStore(store).initialise()
    other = Store(server.url)
    planned: list[int] = []

    class Early(ItemStore):
        async def records(self, ids: Sequence[str]) -> tuple[Seen | None, dict[str, bytes | None]]:
            seen, found = await super().records(ids)
            planned.append(seen.head.seq if seen else -1)
            if len(planned) == 1:
                await edit(other, put("a", "two", description="soft"))
            return seen, found

    await edit(other, put("a", "one"))
    early = Early(store)
    done = await commit_items(early, [patch("a", title="three")], RULES, actor="t", at=0)
    await other.close()
    assert (planned, done.seq) == ([1, 2], 3)
    _, records = await early.records(["a"])
    assert b'"description":"soft","id":"a","title":"three"' in (records["a"] or b"")


async def test_keys_that_slotbeam_did_not_write_refuse_the_edit(store: Store, raw: redis.Redis) -> None:
    await ItemStore(store).initialise()
    raw.set("{sb}:item", "not a hash")
    with pytest.raises(StoreError, match="nothing was written"):
        await edit(store, put("a"))


async def test_a_store_that_could_lose_an_edit_is_not_written_to(store: Store, raw: redis.Redis) -> None:
    await ItemStore(store).initialise()
    raw.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(StoreUnavailable, match="may evict"):
            await edit(store, put("a"))
    finally:
        raw.config_set("maxmemory-policy", "noeviction")
    assert not raw.exists("{sb}:item")


async def test_a_store_without_an_epoch_takes_no_items(server: EmbeddedStore, raw: redis.Redis) -> None:
    empty = Store(server.url)
    with pytest.raises(StoreUnavailable, match="no epoch of items"):
        await edit(empty, put("a"))
    raw.hset("{sb}:item", "a", "left over")
    assert not await ItemStore(empty).initialise(), "records without an epoch are not begun over"
    await empty.close()
