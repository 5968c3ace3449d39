"""Real processes on free ports: start `slotbeam up`, wait for what it promises, leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar

import httpx

from support.forking import run

HANG_S = 60.0
CLI = (sys.executable, "-m", "slotbeam.cli")

T = TypeVar("T")


def wait_for(what: Callable[[], T | None], hang_s: float = HANG_S) -> T:
    """Call `what` until it is true, and return it; fail after `hang_s`."""
    deadline = time.monotonic() + hang_s
    while not (found := what()):
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing after {hang_s} s")
        time.sleep(0.02)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def environment(**settings: Any) -> dict[str, str]:
    """This process's environment with these settings and no other.

    Unless they say otherwise SIGTERM ends at once, and `up` runs one data plane.
    """
    settings = {"drain_s": 0, "processes": 1, **settings}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLOTBEAM_")}
    return {**kept, **{f"SLOTBEAM_{name.upper()}": str(value) for name, value in settings.items()}}


def finding_tests() -> dict[str, str]:
    """This process's environment, with which another interpreter imports `support` and `torture`, too."""
    paths = [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def listening(plane: subprocess.Popen[str]) -> tuple[str, list[dict[str, Any]]]:
    """Read the log of a plane, whose standard error is a pipe, until it says where it listens.

    Returns:
        Its URL, and every event that came before.
    """
    assert plane.stderr is not None
    said: list[dict[str, Any]] = []
    for event in map(json.loads, plane.stderr):
        if event["event"] == "listening":
            return str(event["url"]), said
        said.append(event)
    raise AssertionError(f"it does not listen: {said}")


def written(file: IO[str]) -> str:
    """Return what processes wrote to an open file so far.

    Opened anew: the place in a file that they share moves with all that they write, in the middle of a reading, too.
    """
    return Path(f"/proc/self/fd/{file.fileno()}").read_text(encoding="utf-8")


class Up:
    """`slotbeam up` on free ports in `data_dir`. A context manager; leaving it kills what is left.

    Args:
        log_elsewhere: its log is no file to it: what fills its disk does not fill that.
    """

    def __init__(self, data_dir: Path, artifact: Path, *, log_elsewhere: bool = False, **settings: Any) -> None:
        self.data_dir, self.log_elsewhere = data_dir, log_elsewhere
        self.environment = environment(port=0, admin_port=0, data_dir=data_dir, artifact=artifact, **settings)
        self.record: Mapping[str, Any] = {}

    def __enter__(self) -> Up:
        # Files, no pipes: a plane whose log nobody reads would stop once a pipe is full.
        self._out, self._err = tempfile.TemporaryFile("a+"), tempfile.TemporaryFile("a+")
        self._copy = None
        if self.log_elsewhere:
            self._copy = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=self._err)
        errors = self._copy.stdin if self._copy else self._err
        self.process = subprocess.Popen(
            [*CLI, "up"], env=self.environment, stdin=subprocess.DEVNULL, stdout=self._out, stderr=errors
        )
        try:
            self.record = wait_for(self._ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self._copy:
            self._copy.communicate()  # ends with the last that writes
        with self._out, self._err:
            self.output, self.errors = self.said()

    def said(self) -> tuple[str, str]:
        """What it wrote to standard output and to standard error so far."""
        return written(self._out), written(self._err)

    def events(self) -> list[dict[str, Any]]:
        """Its log so far. Every line is one JSON event."""
        return [json.loads(line) for line in self.said()[1].split("\n")[:-1]]

    def _ready(self) -> Mapping[str, Any] | None:
        if self.process.poll() is not None:
            raise AssertionError(f"up ended: {self.said()}")
        return self.read()

    def read(self) -> Mapping[str, Any] | None:
        """Return up.json as it is now."""
        try:
            return dict(json.loads((self.data_dir / "up.json").read_text()))
        except FileNotFoundError:
            return None

    @property
    def pids(self) -> list[int]:
        """Every process of it, the parent first."""
        return [self.process.pid, self.record["store_pid"], *self.record["children"].values()]

    @property
    def token(self) -> str:
        return (self.data_dir / "admin.token").read_text().strip()

    def retrieve(self, query: str, **body: Any) -> dict[str, Any]:
        """Ask the data plane."""
        response = httpx.post(
            f"{self.record['data']}/retrieve", json={"query": query, **body}, timeout=HANG_S, verify=False
        )
        assert response.status_code == 200, response.text
        return dict(response.json())

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `slotbeam …` with the same settings."""
        return run([*CLI, *arguments], self.environment, HANG_S)
