"""Power cuts: what would be left of a directory, had the machine stopped now.

A process that runs with `Disk.environment` records, through a preloaded library (`fsync.c`), the size of each file at
every completed fsync or fdatasync. `Disk.cut` then cuts each file to the size at its last one; a file that was never
synced is left empty.

Files are known by device, inode and birth time, so a record follows a file through a rename or a hard link. Not
modelled: a name that is lost because its directory was not synced after a rename, an overwrite in the middle of a
file, and a file emptied by opening it (O_TRUNC); nothing here does the latter two to a file that it wrote before.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from support.compiling import compiled


class Disk:
    """What of `directory` is on disk, and what is only in memory.

    Args:
        directory: whose files are cut. What it holds before anything was recorded counts as on disk.
        workshop: where the library and the record go; outside `directory`, made when missing.

    The first use compiles the library; without a C compiler the test is skipped.
    """

    def __init__(self, directory: Path, workshop: Path) -> None:
        self.directory, self.log = directory.resolve(), workshop.resolve() / "fsync.log"
        assert not self.log.is_relative_to(self.directory), f"{workshop} lies inside {directory}"
        workshop.mkdir(parents=True, exist_ok=True)
        self.library = compiled(Path(__file__).with_name("fsync.c"), workshop.resolve())
        self._identify = ctypes.CDLL(str(self.library)).identify
        if not self.log.exists():
            self._begin()

    @property
    def environment(self) -> dict[str, str]:
        """What to add to a process's environment for it to be recorded; its children are, too."""
        return {"LD_PRELOAD": str(self.library), "SLOTBEAM_FSYNC_LOG": str(self.log)}

    def unsynced(self) -> dict[Path, int]:
        """Return how many bytes at the end of each file are not on disk; only files that have some, by one name each.

        The answer holds while no recorded process runs: kill it, or pause it.
        """
        synced = self._synced()
        tails = {file: max(0, file.stat().st_size - synced.get(known, 0)) for known, file in self._files().items()}
        return {file: tail for file, tail in tails.items() if tail}

    def cut(self, torn: float = 0.0) -> int:
        """Cut the power: drop what is not on disk. The recorded processes must have been killed.

        Args:
            torn: the share of each unsynced tail that had reached the disk all the same, from 0 to 1.

        Returns:
            The number of bytes that were dropped.
        """
        lost = 0
        for file, tail in self.unsynced().items():
            dropped = tail - int(tail * torn)
            os.truncate(file, file.stat().st_size - dropped)
            lost += dropped
        self._begin()
        return lost

    def _begin(self) -> None:
        """Start a new record: whatever is in the directory is on disk."""
        lines = [f"s {file.stat().st_size} {known} {file}\n" for known, file in self._files().items()]
        self.log.write_text("".join(lines))

    def _synced(self) -> dict[str, int]:
        """Return the size on disk of each recorded file, by identity."""
        sizes: dict[str, int] = {}
        for line in self.log.read_text().splitlines():
            what, size, identity, _ = line.split(" ", 3)
            sizes[identity] = int(size) if what == "s" else min(int(size), sizes.get(identity, 0))
        return sizes

    def _files(self) -> dict[str, Path]:
        """Return every regular file, by identity; of several names of one file, any."""
        files = (file for file in self.directory.rglob("*") if file.is_file() and not file.is_symlink())
        return {self._identity(file): file for file in files}

    def _identity(self, file: Path) -> str:
        found = ctypes.create_string_buffer(100)
        if self._identify(os.fsencode(file), found, ctypes.c_size_t(100)) != 0:
            raise OSError(f"statx failed for {file}")
        return found.value.decode()


class FullDisk:
    """A disk that is full while told so, for every process that runs with `environment` (`full.c`)."""

    def __init__(self, workshop: Path) -> None:
        workshop.mkdir(parents=True, exist_ok=True)
        self.flag = workshop.resolve() / "full"
        self.library = compiled(Path(__file__).with_name("full.c"), workshop.resolve())

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "SLOTBEAM_FULL_FLAG": str(self.flag)}

    def fill(self) -> None:
        """From here on every write to a file fails with ENOSPC."""
        self.flag.touch()

    def clear(self) -> None:
        """There is room again."""
        self.flag.unlink()
