"""One process for each directory: the file `lock` in it is held by that process, and names it."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from slotbeam.errors import SetupError
from slotbeam.files import lock

RETRY_S = 0.02


def lock_directory(directory: Path, timeout_s: float = 0.0) -> int:
    """Take the lock of `directory`, which is made when it is not there. It ends with the process at the latest.

    Args:
        timeout_s: how long to wait for whoever holds it.

    Returns:
        The descriptor that holds the lock; a child that inherits it holds it, too.

    Raises:
        SetupError: another process holds it; names its pid.
        OSError: the directory cannot be used.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            descriptor = lock(directory / "lock", wait=False)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise _in_use(directory) from None
            time.sleep(RETRY_S)
        else:
            write_holder(descriptor, os.getpid())
            return descriptor


def write_holder(descriptor: int, pid: int) -> None:
    """Write into the lock whose it is. On a full disk nobody is named: it is locked all the same."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{pid}\n".encode(), 0)


def _in_use(directory: Path) -> SetupError:
    holder = (directory / "lock").read_bytes()[:32].decode(errors="replace").strip() or "unknown"
    return SetupError(
        f"{directory} is in use by process {holder}; stop that one, or set SLOTBEAM_DATA_DIR to another directory",
        pid=int(holder) if holder.isdigit() else None,
    )
