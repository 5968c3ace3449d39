"""What costs seconds to make is made once, whichever workers need it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from slotbeam.files import locked


@dataclass(frozen=True)
class Once:
    """`once(name, make)`: a folder that `make` filled; made by one worker, shared by all. Do not change it."""

    base: Path

    def __call__(self, name: str, make: Callable[[Path], object]) -> Path:
        directory, done = self.base / name, self.base / f"{name}.done"
        with locked(self.base / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(directory, ignore_errors=True)  # what failed half-way
                directory.mkdir()
                make(directory)
                done.touch()
        return directory
