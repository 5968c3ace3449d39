"""What directories hold."""

from __future__ import annotations

from pathlib import Path


def bytes_of(directory: Path) -> dict[str, bytes]:
    """Return every file under a directory, by its path there."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}
