"""Power cuts: what was synced stays, what was not is gone; so `always` keeps every promise, and `everysec` does not."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError

from slotbeam.bindings.replica.lastgood import LastGood, load, second
from slotbeam.items.replica.lastgood import ItemsFile
from torture.disk import Disk
from torture.server import HANG_S, StoreServer

WRITERS, BURST = 4, 50
IN_FLIGHT = WRITERS * BURST * 64
"""Bytes of the append-only file that belong to unacknowledged writes, at most: a SET here takes less than 64."""


def run(disk: Disk, code: str, *arguments: Path) -> None:
    """Run Python under the recorder, in the disk's directory."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, **disk.environment, "PYTHONPATH": path},
        cwd=disk.directory,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "old").write_bytes(b"was there")
    return Disk(tmp_path / "disk", tmp_path / "workshop")


def contents(disk: Disk) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in disk.directory.iterdir()}


SYNC = """
import os
def put(name, data, mode="wb", sync=os.fsync):
    with open(name, mode) as file:
        file.write(data); file.flush()
        if sync: sync(file.fileno())
"""


def test_each_file_is_cut_to_its_last_sync(disk: Disk) -> None:
    run(disk, SYNC + 'put("a", b"on disk"); put("a", b" or not", "ab", sync=None); put("b", b"never", sync=None)')
    run(disk, SYNC + 'put("c", b"data", sync=os.fdatasync); put("c", b"+", "ab"); put("old", b"!", "ab", sync=None)')
    assert {file.name: tail for file, tail in disk.unsynced().items()} == {"a": 7, "b": 5, "old": 1}
    assert disk.cut() == 13
    assert contents(disk) == {"a": b"on disk", "b": b"", "c": b"data+", "old": b"was there"}
    assert disk.cut() == 0


def test_a_torn_tail_keeps_its_beginning(disk: Disk) -> None:
    run(disk, SYNC + 'put("a", b"synced"); put("a", b"12345678", "ab", sync=None)')
    assert disk.cut(torn=0.5) == 4
    assert contents(disk)["a"] == b"synced1234"


def test_a_record_follows_a_file_through_renames_and_links(disk: Disk) -> None:
    run(disk, SYNC + 'put("t", b"new"); os.link("t", "twin"); os.rename("t", "f"); put("f", b"+tail", "ab", sync=None)')
    assert disk.cut() == 5
    assert contents(disk) == {"f": b"new", "twin": b"new", "old": b"was there"}


def test_a_new_file_on_an_old_inode_was_not_synced(disk: Disk) -> None:
    reuse = """
put("a", b"synced"); first = os.stat("a").st_ino; os.unlink("a")
import time
for _ in range(200):
    put("b", b"new", sync=None)
    if os.stat("b").st_ino == first: break
    os.unlink("b"); time.sleep(0.005)
else: put("b", b"new", sync=None)  # this file system gives every file an inode of its own
"""
    run(disk, SYNC + reuse)
    assert disk.cut() == 3
    assert contents(disk)["b"] == b""


def test_what_was_truncated_and_written_again_is_not_on_disk(disk: Disk) -> None:
    run(disk, SYNC + 'put("a", b"123456789"); os.truncate("a", 4); put("a", b"abcde", "ab", sync=None)')
    run(disk, SYNC + 'put("b", b"123456789"); open("b", "r+").truncate(2); put("b", b"abcde", "ab", sync=None)')
    disk.cut()
    assert contents(disk) == {"a": b"1234", "b": b"12", "old": b"was there"}


SAVE = """
import sys
from pathlib import Path
from slotbeam.bindings.replica.lastgood import LastGood, save
from slotbeam.types import Slot
from support.live import make_binding, make_listing
for revision in (3, 4):
    binding = make_binding("labubu")
    listing = make_listing({Slot(1, 4): binding}, revision=revision)
    save(Path(sys.argv[1]), "c0de", LastGood(listing, {binding.items: ("i001", "i002")}))
"""


def test_a_saved_last_known_good_file_survives_a_power_cut(disk: Disk) -> None:
    path = disk.directory / "good"
    run(disk, SAVE, path)
    assert disk.cut() == 0
    found, problems = load(path, "c0de")
    assert isinstance(found, LastGood)
    assert (found.listing.revision, problems) == (4, [])
    assert second(path).stat().st_size


APPEND = """
import sys
from pathlib import Path
from slotbeam.items.record import Digest, ItemRecord, Op
from slotbeam.items.replica.lastgood import ItemsFile, ItemsGood, JournalLine
from slotbeam.items.store.store import ItemsHead
file = ItemsFile(Path(sys.argv[1]))
file.save(ItemsGood(ItemsHead("e1", 0, str(Digest())), {}))
records = [ItemRecord(Op.PUT, seq, {"id": f"i{seq}", "title": "mug"}).data() for seq in (1, 2)]
for seq in (1, 2):
    file.append([JournalLine(seq, str(Digest.of(records[:seq])), f"i{seq}", records[seq - 1])])
"""


def test_edits_that_were_appended_to_the_last_known_good_items_survive_a_power_cut(disk: Disk) -> None:
    path = disk.directory / "items-data"
    run(disk, APPEND, path)
    assert disk.cut() == 0
    good, problems = ItemsFile(path).load()
    assert good is not None
    assert (good.head.seq, set(good.records), problems) == (2, {"i1", "i2"}, [])


@asynccontextmanager
async def writing(server: StoreServer) -> AsyncIterator[set[str]]:
    """Writers that pipeline SETs until the server is gone; yields the keys that were acknowledged so far."""
    acknowledged: set[str] = set()

    async def write(name: int) -> None:
        async with server.client() as client:
            with suppress(ConnectionError):
                for number in range(sys.maxsize):
                    keys = [f"{name}:{number}:{place}" for place in range(BURST)]
                    async with client.pipeline(transaction=False) as pipe:
                        for key in keys:
                            pipe.set(key, "x")
                        await pipe.execute()
                    acknowledged.update(keys)

    tasks = [asyncio.create_task(write(name)) for name in range(WRITERS)]
    try:
        yield acknowledged
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_S):
        while not true():
            await asyncio.sleep(0.001)


async def missing(server: StoreServer, keys: set[str]) -> int:
    """Return how many of `keys` the server does not hold."""
    async with server.client() as client:
        return len(keys) - await client.exists(*keys)


async def test_a_power_cut_under_the_settings_of_the_embedded_store_loses_no_acknowledged_write(tmp_path: Path) -> None:
    async with StoreServer(tmp_path, recorded=True) as server:
        for cycle in range(1, 4):
            async with writing(server) as acknowledged:
                await until(lambda: len(acknowledged) >= 1000 * cycle)  # noqa: B023
                await server.cut()
            await server.start()
            assert await missing(server, acknowledged) == 0


async def test_a_power_cut_under_everysec_loses_acknowledged_writes(tmp_path: Path) -> None:
    async with StoreServer(tmp_path, recorded=True, appendfsync="everysec") as server:
        assert server.disk is not None
        async with writing(server) as acknowledged, asyncio.timeout(HANG_S):
            while True:
                goal = len(acknowledged) + 1000
                await until(lambda: len(acknowledged) >= goal)  # noqa: B023
                server.pause()
                if sum(server.disk.unsynced().values()) > IN_FLIGHT:
                    break
                server.resume()  # it has just synced
            kept = set(acknowledged)
            assert await server.cut() > IN_FLIGHT
        await server.start()
        assert await missing(server, kept) > 0


async def test_a_server_starts_again_from_a_torn_file(tmp_path: Path) -> None:
    async with StoreServer(tmp_path, recorded=True) as server, server.client() as client:
        await client.set("whole", "1")
        await client.config_set("appendfsync", "no")
        await client.set("torn", "x" * 100_000)
        assert await server.cut(torn=0.5) > 0
        await server.start()
        assert "loaded anyway because aof-load-truncated is enabled" in server.last_words()
        assert await client.mget("whole", "torn") == ["1", None]


async def test_a_kill_without_a_power_cut_loses_nothing(tmp_path: Path) -> None:
    async with StoreServer(tmp_path, recorded=True, appendfsync="no") as server, server.client() as client:
        await client.set("a", "1")
        await server.kill()
        await server.start()
        assert await client.get("a") == "1"
        await server.cut()
        await server.start()
        assert await client.get("a") is None


async def test_a_rewritten_file_survives_a_power_cut(tmp_path: Path) -> None:
    async with StoreServer(tmp_path, recorded=True) as server, server.client() as client:
        await client.set("a", "1")
        before = server.aof()
        await client.bgrewriteaof()
        await until(lambda: server.aof()[0] not in before and len(server.aof()) == 2)
        await client.set("b", "2")
        await server.cut()
        await server.start()
        assert await client.mget("a", "b") == ["1", "2"]
