"""A real store server that a test can kill, pause, cut from power and start again.

Files under its directory: `server.conf`, `server.log`, `sock`, `data/` (the server's own directory), and of a recorded
server `fsync.so` and `fsync.log` (see `disk`).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from slotbeam.embedded.parentdeath import bound_to_parent
from slotbeam.embedded.server import MAX_SOCKET_PATH, SETTINGS, find_binary
from torture.disk import Disk

HANG_S = 30.0


def short(socket: Path) -> Path:
    """Return `socket`, or a path that stands for it where the kernel would refuse one so long."""
    if len(os.fsencode(socket)) <= MAX_SOCKET_PATH:
        return socket
    return Path(tempfile.gettempdir()) / f"slotbeam-{hashlib.sha256(os.fsencode(socket)).hexdigest()[:16]}.sock"


class StoreServer:
    """A Valkey or Redis server on a unix socket. An async context manager: it starts it, and kills it at the end.

    Use from the main thread: to the kernel the server's parent is the thread that forked it, and it dies with that.

    Args:
        directory: where its files go; made when missing, kept at the end.
        binary: the server program; by default the one that slotbeam itself would start.
        recorded: note what is on disk, so that `cut` works.
        settings: configuration directives, with `_` for `-`; they replace those of `EmbeddedStore`.
    """

    def __init__(self, directory: Path, binary: Path | None = None, *, recorded: bool = False, **settings: str) -> None:
        self.directory = directory.resolve()
        self.data = self.directory / "data"
        self.binary = binary or find_binary()
        self.socket = short(self.directory / "sock")
        self.settings = {**SETTINGS, "aof-load-truncated": "yes"} | {
            name.replace("_", "-"): value for name, value in settings.items()
        }
        self.disk = Disk(self.data, self.directory) if recorded else None
        self.environment = self.disk.environment if self.disk else {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int | None:
        """The server's process id; None while there is none."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def start(self) -> None:
        """Start the server and wait until it answers PING. Raises AssertionError with the end of its log."""
        assert self.pid is None, f"the server runs already, as process {self.pid}"
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket.unlink(missing_ok=True)
        config = self.directory / "server.conf"
        config.write_text(self._config())
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                bound_to_parent([str(self.binary), str(config)]),
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its own group: a kill takes a rewriting child along
            )
        try:
            await self._ready()
        except BaseException:
            await self.kill()
            raise

    async def kill(self) -> None:
        """SIGKILL, also to a paused server; it is reaped."""
        self._signal(signal.SIGKILL)
        await self._reaped()

    async def stop(self) -> None:
        """End the server in good order (SIGTERM); kill it when it does not end."""
        self.resume()
        self._signal(signal.SIGTERM)
        try:
            await self._reaped()
        except subprocess.TimeoutExpired:
            await self.kill()

    async def cut(self, torn: float = 0.0) -> int:
        """Cut the power: SIGKILL, then every file is cut to what is on disk (see `disk.Disk.cut`).

        Returns:
            The number of bytes that were lost.
        """
        assert self.disk is not None, "only a recorded server can be cut: StoreServer(…, recorded=True)"
        await self.kill()
        return self.disk.cut(torn)

    async def empty(self) -> None:
        """SIGKILL, and its disk is lost with all that was on it."""
        await self.kill()
        shutil.rmtree(self.data, ignore_errors=True)

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers. Every thread stands still when this returns."""
        self._signal(signal.SIGSTOP)
        if self.pid is not None:
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def aof(self) -> list[Path]:
        """Its append-only files, base and increments."""
        return sorted(file for file in (self.data / "appendonlydir").glob("*") if file.suffix != ".manifest")

    def client(self) -> redis.Redis:
        """A raw client, past slotbeam, that repeats nothing by itself."""
        return redis.Redis(
            unix_socket_path=str(self.socket),
            decode_responses=True,
            socket_timeout=HANG_S,
            retry=Retry(NoBackoff(), 0),
        )

    def last_words(self) -> str:
        """The end of its log."""
        return (self.directory / "server.log").read_text(errors="replace").strip()[-800:] or "(none)"

    async def __aenter__(self) -> StoreServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()
        self.socket.unlink(missing_ok=True)

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            os.killpg(self.pid, number)

    async def _reaped(self) -> None:
        if self._process is not None:
            await asyncio.to_thread(self._process.wait, HANG_S)
            self._process = None

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(HANG_S):
                while not await self._answers():
                    assert self.pid is not None, f"the server did not start; its last words: {self.last_words()}"
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"no PONG in {HANG_S} s; the server's last words: {self.last_words()}") from None

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self.socket))
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            return (await reader.readline()).startswith(b"+PONG")  # -LOADING: not yet
        except OSError:
            return False
        finally:
            writer.transport.abort()

    def _config(self) -> str:
        settings = self.settings | {"unixsocket": str(self.socket), "dir": str(self.data)}
        return "".join(f"{name} {_quoted(value)}\n" for name, value in settings.items())


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
