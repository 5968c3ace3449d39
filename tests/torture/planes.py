"""A data or control plane as a process of its own: started, killed, paused, started again on the same port."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from slotbeam.embedded.parentdeath import bound_to_parent
from support.forking import Forked
from support.processes import CLI, environment

HANG_S = 60.0
_TURNED = "import time; real = time.time; time.time = lambda: real() + {seconds}; from slotbeam.cli import main; main()"


class Plane:
    """`slotbeam serve` or `slotbeam admin`. A context manager: leaving it kills what is left.

    The listening socket is kept here, so that callers wait for a restarted process instead of being refused.

    Args:
        role: `serve` or `admin`.
        name: its replica id.
        clock_s: how far its clock is ahead.
        wrapper: environment of the process beside slotbeam's settings.
        executed: it is started by `exec`; else, without clock and wrapper, it is forked (`support.forking`).
        processes: data planes behind its port; of several each is a replica, and started by `exec`.
    """

    def __init__(
        self,
        role: str,
        name: str,
        data_dir: Path,
        *,
        clock_s: float = 0,
        wrapper: Mapping[str, str] | None = None,
        executed: bool = True,
        processes: int = 1,
        **settings: Any,
    ) -> None:
        self.replicas = [name] if processes == 1 else [f"{name}-{number + 1}" for number in range(processes)]
        self.role, self.name, self.data_dir, self.clock_s = role, name, data_dir, clock_s
        self.executed = executed or bool(clock_s or wrapper)
        self.starts = 0
        self.leaving = self.paused = False
        self.process: subprocess.Popen[bytes] | Forked | None = None
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(512)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        given = {"data_dir": data_dir, "replica_id": name, "log_level": "warning", "admin_rate": 0, **settings}
        given["processes"] = processes
        self.environment = {**environment(**given), **(wrapper or {})}
        self.log = data_dir / f"{name}.log"

    @property
    def life(self) -> str:
        """Which life of this process: what must not go back within it may after a restart."""
        return f"{self.name}#{self.starts}"

    def start(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        fd = self.listener.fileno()
        argv: Sequence[str] = [*CLI, self.role, "--listen-fd", str(fd)]
        if self.clock_s:
            argv = [sys.executable, "-c", _TURNED.format(seconds=self.clock_s), *argv[3:]]
        self.starts += 1
        self.leaving = False
        with self.log.open("ab") as log:
            if not self.executed:
                self.process = Forked(argv, self.environment, log.fileno(), log.fileno(), [fd])
                return
            self.process = subprocess.Popen(
                bound_to_parent(argv),
                env=self.environment,
                pass_fds=(fd,),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    async def ready(self) -> None:
        """Wait until `/readyz` is 200."""
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client, asyncio.timeout(HANG_S):
            while True:
                assert self.running, f"{self.name} ended: {self.words()}"
                try:
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.02)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def answering(self) -> bool:
        return self.running and not self.paused

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone. Requests that it takes along are no failures."""
        self.leaving = True
        self.signal(signal.SIGKILL)
        await self._gone()

    async def terminate(self) -> int:
        """SIGTERM; returns the exit status. Connections that it closes are no failures."""
        self.leaving = True
        self.signal(signal.SIGTERM)
        return await self._gone()

    @property
    def children(self) -> list[int]:
        """The process ids of the replicas, where there are several."""
        assert self.process is not None
        return list(map(int, Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()))

    async def lose_one(self, number: int) -> None:
        """SIGKILL one of several replicas, and wait until all are ready again: its parent starts another."""
        self.leaving, before = True, self.children
        os.kill(before[number], signal.SIGKILL)
        async with asyncio.timeout(HANG_S):
            while before[number] in self.children or len(self.children) < len(before):
                await asyncio.sleep(0.02)
        await self.ready()
        self.leaving = False

    def pause(self) -> None:
        """SIGSTOP. Idle connections that it closes when it goes on are no failures."""
        self.signal(signal.SIGSTOP)
        self.paused = self.leaving = True

    def resume(self) -> None:
        self.signal(signal.SIGCONT)
        self.paused = False

    async def _gone(self) -> int:
        assert self.process is not None
        async with asyncio.timeout(HANG_S):
            return await asyncio.get_running_loop().run_in_executor(None, self.process.wait)

    def words(self) -> str:
        """What it logged."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.listener.close()

    @property
    def token(self) -> str:
        return (self.data_dir / "admin.token").read_text().strip()
