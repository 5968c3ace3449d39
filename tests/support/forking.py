"""Command lines of slotbeam without the second of processor time that Python takes to import it.

`Forked([*CLI, …])` is a process as `subprocess.Popen`'s is: a child of this one, with a pid, memory, environment,
descriptors and signals of its own. It is forked from a process that has imported slotbeam and done nothing else, so all
that it lacks is `exec`. Who tests how a process starts, or wraps one (LD_PRELOAD), takes `subprocess`.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NoReturn

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
MODULE = "slotbeam.cli"
_IMPORTED = (MODULE, "slotbeam.cli.serving", "slotbeam.api.retrieve.app", "slotbeam.api.admin", "httpx")


class Forked:
    """A running command line. SIGKILL ends it when the calling process ends.

    Args:
        argv: `[*CLI, …]`.
        env: the whole environment.
        stdout, stderr: descriptors that it writes to; it has nothing to read.
        pass_fds: further descriptors, which keep their numbers.
    """

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], stdout: int, stderr: int, pass_fds: Sequence[int] = ()
    ) -> None:
        assert tuple(argv[:3]) == (sys.executable, "-m", MODULE), "this one starts slotbeam's command line only"
        self.args = list(argv)
        self.returncode: int | None = None
        self._lock = threading.Lock()
        job = {"arguments": argv[3:], "env": dict(env), "cwd": os.getcwd(), "numbers": [1, 2, *pass_fds]}
        self.pid = _source().fork(job, [stdout, stderr, *pass_fds])
        self._ended = os.pidfd_open(self.pid)
        weakref.finalize(self, os.close, self._ended)  # not before: a thread may wait for it

    def poll(self) -> int | None:
        """The exit status (a signal's number, negative), or None while it runs."""
        with self._lock:
            if self.returncode is None and os.waitid(os.P_PIDFD, self._ended, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                _, status = os.waitpid(self.pid, 0)
                self.returncode = os.waitstatus_to_exitcode(status)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit status. Raises `subprocess.TimeoutExpired`."""
        ended = select.poll()
        ended.register(self._ended, select.POLLIN)
        ended.poll(None if timeout is None else 1000 * timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(argv: Sequence[str], env: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run(argv, env=env, capture_output=True, text=True, timeout=timeout)`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = Forked(argv, env, out.fileno(), err.fileno())
        try:
            process.wait(timeout)
        finally:
            process.kill()
            status = process.wait()
        said = []
        for stream in (out, err):
            stream.seek(0)
            said.append(stream.read().decode().replace("\r\n", "\n").replace("\r", "\n"))
        return subprocess.CompletedProcess(argv, status, *said)


class _Source:
    """The process that has imported slotbeam."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wire, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            argv = [sys.executable, __file__, str(theirs.fileno()), json.dumps(sys.path)]
            null = subprocess.DEVNULL
            self._process = subprocess.Popen(argv, pass_fds=[theirs.fileno()], stdin=null, stdout=null)
        atexit.register(self.close)

    def fork(self, job: Mapping[str, Any], fds: Sequence[int]) -> int:
        """Have a process forked that does `job`, adopt it, and return its pid."""
        with self._lock, _adopting():
            socket.send_fds(self._wire, [json.dumps(job).encode()], fds)
            answer = self._wire.recv(64)
        assert answer, "the process to fork from has ended"
        return int(answer)

    def close(self) -> None:
        self._wire.close()
        self._process.wait()


@cache
def _source() -> _Source:
    return _Source()


@contextlib.contextmanager
def _adopting() -> Iterator[None]:
    """Processes below this one whose parent ends meanwhile become its own children."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        _prctl(PR_SET_CHILD_SUBREAPER, 0)


def _prctl(option: int, value: int) -> None:
    assert ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())


def _serve(wire: socket.socket, adopter: int) -> None:
    """Fork for every job until the other end is closed."""
    while True:
        message, fds, _, _ = socket.recv_fds(wire, 1 << 20, 64)
        if not message:
            return
        told, tell = os.pipe()
        go, send = os.pipe()
        between = os.fork()
        if between == 0:  # ends at once: its own child is an orphan then, and adopted
            child = os.fork()
            if child:
                os.write(tell, b"%d" % child)
                os._exit(0)
            os.read(go, 1)
            _become(json.loads(message), fds, adopter)
        os.waitpid(between, 0)
        os.write(send, b"!")
        wire.send(os.read(told, 64))
        for fd in (told, tell, go, send, *fds):
            os.close(fd)


def _become(job: Mapping[str, Any], fds: Sequence[int], adopter: int) -> NoReturn:
    """What `exec` of the command line would make of this process."""
    above = max(64, *job["numbers"]) + 1
    held = [fcntl.fcntl(fd, fcntl.F_DUPFD, above) for fd in fds]
    os.closerange(3, above)
    for fd, number in zip(held, job["numbers"], strict=True):
        os.dup2(fd, number)
        os.close(fd)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != adopter:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["env"])
    sys.argv[1:] = job["arguments"]
    runpy.run_module(MODULE, run_name="__main__", alter_sys=True)
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest
    sys.path[:] = json.loads(sys.argv[2])
    for name in _IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])), os.getppid())
