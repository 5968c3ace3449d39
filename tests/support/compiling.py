"""Small libraries in C that tests preload into processes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def compiled(source: Path, workshop: Path) -> Path:
    """Compile `source` into a library in `workshop`, once. Without a C compiler the test is skipped."""
    workshop.mkdir(parents=True, exist_ok=True)
    library = workshop.resolve() / f"{source.stem}.so"
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            pytest.skip(f"no C compiler (Debian package gcc): {source.name} cannot be compiled")
        partial = library.with_suffix(".new")
        argv = [compiler, "-O1", "-Wall", "-shared", "-fPIC", "-o", str(partial), str(source), "-ldl"]
        done = subprocess.run(argv, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        partial.replace(library)
    return library
