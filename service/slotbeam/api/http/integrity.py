"""Whether the artifact that is served is what its manifest says: told at each scrape, found out beside the requests."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import structlog

from slotbeam.background import Background, in_low_thread
from slotbeam.search.snapshot import Holder

_CHUNK = 2**20

log = structlog.get_logger("slotbeam.api")


class Integrity:
    """Takes the hash of every file of the first artifact once, in a thread that yields to all others.

    At load only the files of the model are hashed: an index is as large as its catalog. One that is activated later was
    verified before.

    Args:
        holder: of the snapshot that is served.
    """

    def __init__(self, holder: Holder) -> None:
        artifact = holder.current.artifact
        self._holder = holder
        self._directory, self._files = artifact.directory, artifact.manifest.get("files", {})
        self._background = Background()
        self._stopped = threading.Event()
        self._damaged: list[str] = []

    @property
    def damaged(self) -> list[str]:
        """Files that are not as they were written, so far; what is served of them may be wrong."""
        return self._damaged if self._holder.current.artifact.directory == self._directory else []

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
            actual = await in_low_thread(partial(self._hash, name))
            if actual not in (None, expected["sha256"]) and name not in self._damaged:
                self._damaged.append(name)
                log.error(
                    "a file of the artifact is not what its manifest says; copy the artifact again and restart",
                    file=name,
                    directory=str(self._directory),
                )

    def _hash(self, name: str) -> str | None:
        """Return the SHA-256 of a file, "" where it cannot be read; None where the plane ends."""
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
