"""What `slotbeam doctor` finds in a real store: each thing that is wrong has a line that says what to do."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.asyncio import Redis as AsyncRedis

from slotbeam.bindings.binding import encode_items
from slotbeam.bindings.replica.lastgood import LastGood, file_name, folder, save
from slotbeam.bindings.store.store import Store
from slotbeam.cli.doctor.finding import BAD, GOOD, WARN
from slotbeam.cli.doctor.store import examine_last_good, examine_store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.snapshot import ServingState
from slotbeam.types import Slot
from support.live import binds, make_binding, make_listing, write
from support.shop import make_kae

S4, S5 = Slot(1, 4), Slot(1, 5)
CODEBOOK = make_kae().codebook.sha
IDS = ("i001", "i002")


@pytest.fixture
async def store(server: EmbeddedStore, raw: redis.Redis) -> AsyncIterator[Store]:
    made = Store(server.url)
    await made.initialise()
    await write(made, CODEBOOK, binds(make_binding(), S4))
    yield made
    await made.close()


@pytest.fixture
def settings(raw: redis.Redis) -> Iterator[None]:
    """Lend the server's settings; they are given back as they were."""
    names = ("maxmemory-policy", "maxmemory", "appendfsync")
    before = {name: raw.config_get(name)[name] for name in names}
    yield
    for name, value in before.items():
        assert value is not None
        raw.config_set(name, value)


def beat(revision: int = 1, **facts: Any) -> dict[str, Any]:
    told = {"revision": revision, "state": ServingState.LIVE, "codebook": CODEBOOK, "active": "a", "failed": {}}
    return {**told, "at": int(time.time() * 1000), **facts}


async def look(store: Store) -> dict[str, tuple[str, str]]:
    return {name: (mark, found) for name, mark, found in await examine_store(store, CODEBOOK)}


async def test_a_store_that_is_well_has_no_other_mark(store: Store) -> None:
    await store.beat("r1", beat())
    found = await look(store)
    assert {mark for mark, _ in found.values()} == {GOOD}, found
    assert found["durability"][1] == "durable (appendfsync always)"
    assert found["clocks"][1].startswith("2 clocks")


@pytest.mark.usefixtures("settings")
async def test_a_store_that_could_lose_edits_says_which_setting(store: Store, raw: redis.Redis) -> None:
    raw.config_set("maxmemory-policy", "allkeys-lru")
    found = await look(store)
    assert found["durability"] == (
        WARN,
        "an acknowledged edit may be lost: the store may evict bindings (allkeys-lru); "
        'set "maxmemory-policy noeviction"',
    )
    assert found["store memory"][0] == BAD


@pytest.mark.usefixtures("settings")
async def test_a_store_that_is_nearly_full_is_told_before_edits_are_refused(store: Store, raw: redis.Redis) -> None:
    raw.config_set("maxmemory", int(raw.info("memory")["used_memory"] * 1.1))
    mark, found = (await look(store))["store memory"]
    assert mark == WARN
    assert "raise maxmemory" in found


TOLD = (
    ("durability", {"loading": "1"}, WARN, "still loads its data"),
    (
        "durability",
        {"aof_enabled": "1", "aof_last_write_status": "err"},
        BAD,
        "last write to its append-only file",
    ),
    ("durability", {"aof_last_bgrewrite_status": "err"}, WARN, "last rewrite of the append-only file failed"),
    ("store role", {"role": "master", "connected_slaves": "2"}, WARN, "primary with 2 replicas"),
)


@pytest.mark.parametrize(("check", "facts", "mark", "why"), TOLD, ids=[why for *_, why in TOLD])
async def test_what_a_server_tells_of_its_disk_and_its_copies_is_said(
    server: EmbeddedStore, store: Store, check: str, facts: dict[str, str], mark: str, why: str
) -> None:
    class Telling(AsyncRedis):
        async def info(self, *_: Any, **__: Any) -> dict[str, str]:
            return facts

    real, store.redis = store.redis, Telling.from_url(server.url)
    async with real:
        seen, found = (await look(store))[check]
    assert (seen, why in found) == (mark, True), found


async def test_a_read_only_replica_is_named_with_its_primary(store: Store, raw: redis.Redis) -> None:
    raw.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        mark, found = (await look(store))["store role"]
    finally:
        raw.execute_command("REPLICAOF", "NO", "ONE")
    assert mark == BAD
    assert "replica of 127.0.0.1:1" in found


async def test_records_and_item_lists_that_were_changed_are_found(store: Store, raw: redis.Redis) -> None:
    [key] = raw.keys("{sb}:items:*")
    raw.delete(key)
    mark, found = (await look(store))["items"]
    assert mark == BAD
    assert '"labubu"' in found
    raw.hset("{sb}:binding", "b_intruder", "{}")
    mark, found = (await look(store))["store"]
    assert mark == BAD
    assert "slots restore" in found


async def test_a_log_that_ends_with_something_else_is_found(store: Store, raw: redis.Redis) -> None:
    raw.xadd("{sb}:log", {"op": "forged"}, id="7-0")
    mark, found = (await look(store))["store"]
    assert mark == BAD
    assert "its log ends with something else" in found


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"revision": 0}, "r2 is at revision 0, not 1"),
        ({"state": "hold:REGRESSED", "revision": 9}, "r2 is hold:REGRESSED at revision 9"),
        ({"failed": {"b_aaaa": "NACK:BUILD"}}, "r2 leaves out b_aaaa"),
        ({"cut": {"b_aaaa": 7}}, "r2 cuts b_aaaa: bind narrower words"),
        ({"active": "b"}, "disagree on what is active"),
    ],
)
async def test_a_replica_that_serves_something_else_is_named(store: Store, facts: dict[str, Any], why: str) -> None:
    await store.beat("r1", beat())
    await store.beat("r2", beat(**facts))
    mark, found = (await look(store))["replicas"]
    assert mark == WARN
    assert why in found


@pytest.mark.parametrize(("hours", "expected"), [(1.0, BAD), (-1.0, BAD), (5 / 3600, WARN)])
async def test_a_clock_that_is_off_is_named(store: Store, hours: float, expected: str) -> None:
    await store.beat("r2", beat(at=int((time.time() + hours * 3600) * 1000)))
    mark, found = (await look(store))["clocks"]
    assert mark == expected
    assert "r2" in found
    assert "this machine" not in found


class Beating(Store):
    """A store in which r2 says that it lives just after its heartbeats were read."""

    async def replicas(self) -> list[dict[str, Any]]:
        seen = await super().replicas()
        await self.beat("r2", beat())
        return seen


async def test_a_heartbeat_that_comes_while_it_looks_is_no_clock_that_is_off(store: Store) -> None:
    await store.beat("r2", beat(at=int((time.time() - 5) * 1000)))
    beating = Beating(store.url)
    assert (await look(beating))["clocks"][0] == GOOD
    await beating.close()


def test_the_last_known_good_file_is_compared_with_the_store(tmp_path: Path) -> None:
    listing, newer = make_listing({S4: make_binding()}), make_listing({S5: make_binding("crocs")}, revision=2)
    assert examine_last_good(tmp_path, CODEBOOK, None)[0] == GOOD
    assert examine_last_good(tmp_path, CODEBOOK, listing)[0] == WARN
    path = folder(tmp_path) / file_name("data", CODEBOOK)
    save(path, CODEBOOK, LastGood(listing, {encode_items(IDS)[0]: IDS}))
    mark, found = examine_last_good(tmp_path, CODEBOOK, listing)
    assert (mark, "revision 1, written" in found) == (GOOD, True)
    for seconds, age in ((3 * 86_400, "3 d"), (7200, "2 h"), (180, "3 min")):
        os.utime(path, (0, time.time() - seconds - 1))
        assert f"written {age} ago" in examine_last_good(tmp_path, CODEBOOK, listing)[1]
    other = folder(tmp_path) / file_name("data", CODEBOOK, 2)
    save(other, CODEBOOK, LastGood(newer, {encode_items(IDS)[0]: IDS}))
    mark, found = examine_last_good(tmp_path, CODEBOOK, newer)
    assert (mark, f"{other.name} revision 2" in found) == (GOOD, True), "one of several processes has it"
    other.unlink()
    mark, found = examine_last_good(tmp_path, CODEBOOK, newer)
    assert (mark, "not what the store holds at revision 2" in found) == (WARN, True)
    path.write_bytes(path.read_bytes()[:-1])
    mark, found = examine_last_good(tmp_path, CODEBOOK, listing)
    assert (mark, "SHA-256 does not fit" in found) == (BAD, True)
