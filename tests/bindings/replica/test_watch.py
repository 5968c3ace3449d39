"""A replica follows the store, whatever the store does."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis

from slotbeam.api.http.vitals import following_metrics
from slotbeam.bindings.binding import encode_items
from slotbeam.bindings.edits.plan import Change, Edit
from slotbeam.bindings.replica.lastgood import load
from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.bindings.replica.pace import Pace
from slotbeam.bindings.replica.watch import Watcher
from slotbeam.bindings.store.store import Store
from slotbeam.catalog.item import Item
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import StoreUnavailable
from slotbeam.indexing.live import LiveIndex
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Overlay
from slotbeam.types import Slot
from support.live import NOW, QUICK, Clock, binds, heartbeat, make_binding, places, unbinds, until, watching, write
from support.replies import fields

S4, S5 = Slot(1, 4), Slot(1, 5)
GUARD_S = 20.0


class Polled(Store):
    """A store whose log hints at nothing; `polls` counts how often it was waited for."""

    polls = 0

    async def changed(self, revision: int) -> None:
        self.polls += 1
        await asyncio.sleep(0.01)


@pytest.fixture
async def polled(store: Store) -> AsyncIterator[Polled]:
    """The store of `store`, followed without hints."""
    made = Polled(store.url)
    yield made
    await made.close()


@pytest.fixture
async def watcher(store: Store, shop: Artifact, tmp_path: Path) -> AsyncIterator[Watcher]:
    async with watching(store, shop, tmp_path) as running:
        assert await running.ready(GUARD_S)
        yield running


def words(watcher: Watcher) -> set[str]:
    return set(watcher.holder.current.overlay.words)


def serves(watcher: Watcher, wanted: set[str]) -> bool:
    return words(watcher) == wanted


def saved_revision(watcher: Watcher) -> int:
    good, _ = load(watcher.serving.path, watcher.artifact.codebook_sha)
    return good.listing.revision if good else -1


async def test_a_commit_becomes_the_snapshot(store: Store, shop: Artifact, watcher: Watcher) -> None:
    assert watcher.holder.current.state == "live"
    binding = make_binding("labubu", "拉布布")
    done = await write(store, shop.codebook_sha, binds(binding, S4))
    assert await watcher.reached(done.revision, GUARD_S)
    snapshot = watcher.holder.current
    assert (snapshot.revision, snapshot.epoch, words(watcher)) == (1, watcher.facts.epoch, {"labubu", "拉布布"})
    assert snapshot.active == watcher.facts.active != ""
    await write(store, shop.codebook_sha, unbinds(binding.id))
    assert await watcher.reached(2, GUARD_S)
    assert words(watcher) == set()


async def test_however_long_a_store_was_gone_it_is_tried_again_within_two_seconds(
    shop: Artifact, tmp_path: Path
) -> None:
    longest: list[float] = []

    def at_once(least_s: float, most_s: float) -> float:
        assert least_s == 0.0
        longest.append(most_s)
        return 0.0

    gone = Store(f"unix://{tmp_path / 'nothing'}")
    async with watching(gone, shop, tmp_path, pace=Pace(draw=at_once)), asyncio.timeout(GUARD_S):
        while len(longest) < 20:
            await asyncio.sleep(0.001)
    await gone.close()
    assert longest[:5] == [0.1, 0.2, 0.4, 0.8, 1.6]
    assert set(longest[5:]) == {2.0}


async def test_an_edit_is_applied_in_a_second_process(
    server: EmbeddedStore, store: Store, shop: Artifact, tmp_path: Path
) -> None:
    script = Path(__file__).parents[2] / "support" / "replica_process.py"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script), server.url, str(tmp_path)), stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while await process.stdout.readline() != b"live 0 \n":
                assert process.returncode is None
            await write(store, shop.codebook_sha, binds(make_binding(), S4))
            assert await process.stdout.readline() == b"live 1 i001,i002\n"
            other = await heartbeat(store, 1)
            assert (other["id"], other["revision"], other["state"]) == ("other", 1, "live")
    finally:
        process.kill()
        await process.wait()


async def test_a_lost_event_is_made_good_by_the_next_poll(
    store: Store, polled: Polled, shop: Artifact, tmp_path: Path
) -> None:
    async with watching(polled, shop, tmp_path) as watcher:
        assert await watcher.ready(GUARD_S)
        await write(store, shop.codebook_sha, binds(make_binding(), S4))
        assert await watcher.reached(1, GUARD_S)


async def test_a_trimmed_log_is_no_loss(store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path) -> None:
    for number in range(3):
        await write(store, shop.codebook_sha, binds(make_binding(f"w{number}"), Slot(1, 4 + number)))
    raw.xtrim("{sb}:log", maxlen=0)
    async with watching(store, shop, tmp_path) as watcher:
        assert await watcher.reached(3, GUARD_S)
        assert words(watcher) == {"w0", "w1", "w2"}


async def test_a_revision_is_reported_only_after_its_build(store: Store, shop: Artifact, tmp_path: Path) -> None:
    go, asked = threading.Event(), threading.Event()

    def build(artifact: Artifact, bounds: Any, previous: Any = None) -> Any:
        if bounds:
            asked.set()
            assert go.wait(GUARD_S)
        return build_overlay(artifact, bounds, previous)

    async with watching(store, shop, tmp_path, build=build) as watcher:
        assert await watcher.ready(GUARD_S)
        await write(store, shop.codebook_sha, binds(make_binding(), S4))
        await asyncio.to_thread(asked.wait, GUARD_S)
        assert (watcher.facts.revision, watcher.holder.current.revision) == (0, 0)
        assert watcher.heartbeat()["revision"] == 0
        go.set()
        assert await watcher.reached(1, GUARD_S)


async def test_an_outage_leaves_the_last_good_snapshot(shop: Artifact, tmp_path: Path) -> None:
    server = EmbeddedStore(tmp_path / "store")
    store = Store(server.start(), strict=True)
    try:
        await store.initialise()
        async with watching(store, shop, tmp_path) as watcher:
            await write(store, shop.codebook_sha, binds(make_binding(), S4))
            assert await watcher.reached(1, GUARD_S)
            server.stop()
            await until(watcher, lambda: watcher.facts.state == "degraded")
            assert words(watcher) == {"labubu"}
            assert watcher.holder.current.state == "degraded"
            assert "did not answer" in str(watcher.facts.last_error)
            assert watcher.facts.reload_failures["store"] >= 1
            server.start()
            await until(watcher, lambda: watcher.facts.state == "live")
            assert watcher.facts.last_error is None
            assert watcher.facts.staleness_s is not None
    finally:
        await store.close()
        server.stop()


async def test_a_replica_boots_from_its_file_when_the_store_is_dead(
    store: Store, shop: Artifact, tmp_path: Path
) -> None:
    async with watching(store, shop, tmp_path) as watcher:
        await write(store, shop.codebook_sha, binds(make_binding(), S4))
        assert await watcher.reached(1, GUARD_S)
        await until(watcher, lambda: saved_revision(watcher) == 1)
        active = watcher.facts.active
    dead = Store(f"unix://{tmp_path}/none")
    async with watching(dead, shop, tmp_path) as again:
        assert await again.ready(GUARD_S)
        snapshot = again.holder.current
        assert (snapshot.state, snapshot.revision, snapshot.active) == ("degraded", 1, active)
        assert words(again) == {"labubu"}
        assert again.facts.staleness_s is None
    await dead.close()


async def test_without_store_and_file_a_replica_serves_the_base_and_is_not_ready(
    shop: Artifact, tmp_path: Path
) -> None:
    dead = Store(f"unix://{tmp_path}/none")
    async with watching(dead, shop, tmp_path) as watcher:
        assert not await watcher.ready(0.05)
        assert watcher.holder.current.state == "none"
    await dead.close()


async def test_a_store_that_nobody_initialised_counts_as_seen(
    server: EmbeddedStore, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    store = Store(server.url)
    async with watching(store, shop, tmp_path) as watcher:
        assert await watcher.ready(GUARD_S)
        assert watcher.holder.current.state == "none"
        await store.initialise()
        await until(watcher, lambda: watcher.facts.state == "live")
    await store.close()


async def test_a_flushed_store_is_held_and_never_repopulated(
    store: Store, shop: Artifact, raw: redis.Redis, watcher: Watcher
) -> None:
    await write(store, shop.codebook_sha, binds(make_binding(), S4))
    assert await watcher.reached(1, GUARD_S)
    raw.flushall()
    await until(watcher, lambda: watcher.facts.state == "hold:NO_EPOCH")
    assert words(watcher) == {"labubu"}
    assert watcher.holder.current.revision == 1
    assert not raw.exists("{sb}:meta")


async def test_a_lower_revision_is_held_until_a_restore(
    store: Store, shop: Artifact, raw: redis.Redis, watcher: Watcher
) -> None:
    old = fields(str, raw.hgetall("{sb}:meta"))
    await write(store, shop.codebook_sha, binds(make_binding(), S4))
    assert await watcher.reached(1, GUARD_S)
    raw.hset("{sb}:meta", mapping=dict(old.items()))
    raw.delete("{sb}:binding", "{sb}:log")
    await until(watcher, lambda: watcher.facts.state == "hold:REGRESSED")
    assert words(watcher) == {"labubu"}
    raw.hset("{sb}:meta", mapping={"epoch": "restored", "rev": "1001", "began": "1001"})
    assert await watcher.reached(1001, GUARD_S)
    assert (watcher.facts.state, watcher.facts.epoch, words(watcher)) == ("live", "restored", set())


async def test_records_that_do_not_add_up_are_held_until_they_do(
    store: Store, shop: Artifact, raw: redis.Redis, watcher: Watcher
) -> None:
    binding = make_binding()
    await write(store, shop.codebook_sha, binds(binding, S4))
    assert await watcher.reached(1, GUARD_S)
    await until(watcher, lambda: watcher._seen is not None and watcher._seen.revision == 1)
    record = raw.hget("{sb}:binding", binding.id)
    raw.hset("{sb}:binding", binding.id, make_binding("evil", id=binding.id).record())
    await watcher.sync()  # the full check that is due every half minute
    assert watcher.facts.state == "hold:DIVERGED"
    assert words(watcher) == {"labubu"}
    raw.hset("{sb}:binding", binding.id, str(record))
    await watcher.sync()
    assert watcher.facts.state == "live"


async def test_a_heartbeat_is_read_whatever_its_error_says(store: Store) -> None:
    said = "no space left: '/data/\udcff/拉布布'"
    await store.beat("r1", {"revision": 7, "failed": {}, "state": "live", "error": said})
    [beat] = await store.replicas()
    assert beat == {"id": "r1", "revision": 7, "failed": {}, "state": "live", "error": said.replace("\udcff", "?")}


async def test_a_head_as_before_does_not_end_a_hold(
    store: Store, polled: Polled, shop: Artifact, raw: redis.Redis, tmp_path: Path
) -> None:
    binding = make_binding()
    await write(store, shop.codebook_sha, binds(binding, S4))
    async with watching(polled, shop, tmp_path) as watcher:
        assert await watcher.reached(1, GUARD_S)
        raw.hset("{sb}:binding", binding.id, make_binding("evil", id=binding.id).record())
        await watcher.sync()
        before = polled.polls
        await until(watcher, lambda: polled.polls >= before + 3)
        assert watcher.facts.state == watcher.holder.current.state == "hold:DIVERGED"


async def test_a_change_past_the_log_is_found_by_the_next_full_check(
    store: Store, polled: Polled, shop: Artifact, raw: redis.Redis, tmp_path: Path
) -> None:
    binding = make_binding()
    await write(store, shop.codebook_sha, binds(binding, S4))
    async with watching(polled, shop, tmp_path, pace=replace(QUICK, check_s=0.05)) as watcher:
        assert await watcher.reached(1, GUARD_S)
        raw.hset("{sb}:binding", binding.id, make_binding("evil", id=binding.id).record())
        await until(watcher, lambda: watcher.facts.state == "hold:DIVERGED")
        assert words(watcher) == {"labubu"}


async def test_a_dead_store_is_asked_later_and_later_each_time_at_random(shop: Artifact, tmp_path: Path) -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    dead = Store(f"unix://{tmp_path}/nowhere")
    async with watching(dead, shop, tmp_path, pace=replace(QUICK, draw=uniform)) as watcher:
        await until(watcher, lambda: len(drawn) >= 6)
    await dead.close()
    assert drawn[:6] == [(0, delay) for delay in (0.01, 0.02, 0.04, 0.08, 0.1, 0.1)]


async def test_a_poisonous_record_is_reported_and_the_rest_is_served(
    store: Store, shop: Artifact, watcher: Watcher
) -> None:
    good, poison = make_binding("good"), make_binding("poison")
    edits = (Edit(None, good, S4), Edit(None, poison, Slot(2, 1)))
    await write(store, shop.codebook_sha, lambda listing: Change("bind", edits))
    assert await watcher.reached(1, GUARD_S)
    assert words(watcher) == {"good"}
    assert watcher.heartbeat()["failed"][poison.id].startswith("NACK:BUILD")
    assert watcher.facts.state == "live"


async def test_a_tampered_item_list_is_reported(store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path) -> None:
    binding = make_binding()
    await write(store, shop.codebook_sha, binds(binding, S4))
    raw.set("{sb}:items:" + binding.items, '["i009"]')
    async with watching(store, shop, tmp_path) as watcher:
        assert await watcher.reached(1, GUARD_S)
        assert "was changed in the store" in watcher.facts.failed[binding.id]
        assert words(watcher) == set()


@pytest.mark.parametrize("data", [b"5", b"[1]", b"[" * 100_000], ids=lambda data: repr(data[:4]))
async def test_an_item_list_that_is_none_leaves_out_its_binding_only(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path, data: bytes
) -> None:
    """Its hash is true: nothing but its content tells."""
    sha = hashlib.sha256(data).hexdigest()
    raw.set("{sb}:items:" + sha, data)
    poison = make_binding("crocs", items=sha, item_count=1)
    await write(store, shop.codebook_sha, binds(make_binding(), S4))
    await write(store, shop.codebook_sha, binds(poison, S5))
    async with watching(store, shop, tmp_path) as watcher:
        assert await watcher.reached(2, GUARD_S)
        assert watcher.facts.failed[poison.id].startswith("NACK:ITEMS")
        assert words(watcher) == {"labubu"}


async def test_an_item_list_that_comes_back_is_served(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path
) -> None:
    binding = make_binding()
    await write(store, shop.codebook_sha, binds(binding, S4))
    kept = str(raw.get("{sb}:items:" + binding.items))
    raw.delete("{sb}:items:" + binding.items)
    async with watching(store, shop, tmp_path) as watcher:
        assert await watcher.reached(1, GUARD_S)
        assert watcher.facts.failed[binding.id].startswith("NACK:ITEMS")
        raw.set("{sb}:items:" + binding.items, kept)
        await watcher.sync()
        assert words(watcher) == {"labubu"}
        assert watcher.facts.failed == {}


async def test_a_placement_for_another_codebook_is_a_nack_until_it_is_placed(
    store: Store, shop: Artifact, watcher: Watcher
) -> None:
    binding = make_binding()
    await write(store, "another-codebook", binds(binding, S4))
    assert await watcher.reached(1, GUARD_S)
    assert watcher.facts.failed[binding.id].startswith("NACK:MODEL")
    await write(store, shop.codebook_sha, places(binding.id, S4))
    assert await watcher.reached(2, GUARD_S)
    assert words(watcher) == {"labubu"}
    assert watcher.facts.failed == {}


async def test_crossing_a_start_and_an_end_swaps_the_active_set_of_one_revision(
    store: Store, shop: Artifact, tmp_path: Path
) -> None:
    clock = Clock(NOW)
    async with watching(store, shop, tmp_path, clock=clock) as watcher:
        assert await watcher.ready(GUARD_S)
        await write(store, shop.codebook_sha, binds(make_binding(starts_at=NOW + 1000, ends_at=NOW + 2000), S4))
        assert await watcher.reached(1, GUARD_S)
        digests = [watcher.facts.active]
        for now, expected in ((NOW + 1000, {"labubu"}), (NOW + 2000, set()), (NOW + 1500, {"labubu"})):
            clock.now_ms = now
            await until(watcher, partial(serves, watcher, expected))
            assert watcher.holder.current.revision == 1
            await until(watcher, lambda: watcher.facts.active == watcher.holder.current.active)
            digests.append(watcher.facts.active)
        assert digests[0] == digests[2] != digests[1] == digests[3]


async def test_a_swap_keeps_the_pieces_that_did_not_change(store: Store, shop: Artifact, watcher: Watcher) -> None:
    await write(store, shop.codebook_sha, binds(make_binding("a"), S4))
    assert await watcher.reached(1, GUARD_S)
    [piece] = watcher.holder.current.overlay.pinned
    await write(store, shop.codebook_sha, binds(make_binding("b"), S5))
    assert await watcher.reached(2, GUARD_S)
    assert piece in watcher.holder.current.overlay.pinned


async def test_a_heartbeat_says_what_is_served_and_goes_with_the_replica(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path
) -> None:
    async with watching(store, shop, tmp_path, "replica-7", role="admin") as watcher:
        await write(store, shop.codebook_sha, binds(make_binding(), S4))
        assert await watcher.reached(1, GUARD_S)
        beat = await heartbeat(store, 1)
        assert (beat["id"], beat["role"], beat["model"]) == ("replica-7", "admin", "shop")
        assert (beat["active"], beat["codebook"]) == (watcher.facts.active, shop.codebook_sha)
        assert beat["applied_ms"] is not None
        assert 0 < raw.pttl("{sb}:replica:replica-7") <= 15_000
    assert await store.replicas() == []


async def test_a_disk_that_is_full_does_not_stop_the_replica(store: Store, shop: Artifact, tmp_path: Path) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    async with watching(store, shop, tmp_path, keep=full) as watcher:
        await write(store, shop.codebook_sha, binds(make_binding(), S4))
        assert await watcher.reached(1, GUARD_S)
        await until(watcher, lambda: "No space left" in str(watcher.facts.last_error))
        assert watcher.facts.state == "live"


async def test_a_bug_in_the_loop_is_survived(store: Store, shop: Artifact, tmp_path: Path) -> None:
    class Buggy(Store):
        broken = False

        async def read(self, *args: Any, **options: Any) -> Any:
            if self.broken:
                self.broken = False
                raise KeyError("bug")
            return await super().read(*args, **options)

    followed = Buggy(store.url)
    async with watching(followed, shop, tmp_path) as watcher:
        await write(store, shop.codebook_sha, binds(make_binding("a"), S4))
        assert await watcher.reached(1, GUARD_S)
        followed.broken = True
        await write(store, shop.codebook_sha, binds(make_binding("b"), S5))
        assert await watcher.reached(2, GUARD_S)
        assert watcher.facts.reload_failures["bug"] == 1
    await followed.close()


async def test_an_item_list_collected_under_a_reader_means_a_newer_revision(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path
) -> None:
    """The list is gone, but so is the revision that named it: read again instead of reporting a failure."""
    binding = make_binding()
    await write(store, shop.codebook_sha, binds(binding, S4))

    class Late(Store):
        async def items(self, shas: Any) -> Any:
            if raw.hget("{sb}:meta", "rev") == "1":
                await write(store, shop.codebook_sha, unbinds(binding.id))
                raw.delete("{sb}:items:" + binding.items)
            return await super().items(shas)

    late = Late(store.url)
    async with watching(late, shop, tmp_path) as watcher:
        assert await watcher.reached(2, GUARD_S)
        assert watcher.facts.reloads == 1
        assert watcher.facts.failed == {}
    await late.close()


async def test_reads_of_a_dead_store_are_errors_of_ours(tmp_path: Path) -> None:
    dead = Store(f"unix://{tmp_path}/none")
    for reading in (dead.head(), dead.read("c"), dead.items(["x"]), dead.log(), dead.replicas(), dead.durability()):
        with pytest.raises(StoreUnavailable):
            await reading
    await dead.close()


def test_the_name_of_a_store_hides_its_password() -> None:
    async def name(url: str) -> str:
        store = Store(url)
        await store.close()
        return store.name

    assert asyncio.run(name("redis://:secret@host:6380/0")) == "host:6380"
    assert asyncio.run(name("unix:///run/sb.sock")) == "unix:/run/sb.sock"


def test_item_lists_of_the_helpers_are_those_of_the_store() -> None:
    assert replace(make_binding(), words=("x",)).items == encode_items(["i002", "i001"])[0]


async def test_a_replica_tells_what_its_bindings_leave_out_until_they_leave_out_nothing(
    store: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    """As one whose bindings take fewer items, until an item of theirs is edited."""

    def cutting(artifact: Artifact, bounds: list[Bound], previous: Overlay | None = None) -> Overlay:
        overlay = build_overlay(artifact, bounds, previous)
        return replace(overlay, pinned=tuple(replace(one, cut=7 * (one.words == ("red",))) for one in overlay.pinned))

    artifact, red = Artifact.load(tiny_artifact), make_binding("red", match="live")
    live = LiveIndex(artifact)
    async with watching(store, artifact, tmp_path, build=cutting) as watcher:
        await write(store, artifact.codebook_sha, binds(make_binding("labubu"), S4))
        assert "cut" not in await heartbeat(store, 1)
        await write(store, artifact.codebook_sha, binds(red, S5))
        assert (await heartbeat(store, 2))["cut"] == {red.id: 7}
        assert bindings_cut(watcher) == 1
        await watcher.serving.swap_items(lambda: (live.apply({"n1": Item("n1", "a red mug")}), {"n1"}), 1)
        assert (watcher.facts.cut, bindings_cut(watcher)) == ({}, 0)


def bindings_cut(watcher: Watcher) -> float:
    [cut] = [metric for metric in following_metrics(watcher.facts) if metric.name == "slotbeam_bindings_cut"]
    return float(cut.samples[0].value)
