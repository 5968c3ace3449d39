"""What the embedded server says of itself: one file a run, whose lines are told as events of the log of `up`."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import BinaryIO

import structlog

MOST_TOLD = 65_536
LAST_WORDS = 600
_SAID = re.compile(r"[0-9]+:[A-Z] .{1,40}? ([.*#-]) (.*)")
"""A line of the server: process and role, time, level, text."""
_LEVELS = {".": logging.DEBUG, "-": logging.DEBUG, "*": logging.DEBUG, "#": logging.WARNING}
"""What it notices of its own life concerns nobody who does not look for it."""

log = structlog.get_logger("slotbeam.store")


class ServerLog:
    """The file that a server's standard output goes to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._told = 0

    def begin(self) -> BinaryIO:
        """Open the file for another run; what the one before wrote is gone."""
        self._told = 0
        return self.path.open("wb")

    def tell(self) -> None:
        """Log what was written since this was last called: `MOST_TOLD` bytes, whole lines."""
        try:
            with self.path.open("rb") as file:
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

    def last_words(self) -> str:
        """Return the end of the file, `LAST_WORDS` characters. Raises OSError."""
        return self.path.read_text(encoding="utf-8", errors="replace").strip()[-LAST_WORDS:]
