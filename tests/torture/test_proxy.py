"""The network that fails on command: a client sees what each fault promises, and gets through when it is healed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, TimeoutError

from torture.proxy import Proxy
from torture.server import StoreServer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[StoreServer]:
    async with StoreServer(tmp_path / "server", appendfsync="no") as started:
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
