"""Start a program that dies with its parent, however the parent dies.

`bound_to_parent([program, …])` is a command line: a tiny interpreter asks the kernel for SIGKILL at the parent's death,
makes sure that the parent is still there, and becomes the program. Start it from the main thread: to the kernel the
parent is the thread that forked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

PR_SET_PDEATHSIG = 1
SIGKILL = 9


def bound_to_parent(argv: Sequence[str]) -> list[str]:
    """Return the command line that runs `argv` bound to the calling process's life (Linux; elsewhere unbound)."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *argv]


def main() -> None:  # pragma: no cover - `-S` starts it without site-packages, so without what would measure it
    parent, argv = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        import ctypes

        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0:
            _end(f"prctl(PR_SET_PDEATHSIG) failed: errno {ctypes.get_errno()}")
        if os.getppid() != parent:
            _end("the parent ended before its child began")
    os.execv(argv[0], argv)


def _end(why: str) -> NoReturn:  # pragma: no cover - as above
    """Exit with a line for the log that the program would have written to; there is no structlog here."""
    import json
    from datetime import UTC, datetime

    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    event = {"event": why, "level": "critical", "logger": "slotbeam.parentdeath", "timestamp": at, "process": "up"}
    sys.exit(json.dumps(event))


if __name__ == "__main__":  # pragma: no cover - as above
    main()
