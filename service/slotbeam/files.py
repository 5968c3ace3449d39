"""Files that another process may read, or a power cut may meet: written whole, locked, hashed."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from slotbeam.background import rest

PUBLIC, PRIVATE = 0o666, 0o600
"""Modes of a new file, before the umask: for who may read it by the umask, and for its owner only."""
_PIECE = 2**20
"""Bytes that are hashed at a time: half a millisecond."""


@contextlib.contextmanager
def replacing(
    path: Path, *, durable: bool = False, mode: int = PUBLIC, former: Path | None = None, once: bool = False
) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` when the block ends; readers see the old one or the new one.

    A block that raises, or a disk that is full, leaves `path` as it was and nothing beside it.

    Args:
        path: in a directory that exists.
        durable: file and directory are synced, so that after a power cut `path` is the old one or the new one, and
            the new one once this has returned.
        mode: of the new file, before the umask.
        former: what `path` held goes there.
        once: a file that is there stays, and the new one is dropped; of several writers at once the first wins.

    Raises:
        OSError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(partial, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if once:
            with contextlib.suppress(FileExistsError):
                os.link(partial, path)  # unlike a rename it takes nothing away
        else:
            if former is not None and path.exists():
                os.replace(path, former)
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    if durable:
        _sync(path.parent)


def write_whole(
    path: Path,
    data: bytes,
    *,
    durable: bool = False,
    mode: int = PUBLIC,
    former: Path | None = None,
    once: bool = False,
) -> None:
    """Make `path` hold `data`, wholly or not at all; arguments and errors are those of `replacing`."""
    with replacing(path, durable=durable, mode=mode, former=former, once=once) as file:
        file.write(data)


def append_durably(descriptor: int, data: bytes) -> None:
    """Append to a file that was opened for that; on disk once this has returned. Raises OSError: a part may be."""
    written = os.write(descriptor, data)
    if written < len(data):
        raise OSError(f"{written} of {len(data)} bytes were written")
    os.fsync(descriptor)


def lock(path: Path, *, wait: bool = True) -> int:
    """Open `path`, made with mode 0600 when it is not there, and lock it.

    The lock ends when the last copy of the descriptor is closed, so at the latest with the processes that hold one.

    Returns:
        The descriptor, for reading and writing.

    Raises:
        BlockingIOError: another process holds the lock, and `wait` is False.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of `path` inside the block; wait for whoever holds it."""
    descriptor = lock(path)
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked_directory(directory: Path) -> Iterator[None]:
    """Hold the lock of a directory, made when missing, inside the block; wait for whoever holds it."""
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            rest()
    return digest.hexdigest()


def _sync(path: Path) -> None:
    """Put on disk what was renamed in a directory."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
