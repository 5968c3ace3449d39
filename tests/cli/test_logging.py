"""Logs that cannot be written take nothing else along, and processes that share a log do not cut each other's lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

LOGS = """
import logging, structlog, sys
from slotbeam.cli.listening import configure_logging
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


LINES = """
import structlog, sys
from slotbeam.cli.listening import configure_logging
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
