"""A plane as a process below `up`, or below the parent of several data planes."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Mapping, Sequence
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


async def run_command(
    arguments: Sequence[str], environment: Mapping[str, str] | None = None, niceness: int = 0
) -> tuple[int, str, str]:
    """Run `slotbeam …` to its end, which is no later than that of this process. Call from the main thread.

    Args:
        arguments: of the command.
        environment: None is that of this process.
        niceness: 19 yields to everything else.

    Returns:
        Its status, what it said, and what it said was wrong.
    """
    pipe = asyncio.subprocess.PIPE
    argv = bound_to_parent([sys.executable, "-m", "slotbeam.cli", *arguments])
    process = await asyncio.create_subprocess_exec(
        *argv, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )
    if niceness:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
    try:
        out, wrong = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode(errors="replace").strip(), wrong.decode(errors="replace").strip()
