"""The network that fails on command: a client sees what each fault promises, and gets through when it is healed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, TimeoutError

from slotbeam.bindings.store.store import Store
from slotbeam.types import Slot
from support.live import binds, make_binding, write
from support.replies import told
from torture.proxy import Proxy
from torture.server import StoreServer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[StoreServer]:
    async with StoreServer(tmp_path / "server") as started:
        yield started


@pytest.fixture
async def proxy(server: StoreServer, tmp_path: Path) -> AsyncIterator[Proxy]:
    async with Proxy(tmp_path / "proxy", server.socket) as serving:
        yield serving


@pytest.fixture
async def client(proxy: Proxy) -> AsyncIterator[redis.Redis]:
    """A client through the proxy that repeats nothing by itself."""
    async with connect(proxy) as made:
        yield made


def connect(proxy: Proxy, timeout_s: float = 30.0) -> redis.Redis:
    return redis.Redis.from_url(proxy.url, decode_responses=True, socket_timeout=timeout_s, retry=Retry(NoBackoff(), 0))


async def test_without_a_fault_nothing_changes(client: redis.Redis) -> None:
    value = "x" * 3_000_000
    assert await client.set("a", value)
    assert await client.get("a") == value


async def test_a_partitioned_client_is_reset_then_refused_and_gets_through_after_heal(
    client: redis.Redis, proxy: Proxy
) -> None:
    await client.set("a", "1")
    proxy.partition()
    for _ in range(2):  # the open connection, then a new one
        with pytest.raises(ConnectionError):
            await client.get("a")
    proxy.heal()
    assert await client.get("a") == "1"


async def test_half_open_a_client_times_out_and_the_server_hears_nothing(
    client: redis.Redis, proxy: Proxy, server: StoreServer
) -> None:
    async with connect(proxy, timeout_s=0.05) as hasty, server.client() as direct:
        await hasty.ping()
        proxy.drop()
        for _ in range(2):  # the open connection, then a new one
            with pytest.raises((TimeoutError, ConnectionError), match="Timeout reading"):
                await hasty.set("a", "lost")
        assert await direct.get("a") is None
        proxy.heal()
        assert await client.get("a") is None


async def test_half_open_the_death_of_the_server_stays_unknown(proxy: Proxy, server: StoreServer) -> None:
    async with connect(proxy, timeout_s=0.05) as hasty:
        await hasty.ping()
        proxy.drop()
        await server.kill()
        with pytest.raises(TimeoutError):
            await hasty.ping()


async def test_a_reset_ends_open_connections_only(client: redis.Redis, proxy: Proxy) -> None:
    await client.ping()
    proxy.reset()
    with pytest.raises(ConnectionError):
        await client.ping()
    assert await client.ping()


async def test_without_a_server_connections_end(client: redis.Redis, proxy: Proxy, server: StoreServer) -> None:
    await server.kill()
    with pytest.raises(ConnectionError):
        await client.ping()
    await server.start()
    assert await client.ping()


async def test_the_target_may_be_changed(client: redis.Redis, proxy: Proxy, tmp_path: Path) -> None:
    await client.set("where", "first")
    async with StoreServer(tmp_path / "second") as second:
        proxy.target = second.socket
        assert await client.get("where") == "first"
        proxy.reset()
        with pytest.raises(ConnectionError):
            await client.get("where")
        assert await client.get("where") is None


async def test_sliced_replies_are_right(client: redis.Redis, proxy: Proxy) -> None:
    proxy.slice(1)
    value = "é" * 2000
    assert await client.set("a", value)
    assert await client.get("a") == value
    async with client.pipeline(transaction=True) as pipe:
        for number in range(20):
            pipe.rpush("list", number)
        assert await pipe.execute() == list(range(1, 21))
    proxy.heal()
    assert await client.lrange("list", 0, -1) == [str(number) for number in range(20)]


async def test_slices_are_written_one_by_one(proxy: Proxy, server: StoreServer) -> None:
    reader, writer = await asyncio.open_unix_connection(str(proxy.socket))
    proxy.slice(2)
    seen: list[bytes] = []
    writer.write(b"PING\r\n" * 20)
    while sum(map(len, seen)) < 20 * 7:
        seen.append(await reader.read(1000))
    assert b"".join(seen) == b"+PONG\r\n" * 20
    assert len(seen) > 20
    writer.close()


async def test_delayed_commands_keep_their_order_on_each_connection(proxy: Proxy, server: StoreServer) -> None:
    proxy.delay(0.002, 0.002)

    async def push(name: str) -> list[str]:
        async with connect(proxy) as client:
            for number in range(10):
                await client.rpush(name, number)
            async with client.pipeline(transaction=False) as pipe:
                for number in range(10, 20):
                    pipe.rpush(name, number)
                assert await pipe.execute() == list(range(11, 21))
            return [told(str, number) for number in await client.lrange(name, 0, -1)]

    pushed = [str(number) for number in range(20)]
    assert list(await asyncio.gather(push("a"), push("b"))) == [pushed, pushed]


async def test_healing_a_delay_resets_what_was_held_back(client: redis.Redis, proxy: Proxy) -> None:
    await client.ping()
    proxy.delay(3600.0)
    waiting = asyncio.ensure_future(client.ping())
    async with asyncio.timeout(30):
        while proxy.held == 0:
            await asyncio.sleep(0.001)
    proxy.heal()
    with pytest.raises(ConnectionError):
        await waiting
    assert await client.ping()


@pytest.mark.parametrize("count", [0, 1, 5000, 200_000])
async def test_a_reset_mid_reply_is_an_error_and_strikes_once(client: redis.Redis, proxy: Proxy, count: int) -> None:
    value = "x" * 300_000
    await client.set("a", value)
    proxy.reset_after(count)
    assert proxy.armed
    with pytest.raises(ConnectionError):
        await client.get("a")
    assert not proxy.armed
    assert await client.get("a") == value


async def test_exactly_so_many_bytes_of_replies_pass_before_the_reset(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_unix_connection(str(proxy.socket))
    proxy.reset_after(17)
    writer.write(b"PING\r\n" * 5)
    assert await reader.readexactly(17) == (b"+PONG\r\n" * 3)[:17]
    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await reader.readexactly(1)
    writer.close()


async def test_a_lost_reply_is_an_error_of_a_command_that_was_done_once(
    client: redis.Redis, proxy: Proxy, server: StoreServer
) -> None:
    await client.set("n", 0)
    proxy.lose_reply(lambda request: b"INCR" in request)
    assert await client.get("n") == "0"
    assert proxy.armed
    with pytest.raises(ConnectionError):
        await client.incr("n")
    assert not proxy.armed
    assert await client.get("n") == "1"
    assert await client.incr("n") == 2


async def test_healing_disarms(client: redis.Redis, proxy: Proxy) -> None:
    proxy.reset_after(0)
    proxy.lose_reply(lambda request: True)
    proxy.heal()
    assert not proxy.armed
    assert await client.ping()


@pytest.mark.parametrize("fault", [lambda proxy: proxy.slice(1), lambda proxy: proxy.delay(0.001, 0.001)])
async def test_commits_and_reads_of_the_store_pass_a_bad_network(proxy: Proxy, fault: Callable[[Proxy], None]) -> None:
    fault(proxy)
    store = Store(proxy.url)
    await store.initialise()
    try:
        for number in range(1, 4):
            binding = make_binding(f"word{number}")
            done = await write(store, "c0de", binds(binding, Slot(1, 3 + number)))
            assert done.revision == number
            assert (await store.items([binding.items]))[0] == {binding.items: ("i001", "i002")}
        listing = await store.read("c0de")
        assert listing is not None
        assert listing.verify()
        assert sorted(listing.slots) == ["1-4", "1-5", "1-6"]
    finally:
        await store.close()


async def test_a_commit_whose_answer_was_lost_is_found_again(proxy: Proxy) -> None:
    store = Store(proxy.url)
    await store.initialise()
    try:
        await write(store, "c0de", binds(make_binding("first"), Slot(1, 4)))  # the script is known from here on
        proxy.lose_reply(lambda request: b"EVALSHA" in request)
        done = await write(store, "c0de", binds(make_binding("second"), Slot(1, 5)))
        assert not proxy.armed
        assert (done.revision, done.durability) == (2, "appendfsync always")
    finally:
        await store.close()
