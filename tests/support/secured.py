"""The bindings store as deploy/redis/start.sh starts it: two users, and nobody else."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from support.processes import wait_for

REDIS = Path(__file__).parent.parent.parent / "deploy" / "redis"
PASSWORDS = {"serve": "serve-password-0123456789", "admin": "admin-password-0123456789"}


@dataclass(frozen=True)
class Secured:
    """A running store.

    Attributes:
        socket: where it listens.
        commands: every command and subcommand that its binary knows ("config|set") → the least words it takes.
    """

    socket: Path
    commands: dict[str, int]

    def url(self, user: str) -> str:
        return f"unix://{user}:{PASSWORDS[user]}@{self.socket}"

    def client(self, user: str) -> redis.Redis:
        return redis.Redis.from_url(self.url(user), decode_responses=True, driver_info=None)


def passwords(**changed: str) -> dict[str, str]:
    """The environment of start.sh."""
    return {f"SLOTBEAM_REDIS_{user.upper()}_PASSWORD": word for user, word in {**PASSWORDS, **changed}.items()}


@contextmanager
def secured(binary: Path, directory: Path) -> Iterator[Secured]:
    """Run start.sh with `binary` as its redis-server, its files in `directory`."""
    (directory / "redis-server").symlink_to(binary)
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    variables = {**os.environ, **passwords(), "PATH": path, "TMPDIR": str(directory)}
    start = ["sh", str(REDIS / "start.sh")]
    with _server([str(binary), "--save", ""], directory / "plain", variables) as plain:
        commands = _commands(plain)
    with _server(start, directory / "secured", variables) as running:
        yield Secured(running, commands)


@contextmanager
def _server(argv: list[str], directory: Path, variables: dict[str, str]) -> Iterator[Path]:
    directory.mkdir()
    with tempfile.TemporaryDirectory(prefix="sb-") as short:  # a socket's path has at most 107 bytes
        path = Path(short) / "socket"
        argv = [*argv, "--port", "0", "--dir", str(directory), "--unixsocket", str(path)]
        with (directory / "log").open("wb") as log, subprocess.Popen(argv, env=variables, stdout=log) as process:
            try:
                wait_for(lambda: _answers(path) or process.poll() is not None)
                assert process.poll() is None, (directory / "log").read_text()
                yield path
            finally:
                process.kill()


def _answers(path: Path) -> bool:
    """Whether the server replies, and no longer that it loads; that it wants a password is a reply."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64)[:8] not in (b"", b"-LOADING")
        except OSError:
            return False


def _commands(path: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    with redis.Redis(unix_socket_path=str(path), decode_responses=True, protocol=2) as client:
        _collect(client.execute_command("COMMAND INFO", *client.execute_command("COMMAND LIST")), found)
    return found


def _collect(rows: Sequence[Any], found: dict[str, int]) -> None:
    for row in rows:
        name, arity, further = row[0], row[1], row[9] if len(row) > 9 else []
        if further:
            _collect(further, found)
        else:
            found[name] = abs(arity)
