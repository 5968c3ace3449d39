"""A replica takes over another index: with every edit, beside the one that it serves, or not at all."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from slotbeam.bindings.replica.lastgood import folder
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import ArtifactError
from slotbeam.items.replica.indexes import Indexes, load_index
from slotbeam.items.replica.livesink import LiveSink
from slotbeam.items.replica.replica import LiveReplica
from slotbeam.items.replica.trimming import trim_held
from slotbeam.items.store.store import ItemStore
from slotbeam.items.store.switching import commit_switch
from slotbeam.items.switch import Base, IndexMark, Switch, activation, rollback
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Holder, ServingState, Snapshot
from slotbeam.search.watermark import Watermark
from slotbeam.settings import read_settings
from slotbeam.types import Timings
from support.items import delete, edit, fold, patch, put
from support.live import NOW, QUICK
from support.live import until as until_true

HANG_S = 60
QUERIES = ("red mug", "zorblax lamp", "mug", "blue lamp", "i003")


@pytest.fixture
async def items(store: Store) -> Store:
    await ItemStore(store).initialise()
    return store


@contextlib.asynccontextmanager
async def replica(
    server: EmbeddedStore, root: Path, directory: Path, data_dir: Path | None = None
) -> AsyncIterator[LiveReplica]:
    """A replica of its own connection, whose indexes are in `directory`."""
    indexes = Indexes(root, directory, data_dir or directory / "data")
    holder = Holder(Snapshot(Artifact.load(indexes.boot())))
    store = Store(server.url)
    async with LiveReplica(
        store, holder, indexes.data_dir, "r1", lambda: NOW / 1000, pace=QUICK, indexes=indexes
    ) as it:
        assert isinstance(it, LiveReplica)
        yield it


async def until(it: LiveReplica, holds: Callable[[Any], bool]) -> None:
    assert await it.items.status.until(holds, HANG_S), it.items.facts


async def follows(it: LiveReplica, seq: int) -> None:
    await until(it, lambda facts: facts.seq == seq and facts.state is ServingState.LIVE)


async def activate(store: Store, served: Path, name: str, index: Path) -> int:
    mark = IndexMark.of(Artifact.load(index), name)
    served_mark = IndexMark.of(Artifact.load(served))
    switch, _ = await commit_switch(
        ItemStore(store), lambda now, base: activation(now, mark, served_mark, base, "ci", NOW)
    )
    assert switch is not None
    return switch.number


async def roll_back(store: Store, name: str) -> int:
    switch, _ = await commit_switch(ItemStore(store), lambda now, base: rollback(now, name, base, "ci", NOW))
    assert switch is not None
    return switch.number


async def until_switched(it: LiveReplica, number: int) -> None:
    await until(it, lambda facts: facts.switch == number)


def answers(snapshot: Snapshot) -> list[list[tuple[str, float]]]:
    """Ids and scores for some queries; what an index is called does not matter."""
    found = []
    for query in QUERIES:
        hits = retrieve(snapshot, SearchRequest(query=query, k=50), Timings()).hits
        ids = snapshot.artifact.catalog.ids.take(hits.rows)
        found.append(sorted(zip(ids, (round(float(score), 4) for score in hits.scores), strict=True)))
    return found


async def never_switched(server: EmbeddedStore, root: Path, directory: Path, seq: int) -> list[list[tuple[str, float]]]:
    """What a replica answers that serves the first index, with every edit on top."""
    holder, store = Holder(Snapshot(Artifact.load(root))), Store(server.url)
    async with LiveReplica(store, holder, directory / "never", "r2", lambda: NOW / 1000, pace=QUICK) as it:
        assert isinstance(it, LiveReplica)
        await follows(it, seq)
        return answers(holder.current)


async def some_edits(store: Store) -> int:
    await edit(store, put("n1", "zorblax lamp"), put("n2", "red mug", popularity=9), delete("n2"))
    return (await edit(store, put("i003", "zorblax lamp"), put("n3", "blue lamp"))).seq


@contextlib.asynccontextmanager
async def switched(
    server: EmbeddedStore, items: Store, root: Path, directory: Path
) -> AsyncIterator[tuple[LiveReplica, Path]]:
    """A replica that serves an index into which some edits of `root` were folded, and where that is."""
    await some_edits(items)
    async with replica(server, root, directory) as it:
        await follows(it, 5)
        first = await fold(items, root, directory / "first")
        await until_switched(it, await activate(items, root, "first", first))
        yield it, first


async def test_every_edit_is_served_over_whichever_index(
    server: EmbeddedStore, items: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    await some_edits(items)
    async with replica(server, tiny_artifact, tmp_path) as it:
        await follows(it, 5)
        first = await fold(items, tiny_artifact, tmp_path / "first")
        after = await edit(items, put("n4", "zorblax lamp"), delete("n1"))
        number = await activate(items, tiny_artifact, "first", first)
        await until(it, lambda facts: facts.switch == number)
        await follows(it, after.seq)
        served = it.watcher.holder.current
        assert (served.artifact.name, it.items.facts.count, it.items.facts.delta) == ("first", 5, 2)
        assert served.catalog() == {"index": "first", "state": "live", "seq": 7}
        assert answers(served) == await never_switched(server, tiny_artifact, tmp_path, after.seq)

        last = await edit(items, patch("n3", popularity=3), put("n5", "blue lamp"))
        await follows(it, last.seq)
        number = await roll_back(items, "first")
        await until(it, lambda facts: facts.switch == number)
        served = it.watcher.holder.current
        assert (served.artifact.name, it.items.facts.delta) == ("tiny", it.items.facts.count)
        assert answers(served) == await never_switched(server, tiny_artifact, tmp_path, last.seq)


class Meddled(LiveSink):
    """Something happens right after it was handed all that there is."""

    happens: Callable[[], Awaitable[object]]

    async def reset(self, items: Any, seq: int) -> None:
        await super().reset(items, seq)
        await self.happens()


async def test_what_is_edited_while_an_index_is_made_ready_is_served_with_it(
    server: EmbeddedStore, items: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    await some_edits(items)
    async with replica(server, tiny_artifact, tmp_path) as it:
        await follows(it, 5)
        first = Artifact.load(await fold(items, tiny_artifact, tmp_path / "first"))
        await follows(it, (await edit(items, put("n4", "red mug"))).seq)
        late: list[int] = []

        async def happens() -> None:
            late.append((await edit(items, put("late", "zorblax lamp"), delete("n3"))).seq)
            await follows(it, late[0])

        sink = Meddled(it.watcher.serving, first, it.indexes.sink)
        sink.happens = happens
        await it.items.switch(sink, 1, lambda: None)
        [seq] = late
        assert (it.items.facts.switch, it.items.facts.seq) == (1, seq)
        assert answers(it.watcher.holder.current) == await never_switched(server, tiny_artifact, tmp_path, seq)


class Watched(LiveSink):
    """Tells which index the process would boot from, were it killed when this one is about to be served."""

    boots: Callable[[], Path]
    booted: Path

    async def serve(self, seq: int) -> None:
        self.booted = self.boots()
        await super().serve(seq)


async def test_an_index_is_remembered_on_disk_before_it_is_served(
    server: EmbeddedStore, items: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    await some_edits(items)
    first = await fold(items, tiny_artifact, tmp_path / "first")
    indexes = Indexes(tiny_artifact, tmp_path, tmp_path / "data")
    async with replica(server, tiny_artifact, tmp_path) as it:
        await follows(it, 5)
        sink = Watched(it.watcher.serving, Artifact.load(first, it.indexes.index), it.indexes.sink)
        sink.boots = indexes.boot
        mark = IndexMark.of(sink.artifact)
        await it.items.switch(sink, 1, lambda: indexes.remember(mark))
    assert sink.booted == first


async def test_an_index_of_the_same_model_shares_it_and_what_was_encoded(
    server: EmbeddedStore, items: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    await some_edits(items)
    async with replica(server, tiny_artifact, tmp_path) as it:
        await follows(it, 5)
        first = await fold(items, tiny_artifact, tmp_path / "first")
        await follows(it, (await edit(items, put("n7", "blue zorblax lamp"))).seq)
        before = it.watcher.holder.current.artifact
        await until_switched(it, await activate(items, tiny_artifact, "first", first))
        served = it.watcher.holder.current.artifact
        assert served.name == "first"
        assert served.model is before.model
        assert served.kae is before.kae
        assert answers(it.watcher.holder.current) == await never_switched(server, tiny_artifact, tmp_path, 6)


async def test_an_index_that_cannot_be_served_is_told_and_the_one_before_is_served_on(
    server: EmbeddedStore, items: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    await some_edits(items)
    first = await fold(items, tiny_artifact, tmp_path / "made" / "first")
    here = tmp_path / "here"
    async with replica(server, tiny_artifact, here) as it:
        await follows(it, 5)
        number = await activate(items, tiny_artifact, "first", first)
        await until(it, lambda facts: "first is not here" in facts.index_error)
        assert it.items.status.beat()["index"] == "tiny"
        copy = shutil.copytree(first, here / "first")
        titles = copy / "index" / "items" / "titles.npy"
        whole = titles.read_bytes()
        titles.write_bytes(whole[:-1] + b"!")
        it.indexes.again()
        await until(it, lambda facts: "titles.npy has sha256" in facts.index_error)
        after = await edit(items, put("n9", "red mug"))
        await follows(it, after.seq)
        titles.write_bytes(whole)
        it.indexes.again()
        await until(it, lambda facts: facts.switch == number and not facts.index_error)
        assert it.watcher.holder.current.artifact.name == "first"


async def test_an_index_of_another_model_is_refused(
    server: EmbeddedStore, items: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(tiny_artifact, tmp_path / "other")
    manifest = json.loads((other / "manifest.json").read_bytes())
    manifest["model"]["sha"] = "another"
    (other / "manifest.json").write_text(json.dumps(manifest))
    async with replica(server, tiny_artifact, tmp_path) as it:
        await activate(items, tiny_artifact, "other", other)
        await until(it, lambda facts: "was made by another model than tiny" in facts.index_error)


async def test_an_index_that_ends_the_process_again_and_again_is_left(
    server: EmbeddedStore, items: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    first = await fold(items, tiny_artifact, tmp_path / "first")
    sha = Artifact.load(first).sha
    noted = folder(tmp_path / "data") / "items-data.switching-index"
    noted.parent.mkdir(parents=True)
    noted.write_text(json.dumps({"applying": sha, "deaths": {sha: 2}}) + "\n")
    async with replica(server, tiny_artifact, tmp_path) as it:
        number = await activate(items, tiny_artifact, "first", first)
        await until(it, lambda facts: "ended the process again and again" in facts.index_error)
        noted.unlink()
        it.indexes.again()
        await until(it, lambda facts: facts.switch == number)


async def test_a_replica_starts_with_the_index_that_it_served_and_the_edits_since(
    server: EmbeddedStore, items: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    async with switched(server, items, tiny_artifact, tmp_path) as (it, first):
        await follows(it, (await edit(items, put("n7", "blue lamp"))).seq)
        served = answers(it.watcher.holder.current)
    indexes = Indexes(tiny_artifact, tmp_path, tmp_path / "data")
    assert indexes.boot() == first
    holder = Holder(Snapshot(Artifact.load(first)))
    gone = LiveReplica(Store("redis://127.0.0.1:1"), holder, tmp_path / "data", "r1", indexes=indexes)
    await gone.items.boot()
    assert answers(holder.current) == served, "without a store"
    gone.items.serving.close()
    await gone.store.close()

    other = shutil.copytree(tiny_artifact, tmp_path / "other")
    manifest = json.loads((other / "manifest.json").read_bytes())
    (other / "manifest.json").write_text(json.dumps({**manifest, "name": "other"}))
    assert Indexes(other, tmp_path, tmp_path / "data").boot() == other, "another artifact was given on purpose"
    given = read_settings(artifact=tiny_artifact, data_dir=tmp_path / "data", index_dir=tmp_path)
    assert load_index(given).directory == first.resolve()
    (first / "index" / "items" / "titles.npy").unlink()
    assert load_index(given).directory == tiny_artifact.resolve(), "and says so"
    (first / "manifest.json").unlink()
    assert indexes.boot() == tiny_artifact
    (tmp_path / "data" / "last-good" / "index.json").unlink()
    with pytest.raises(ArtifactError):
        load_index(given.model_copy(update={"artifact": tmp_path / "nowhere"}))


async def test_records_that_every_index_in_use_holds_are_let_go_and_an_older_index_holds(
    server: EmbeddedStore, items: Store, raw: redis.Redis, tiny_artifact: Path, tmp_path: Path
) -> None:
    async with switched(server, items, tiny_artifact, tmp_path) as (it, first):
        await follows(it, (await edit(items, put("n7", "blue lamp"))).seq)
        second = await fold(items, first, tmp_path / "second")
        await until_switched(it, await activate(items, first, "second", second))
        served = answers(it.watcher.holder.current)
        both = {"index_sha": Artifact.load(second).sha}
        for others in ([{}, both], [{"index_sha": Artifact.load(tiny_artifact).sha}]):
            await trim_held(it.items, others, NOW, 100)
            assert raw.hlen("{sb}:item") == 5
        await trim_held(it.items, [both], NOW, 100)
        await follows(it, 7)
        assert (raw.hkeys("{sb}:item"), raw.hget("{sb}:imeta", "base")) == (["n7"], "5")
        assert (it.items.facts.count, it.items.facts.delta) == (1, 0)
        assert answers(it.watcher.holder.current) == served
        await trim_held(it.items, [both], NOW, 100)
        assert raw.hget("{sb}:imeta", "seq") == "7", "there is nothing more to let go"
        await follows(it, (await edit(items, put("n8", "red mug"))).seq)
        now = answers(it.watcher.holder.current)

    # One that has the first artifact alone must not pretend to know those edits; with the active index it does.
    alone = tmp_path / "alone"
    async with replica(server, tiny_artifact, alone) as it:
        await until(it, lambda facts: facts.state is ServingState.INDEX)
        shutil.copytree(second, alone / "second")
        it.indexes.again()
        await until(it, lambda facts: facts.state is ServingState.LIVE and facts.seq == 8)
        assert answers(it.watcher.holder.current) == now
    (folder(alone / "data") / "index.json").unlink()
    async with replica(server, tiny_artifact, tmp_path / "nowhere", alone / "data") as it:
        assert "go with an index that holds edits up to seq 5" in str(it.items.facts.last_error)
        await until(it, lambda facts: facts.state is ServingState.INDEX)


async def test_after_a_restore_every_record_is_served_over_the_index(
    server: EmbeddedStore, items: Store, raw: redis.Redis, tiny_artifact: Path, tmp_path: Path
) -> None:
    async with switched(server, items, tiny_artifact, tmp_path) as (it, _):
        assert it.items.facts.delta == 0
        served = answers(it.watcher.holder.current)
        raw.hset("{sb}:imeta", mapping={"epoch": "restored", "seq": "100", "began": "100"})
        raw.delete("{sb}:feed")
        await follows(it, 100)
        assert it.items.facts.delta == it.items.facts.count == 4
        assert answers(it.watcher.holder.current) == served


async def test_a_replica_that_never_served_the_active_index_is_ready_once_it_does_or_cannot(
    server: EmbeddedStore, items: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    async with switched(server, items, tiny_artifact, tmp_path) as (it, first):
        async with replica(server, tiny_artifact, tmp_path, tmp_path / "new") as new:
            assert not new.is_ready
            assert not await new.indexes.ready(0.0), "nobody has looked yet which one is active"
            await until_true(new.watcher, lambda: new.is_ready)
            assert new.items.facts.switch == it.items.facts.switch > 0
        shutil.rmtree(first)
        async with replica(server, tiny_artifact, tmp_path, tmp_path / "another") as other:
            await until_true(other.watcher, lambda: other.is_ready)
            assert "is not here" in other.items.facts.index_error


async def test_a_switch_that_somebody_made_meanwhile_is_planned_on(items: Store, raw: redis.Redis) -> None:
    root, first, second = (IndexMark(name, f"sha-{name}", Watermark()) for name in ("root", "first", "second"))
    seen: list[Switch | None] = []

    def make(now: Switch | None, base: Base) -> Switch | None:
        seen.append(now)
        if now is None:
            other = Switch(1, "sha-root", first, root, "another", NOW)
            raw.hset("{sb}:index", items=[part for pair in other.fields().items() for part in pair])
        return activation(now, second, first if now else root, base, "ci", NOW)

    made, _ = await commit_switch(ItemStore(items), make)
    assert made == Switch(2, "sha-root", second, first, "ci", NOW)
    assert [now.number if now else 0 for now in seen] == [0, 1]


async def test_a_switch_to_what_is_active_waits_for_the_disk_too(items: Store, raw: redis.Redis) -> None:
    root, first = (IndexMark(name, f"sha-{name}", Watermark()) for name in ("root", "first"))

    def make(now: Switch | None, base: Base) -> Switch | None:
        return activation(now, first, root, base, "ci", NOW)

    made, _ = await commit_switch(ItemStore(items), make)
    assert made is not None
    raw.config_set("appendfsync", "everysec")
    try:
        raw.config_resetstat()
        assert await commit_switch(ItemStore(items), make) == (None, "waitaof")
        assert raw.info("commandstats")["cmdstat_waitaof"]["calls"] >= 1
    finally:
        raw.config_set("appendfsync", "always")
