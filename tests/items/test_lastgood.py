"""The last-known-good items: what was served is served again, whatever became of disk and process."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.items.record import Digest, ItemRecord, Op
from slotbeam.items.replica.keeping import COMPACT_AFTER, Keeping
from slotbeam.items.replica.lastgood import ItemsFile, ItemsGood, JournalLine, file_of
from slotbeam.items.store.store import ItemsHead, ItemStore
from slotbeam.search.artifact import Artifact
from support.items import Remembering, edit, following, make_follower, put, titles

HANG_S = 60


def record(item_id: str, seq: int, title: str = "mug") -> bytes:
    return ItemRecord(Op.PUT, seq, {"id": item_id, "title": title}).data()


def good_of(*records: bytes, epoch: str = "e1") -> ItemsGood:
    seq = max((ItemRecord.of(one).seq for one in records), default=0)
    return ItemsGood(ItemsHead(epoch, seq, str(Digest.of(records))), {ItemRecord.of(one).id: one for one in records})


def line_after(good: ItemsGood, item_id: str, title: str = "mug") -> tuple[ItemsGood, JournalLine]:
    """One edit after `good`: what is good then, and its line."""
    seq, records = good.head.seq + 1, dict(good.records)
    records[item_id] = record(item_id, seq, title)
    head = ItemsHead(good.head.epoch, seq, str(Digest.of(records.values())))
    return ItemsGood(head, records), JournalLine(seq, head.digest, item_id, records[item_id])


@pytest.fixture
def file(tmp_path: Path) -> ItemsFile:
    return ItemsFile(tmp_path / "last-good" / "items-data")


def journal_of(file: ItemsFile, seq: int) -> Path:
    return file.path.with_name(f"items-data.feed-{seq}")


def test_what_is_saved_and_appended_is_loaded(file: ItemsFile) -> None:
    good = good_of(record("a", 1), record("b", 2))
    file.save(good)
    for item_id in ("a", "c"):
        good, line = line_after(good, item_id, "another")
        file.append([line])
    assert ItemsFile(file.path).load() == (good, [])
    assert oct(file.path.stat().st_mode)[-3:] == oct(journal_of(file, 2).stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize("kept", range(0, 60, 7))
def test_a_line_that_was_torn_does_not_count_and_those_before_it_do(file: ItemsFile, kept: int) -> None:
    first = good_of(record("a", 1))
    file.save(first)
    second, line = line_after(first, "b")
    file.append([line])
    whole = journal_of(file, 1).stat().st_size
    _, torn = line_after(second, "c")
    file.append([torn])
    os.truncate(journal_of(file, 1), whole + kept)
    assert ItemsFile(file.path).load() == (second, [])


def test_a_line_that_was_changed_ends_the_journal(file: ItemsFile) -> None:
    good = good_of(record("a", 1))
    file.save(good)
    after, line = line_after(good, "b", "honest")
    file.append([line, line_after(after, "c")[1]])
    journal = journal_of(file, 1)
    journal.write_bytes(journal.read_bytes().replace(b"honest", b"forged"))
    assert ItemsFile(file.path).load() == (good, [])


def test_a_damaged_file_gives_way_to_the_one_before_it_with_its_own_journal(file: ItemsFile) -> None:
    before = good_of(record("a", 1))
    file.save(before)
    before, line = line_after(before, "b")
    file.append([line])
    newest, _ = line_after(before, "c")
    file.save(newest)
    file.path.write_bytes(file.path.read_bytes().replace(b"mug", b"jug", 1))
    loaded, problems = ItemsFile(file.path).load()
    assert loaded == before
    assert problems == ["items-data cannot be used: its SHA-256 does not fit"]


def test_only_the_journals_of_the_two_generations_stay(file: ItemsFile) -> None:
    good = good_of(record("a", 1))
    for _ in range(4):
        file.save(good)
        good, line = line_after(good, "a")
        file.append([line])
    assert {one.name for one in file.path.parent.glob("*.feed-*")} == {"items-data.feed-3", "items-data.feed-4"}


def test_a_journal_left_by_another_history_at_the_same_seq_is_not_read(file: ItemsFile) -> None:
    one, other = good_of(record("a", 1)), good_of(record("b", 1), epoch="e2")
    file.save(one)
    file.append([line_after(one, "c")[1]])
    file.save(other)
    assert ItemsFile(file.path).load() == (other, [])


async def test_many_edits_are_written_as_a_whole_again(tmp_path: Path) -> None:
    keeping, good = Keeping(tmp_path / "items-data", 30), good_of(record("a", 1))
    await keeping.whole(good.head, good.records, 0)
    lines = []
    for number in range(COMPACT_AFTER):
        seq = number + 2
        one = record("a", seq)
        lines.append(JournalLine(seq, str(Digest.of([one])), "a", one))
    assert await keeping.step(ItemsHead("e1", lines[-1].seq, lines[-1].digest), lines, {"a": record("a", 1)}) is None
    assert keeping.file.appended == COMPACT_AFTER
    good = good_of(lines[-1].record)
    good, line = line_after(good, "b")
    assert await keeping.step(good.head, [line], {"a": lines[-1].record}) is None
    assert keeping.file.appended == 0
    assert ItemsFile(tmp_path / "items-data").load() == (good, [])
    keeping.close()


async def test_a_disk_that_is_full_is_told_and_asked_again_later(tmp_path: Path) -> None:
    blocked = tmp_path / "last-good"
    blocked.write_text("a file where the directory should be")
    keeping, good = Keeping(blocked / "items-data", 1e9), good_of(record("a", 1))
    assert "items were not written" in (await keeping.whole(good.head, good.records, 0) or "")
    blocked.unlink()
    after, line = line_after(good, "b")
    assert "items were not written" in (await keeping.step(after.head, [line], good.records) or ""), "not yet again"
    keeping._retry_at = 0.0
    assert await keeping.step(after.head, [line], good.records) is None
    assert ItemsFile(blocked / "items-data").load() == (after, [])
    keeping.close()


async def test_a_process_that_was_never_here_begins_with_what_another_one_of_its_role_has(
    store: Store, shop: Artifact, tmp_path: Path
) -> None:
    await ItemStore(store).initialise()
    async with following(make_follower(store, shop, tmp_path)) as first:
        await edit(store, put("a"))
        assert await first.reached(1, HANG_S)
    async with following(make_follower(store, shop, tmp_path, role="admin")) as admin:
        await edit(store, put("b"))
        assert await admin.reached(2, HANG_S)
    dead, sink = Store("unix:///nowhere/redis.sock"), Remembering()
    await make_follower(dead, shop, tmp_path, sink, process=2).boot()
    await dead.close()
    assert titles(sink.items) == {"a": "red mug"}
    assert (file_of("data"), file_of("data", 2)) == ("items-data", "items-data-2")


@asynccontextmanager
async def process(url: str, directory: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    script = Path(__file__).parents[1] / "support" / "items_process.py"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script), url, str(directory)), stdout=subprocess.PIPE, env=environment
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def lines(running: asyncio.subprocess.Process, until: str = "") -> list[str]:
    """What it says, up to the line `until`, or to its end."""
    assert running.stdout is not None
    found: list[str] = []
    async with asyncio.timeout(HANG_S):
        while line := (await running.stdout.readline()).decode().strip():
            found.append(line)
            if line == until:
                break
    return found


async def test_an_item_that_kills_the_process_is_left_out_from_the_fourth_start_on(
    server: EmbeddedStore, store: Store, tmp_path: Path
) -> None:
    await ItemStore(store).initialise()
    await edit(store, put("a"))
    async with process(server.url, tmp_path) as first:
        assert (await lines(first, "1 a -"))[-1] == "1 a -"
        await edit(store, put("bad", "poison"), put("c"))
        assert not [line for line in await lines(first) if line.startswith("3 ")], "it died of it"
    for _ in ("of its part", "by its name"):
        async with process(server.url, tmp_path) as next_one:
            assert not [line for line in await lines(next_one) if line.startswith("3 ")], "it died once more"
    async with process(server.url, tmp_path) as last:
        assert (await lines(last, "3 a,c NACK:CRASH"))[-1] == "3 a,c NACK:CRASH"
        await edit(store, put("d"))
        assert (await lines(last, "4 a,c,d NACK:CRASH"))[-1] == "4 a,c,d NACK:CRASH", "other edits go on"
        await edit(store, put("bad", "healed"))
        assert (await lines(last, "5 a,bad,c,d -"))[-1] == "5 a,bad,c,d -"


async def test_a_death_of_another_cause_costs_nothing(
    server: EmbeddedStore, store: Store, shop: Artifact, tmp_path: Path
) -> None:
    """Killed while it hands items over, and killed once more: no item is blamed, and no start is slow."""
    await ItemStore(store).initialise()
    await edit(store, *(put(f"i{n}") for n in range(600)))
    for deaths in range(1, 3):
        sink = Remembering()
        follower = make_follower(store, shop, tmp_path, sink)
        seen, _ = await follower.store.listing()
        assert seen is not None
        guard = follower.serving._handing.guard
        guard.path.parent.mkdir(exist_ok=True)
        note = {"applying": seen.head.digest, "building": "", "record": "", "deaths": {}, "blamed": {}}
        guard.path.write_text(json.dumps(note) + "\n")
        async with following(follower):
            assert await follower.reached(600, HANG_S)
        assert len(sink.items) == 600
        assert not follower.facts.failed
        assert len(sink.calls) < 5, deaths
