"""One log: each line is an event, whoever says it; one that cannot be written costs nothing; no line cuts another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from slotbeam.embedded.serverlog import ServerLog
from support.processes import CLI, HANG_S, environment

LOGS = """
import logging, structlog, sys
from slotbeam.cli.logs import configure_logging
configure_logging("info")
for _ in range(2000):  # more than any buffer holds
    structlog.get_logger().error("disk full", file="x" * 100)
    logging.getLogger("uvicorn.error").error("disk full")
print("alive")
sys.stdout.flush()
os = __import__("os")
os._exit(0)
"""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_behind_the_log_raises_nothing() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", LOGS], stdout=subprocess.PIPE, stderr=full, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "alive\n")


EVERYBODY = """
import asyncio, logging, os, sys, threading, warnings
import structlog
from slotbeam.cli.logs import configure_logging
configure_logging("info", "serve")

class Finalised:
    def __del__(self):
        raise RuntimeError("in a finaliser")

async def forgotten():
    raise RuntimeError("in a task")

async def main():
    task = asyncio.create_task(forgotten())
    await asyncio.sleep(0)
    del task

structlog.get_logger("slotbeam.api").info("of slotbeam", number=1)
logging.getLogger("uvicorn.error").warning("of %s", "uvicorn")
warnings.warn("of Python", DeprecationWarning, stacklevel=1)
warnings.simplefilter("always")
warnings.warn("of Python", UserWarning, stacklevel=1)
asyncio.run(main())
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
Finalised()
raise KeyError("at the end")
"""


def test_whoever_says_something_says_it_as_one_event() -> None:
    done = subprocess.run([sys.executable, "-c", EVERYBODY], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert all({"event", "level", "timestamp", "logger"} <= set(event) for event in events)
    assert {event["process"] for event in events} == {"serve"}
    told = [(event["logger"], event["level"], event["event"]) for event in events]
    assert told[:2] == [("slotbeam.api", "info", "of slotbeam"), ("uvicorn.error", "warning", "of uvicorn")]
    assert {logger for logger, *_ in told} == {
        "slotbeam.api",
        "uvicorn.error",
        "py.warnings",
        "asyncio",
        "slotbeam.cli",
    }
    raised = [event["exception"].splitlines()[-1] for event in events if "exception" in event]
    assert raised == [
        "RuntimeError: in a task",
        "ZeroDivisionError: division by zero",
        "RuntimeError: in a finaliser",
        "KeyError: 'at the end'",
    ]


@pytest.mark.parametrize(
    ("command", "settings", "said"),
    [
        ("serve", {"artifact": "/nowhere", "redis_url": "redis://127.0.0.1:1"}, ["/nowhere holds no manifest.json"]),
        ("admin", {}, ["no store: "]),
        ("up", {"port": "tcp://10.0.0.1:80", "queue": "0"}, ["enableServiceLinks: false", "SLOTBEAM_QUEUE is '0'"]),
    ],
)
def test_a_service_that_cannot_start_says_so_in_its_log(
    tmp_path: Path, command: str, settings: dict[str, str], said: list[str]
) -> None:
    given = environment(**{"port": 0, "admin_port": 0, "data_dir": tmp_path, **settings})
    done = subprocess.run([*CLI, command], env=given, capture_output=True, text=True, timeout=HANG_S)
    assert (done.returncode, done.stdout) == (1, "")
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert len(events) == len(said)
    for event, text in zip(events, said, strict=True):
        assert text in event["event"]
        assert {"level", "timestamp", "logger"} <= set(event)
        assert event["process"] == command
    assert events[-1]["level"] == "critical"


@pytest.mark.parametrize(
    ("line", "level", "event"),
    [
        ("7:M 27 Nov 2026 00:52:28.331 # Out of memory", "warning", "Out of memory"),
        ("7:M 27 Nov 2026 00:52:28.331 * Server initialized", "debug", "Server initialized"),
        ("7:signal-handler (1795740748) Received SIGTERM", "warning", "7:signal-handler (1795740748) Received SIGTERM"),
        ("=== VALKEY BUG REPORT START", "warning", "=== VALKEY BUG REPORT START"),
    ],
)
def test_the_lines_of_the_embedded_store_are_events_once_they_are_whole(
    tmp_path: Path, line: str, level: str, event: str
) -> None:
    log = ServerLog(tmp_path / "valkey.log")
    log.tell()  # nothing there
    with capture_logs() as events:
        log.path.write_text(line)
        log.tell()
        assert events == []
        log.path.write_text(line + "\n\nmore")
        log.tell()
        log.tell()
    assert events == [{"event": event, "log_level": level}]


LINES = """
import structlog, sys
from slotbeam.cli.logs import configure_logging
configure_logging("info")
sys.stdin.read()  # every process is there before one of them writes
for number in range(500):
    structlog.get_logger().info("bindings applied", worker=int(sys.argv[1]), number=number)
"""


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_workers_that_share_a_stream_write_whole_lines(unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    starts, start = os.pipe()
    shared, ends = os.pipe()
    workers = [
        subprocess.Popen([sys.executable, "-c", LINES, str(worker)], stdin=starts, stderr=ends, env=environment)
        for worker in range(4)
    ]
    for end in (starts, ends, start):
        os.close(end)
    with open(shared, encoding="utf-8") as log:
        events = [json.loads(line) for line in log]
    assert [worker.wait(60) for worker in workers] == [0] * 4
    assert sorted((event["worker"], event["number"]) for event in events) == [
        (worker, number) for worker in range(4) for number in range(500)
    ]
