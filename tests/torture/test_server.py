"""The server that faults are done to: each fault is what it says, and it starts again."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, TimeoutError

from torture.server import StoreServer


async def test_a_killed_server_keeps_its_acknowledged_writes_and_its_url(tmp_path: Path) -> None:
    async with StoreServer(tmp_path) as server, server.client() as client:
        first = server.pid
        await client.set("a", "1")
        await server.kill()
        assert server.pid is None
        with pytest.raises(ConnectionError):
            await client.get("a")
        await server.start()
        assert server.pid not in (None, first)
        assert await client.get("a") == "1"
        assert all(file.stat().st_size for file in server.aof())


async def test_a_stopped_server_ended_in_good_order(tmp_path: Path) -> None:
    async with StoreServer(tmp_path, appendfsync="no") as server:
        async with server.client() as client:
            assert await client.config_get("appendfsync") == {"appendfsync": "no"}
            await client.set("a", "1")
        server.pause()
        await server.stop()
        assert server.pid is None
        assert "ready to exit" in server.last_words()
        assert not server.socket.exists()
        await server.start()
        async with server.client() as client:
            assert await client.get("a") == "1"


async def test_a_paused_server_answers_when_it_is_resumed(tmp_path: Path) -> None:
    server = StoreServer(tmp_path)
    hasty = redis.Redis.from_url(server.url, socket_timeout=0.05, retry=Retry(NoBackoff(), 0))
    async with server, server.client() as patient, hasty:
        server.pause()
        waiting = asyncio.ensure_future(patient.ping())
        with pytest.raises((TimeoutError, ConnectionError), match="Timeout reading"):
            await hasty.ping()
        assert not waiting.done()
        server.resume()
        assert await waiting


async def test_an_emptied_server_starts_again_with_nothing(tmp_path: Path) -> None:
    async with StoreServer(tmp_path) as server, server.client() as client:
        await client.set("a", "1")
        await server.empty()
        await server.start()
        assert await client.dbsize() == 0


async def test_a_server_that_cannot_start_says_why_and_is_not_left_behind(tmp_path: Path) -> None:
    server = StoreServer(tmp_path, nonsense="1")
    with pytest.raises(AssertionError, match="nonsense"):
        await server.start()
    assert server.pid is None


async def test_nothing_is_left_of_a_server(tmp_path: Path) -> None:
    async with StoreServer(tmp_path / ("long" * 40)) as server:
        assert len(os.fsencode(server.socket)) < 108
        assert server.socket.exists()
        pid = server.pid
    assert not server.socket.exists()
    assert not Path(f"/proc/{pid}").exists()
