"""A forked command line (`support.forking`) is what an executed one is: tests may take one for the other."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from support.forking import Forked, run
from support.processes import CLI, HANG_S, environment, wait_for


@pytest.mark.parametrize("arguments", [["slots", "list"], ["serve", "--port", "x"]])
def test_it_says_and_returns_the_same(arguments: list[str], tmp_path: Path) -> None:
    variables = environment(data_dir=tmp_path)
    executed = subprocess.run([*CLI, *arguments], env=variables, capture_output=True, text=True, timeout=HANG_S)
    forked = run([*CLI, *arguments], variables, HANG_S)
    assert (forked.returncode, forked.stdout, forked.stderr) == (executed.returncode, executed.stdout, executed.stderr)
    assert forked.returncode != 0


def test_it_is_a_child_that_holds_only_the_descriptors_it_was_given(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with (tmp_path / "said").open("w+b") as said, os.fdopen(reading), os.fdopen(writing):
        argv = [*CLI, "serve", "--port", "0"]
        variables = environment(data_dir=tmp_path, redis_url="redis://127.0.0.1:1/0")
        process = Forked(argv, variables, said.fileno(), said.fileno(), [writing])
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
        assert int(status["PPid"]) == os.getpid()
        wait_for(lambda: (tmp_path / "said").stat().st_size)
        held = descriptors_of(process.pid)
        pipe = os.readlink(f"/proc/self/fd/{reading}")
        assert [number for number, what in held.items() if what == pipe] == [writing]
        assert held[1] == held[2] == str(tmp_path / "said")
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait(HANG_S) == process.poll() == -signal.SIGKILL
    process.kill()  # of one that is gone is nothing


def descriptors_of(pid: int) -> dict[int, str]:
    """Return what each descriptor of a process is; one that it closes while we look is none that it holds."""
    held = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            held[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return held
