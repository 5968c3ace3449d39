"""Whether the artifact that is served is what its manifest says: told at each scrape, found out beside the requests."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from slotbeam.background import Background
from slotbeam.search.artifact import Artifact

_CHUNK = 2**20
_LOWEST = 19
"""Niceness of the thread that hashes."""

log = structlog.get_logger("slotbeam.api")


class Integrity:
    """Takes the hash of every file of an artifact once, in a thread that yields to all others.

    At load only the files of the model are hashed: an index is as large as its catalog.

    Attributes:
        damaged: files that are not as they were written, so far; what is served of them may be wrong.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._directory, self._files = artifact.directory, artifact.manifest.get("files", {})
        self._background = Background()
        self._stopped = threading.Event()
        self.damaged: list[str] = []

    @asynccontextmanager
    async def checking(self) -> AsyncIterator[None]:
        """Check beside what runs inside."""
        self._background.start("artifact", self.check, once=True)
        try:
            yield
        finally:
            self._stopped.set()
            await self._background.stop()

    def restarts(self) -> Mapping[str, int]:
        """Return how often the check had to begin again."""
        return self._background.restarts

    async def check(self) -> None:
        """Read every file; tell of each that differs from the manifest."""
        for name, expected in self._files.items():
            actual = await asyncio.to_thread(self._hash, name)
            if actual not in (None, expected["sha256"]) and name not in self.damaged:
                self.damaged.append(name)
                log.error(
                    "a file of the artifact is not what its manifest says; copy the artifact again and restart",
                    file=name,
                    directory=str(self._directory),
                )

    def _hash(self, name: str) -> str | None:
        """Return the SHA-256 of a file, "" where it cannot be read; None where the plane ends."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)
        digest = hashlib.sha256()
        try:
            with (self._directory / name).open("rb") as file:
                while chunk := file.read(_CHUNK):
                    if self._stopped.is_set():
                        return None
                    digest.update(chunk)
        except OSError:
            return ""
        return digest.hexdigest()
