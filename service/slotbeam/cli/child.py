"""A plane as a process below `up`, or below the parent of several data planes."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from slotbeam.embedded.parentdeath import bound_to_parent


@dataclass(slots=True, eq=False)
class Child:
    """One plane: how to start it, and the process that runs it now.

    Attributes:
        name: in logs and records.
        listener: the parent's socket, that it listens on.
        arguments: the command, and what follows it; None is `name`.
        number: among those behind one port.
    """

    name: str
    listener: socket.socket
    environment: dict[str, str]
    arguments: Sequence[str] | None = None
    number: int = 0
    process: asyncio.subprocess.Process | None = field(default=None)

    async def start(self) -> None:
        """Start the process on the parent's socket. Call from the main thread (the kernel ties it to that thread)."""
        fd = self.listener.fileno()
        arguments = [self.name] if self.arguments is None else self.arguments
        argv = bound_to_parent([sys.executable, "-m", "slotbeam.cli", *arguments, "--listen-fd", str(fd)])
        self.process = await asyncio.create_subprocess_exec(
            *argv, env=self.environment, pass_fds=(fd,), start_new_session=True, stdin=asyncio.subprocess.DEVNULL
        )

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)
