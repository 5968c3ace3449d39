"""Where a replica finds the indexes that the store names, and which one it boots from."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import structlog

from slotbeam.bindings.replica.lastgood import folder
from slotbeam.errors import ArtifactError, InputError
from slotbeam.files import PRIVATE, write_whole
from slotbeam.indexing.directory import check_index_name
from slotbeam.items.switch import IndexMark
from slotbeam.search.artifact import Artifact, read_manifest, sha_of
from slotbeam.settings import Settings

REMEMBERED = "index.json"

log = structlog.get_logger("slotbeam.items")


def load_index(settings: Settings) -> Artifact:
    """Load what is served at first: the index that took the place of `settings.artifact` last, else that one.

    Raises:
        ArtifactError: that one cannot be loaded, and no index that took its place can.
    """
    indexes = Indexes.of(settings)
    directory = indexes.boot()
    try:
        return Artifact.load(directory.resolve())  # its files, whatever a link of that name leads to later
    except ArtifactError as error:
        if directory == indexes.root:
            raise
        log.error("the index that was served last cannot be loaded; the artifact is served", why=str(error))
    return Artifact.load(indexes.root.resolve())


@dataclass(frozen=True)
class Indexes:
    """The indexes of one replica.

    Attributes:
        root: SLOTBEAM_ARTIFACT, which is served until another index is activated.
        directory: SLOTBEAM_INDEX_DIR.
        data_dir: remembers what was served last.
    """

    root: Path
    directory: Path
    data_dir: Path

    @classmethod
    def of(cls, settings: Settings) -> Indexes:
        return cls(settings.artifact, settings.indexes, settings.data_dir)

    @cached_property
    def root_sha(self) -> str:
        """The hash of `root` when it was asked first. Raises `ArtifactError`: it is no artifact."""
        return sha_of(read_manifest(self.root))

    def find(self, name: str, sha: str) -> Path:
        """Return the directory of the index of that hash. Raises `ArtifactError`, `InputError`: it is not here."""
        if sha == self.root_sha:
            return self.root
        there = self.directory / check_index_name(name)
        with contextlib.suppress(ArtifactError):
            if sha_of(read_manifest(there)) == sha:
                return there
        if there.exists():
            raise ArtifactError(f"{there} is not the index that was activated (sha {sha[:12]}…); copy it again")
        raise ArtifactError(
            f"{there} is not here; copy it there, or set SLOTBEAM_INDEX_DIR to where it is, or SLOTBEAM_ARTIFACT to it "
            "where it was served before any was activated"
        )

    def boot(self) -> Path:
        """Return the directory to serve at first: the index served last, if it took the place of `root`; else `root`.

        Raises:
            ArtifactError: `root` is no artifact.
        """
        root = self.root_sha
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, ArtifactError, InputError):
            kept = json.loads(self._remembered.read_bytes())
            if kept["root"] == root:
                return self.find(kept["name"], kept["sha"])
        return self.root

    def remember(self, mark: IndexMark) -> None:
        """Boot from this index from now on. Raises OSError."""
        kept = {"root": self.root_sha, "name": mark.name, "sha": mark.sha}
        self._remembered.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(self._remembered, json.dumps(kept, sort_keys=True).encode(), durable=True, mode=PRIVATE)

    @property
    def _remembered(self) -> Path:
        return folder(self.data_dir) / REMEMBERED
