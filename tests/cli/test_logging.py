"""Logs that cannot be written take nothing else along."""

from __future__ import annotations

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
