"""A plane as a process below `up`."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field

from slotbeam.embedded.parentdeath import bound_to_parent


@dataclass(slots=True)
class Child:
    """One plane: how to start it, and the process that runs it now."""

    name: str
    listener: socket.socket
    environment: dict[str, str]
    process: asyncio.subprocess.Process | None = field(default=None)

    async def start(self) -> None:
        """Start the process on the parent's socket. Call from the main thread (the kernel ties it to that thread)."""
        fd = self.listener.fileno()
        argv = bound_to_parent([sys.executable, "-m", "slotbeam.cli", self.name, "--listen-fd", str(fd)])
        self.process = await asyncio.create_subprocess_exec(
            *argv, env=self.environment, pass_fds=(fd,), start_new_session=True, stdin=asyncio.subprocess.DEVNULL
        )

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)
