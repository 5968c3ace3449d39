"""An artifact copied from elsewhere: whole and as its manifest says, or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

from slotbeam.errors import ArtifactError, SetupError
from slotbeam.indexing.directory import PULLING, alone_in
from slotbeam.search.artifact import INDEX, MANIFEST, MODEL, check_files, read_manifest, sha_of

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_HASH = re.compile(r"[0-9a-f]{64}")
_LARGEST_MANIFEST = 2**24
_CHUNK = 2**20


class Remote(Protocol):
    """Where files are read from: a file system of fsspec."""

    def open(self, path: str, mode: str = "rb") -> BinaryIO:
        """Open a file to be read. Raises FileNotFoundError, and any other error of its own."""
        ...


def pull(
    remote: Remote, root: str, place: Path, progress: Callable[[int, int], object] = lambda done, total: None
) -> tuple[dict[str, Any], bool]:
    """Copy the artifact under `root` to `place`, which appears in one rename.

    Args:
        remote: that holds it.
        root: its directory there.
        place: the directory to make; one that holds the same artifact already stays as it is.
        progress: is called with the bytes that are there, and those of all files.

    Returns:
        The manifest, and whether anything was copied.

    Raises:
        ArtifactError: a file is missing or is not what the manifest says, or the manifest names what it may not.
        SetupError: `place` holds something else, or cannot be written.
    """
    try:
        with alone_in(place.parent):
            return _pulled(remote, root, place, progress)
    except OSError as error:
        raise SetupError(f"{place} cannot be written: {error.strerror or error}; nothing is left of it") from error


def _pulled(
    remote: Remote, root: str, place: Path, progress: Callable[[int, int], object]
) -> tuple[dict[str, Any], bool]:
    work = place.with_name(f".{place.name}{PULLING}")
    try:
        work.mkdir()
        _fetch(remote, f"{root}/{MANIFEST}", work / MANIFEST, _LARGEST_MANIFEST)
        manifest = read_manifest(work)
        files = _files_of(manifest)
        if place.exists():
            _check_same(place, sha_of(manifest))
            return manifest, False
        done, total = 0, sum(size for size, _ in files.values())

        def got(more: int) -> None:
            nonlocal done
            done += more
            progress(done, total)

        for name, (size, sha256) in files.items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            held, found = _fetch(remote, f"{root}/{name}", path, size, got)
            if (held, found) != (size, sha256):
                has = f"{held} bytes with sha256 {found[:12]}…" if held <= size else f"more than {size} bytes"
                raise ArtifactError(
                    f"{name} has {has}, the manifest says {size} with {sha256[:12]}…; nothing was kept: "
                    "upload the artifact again"
                )
        work.rename(place)
        return manifest, True
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check_same(place: Path, sha: str) -> None:
    """Raise `SetupError` unless `place` holds the artifact `sha`, whole as far as sizes tell."""
    if not (place / MANIFEST).is_file():
        raise SetupError(f"{place} exists and is no artifact; give another name")
    held = read_manifest(place)
    if sha_of(held) != sha:
        raise SetupError(f"{place} holds another artifact ({sha_of(held)[:12]}…, not {sha[:12]}…); give another name")
    check_files(place, held)


def _files_of(manifest: dict[str, Any]) -> dict[str, tuple[int, str]]:
    """Return path → (bytes, SHA-256) of what a manifest names. Raises `ArtifactError` for what no artifact holds."""
    files: dict[str, tuple[int, str]] = {}
    named = manifest.get("files")
    for name, facts in named.items() if isinstance(named, dict) else ():
        parts = PurePosixPath(name).parts
        plain = "/".join(parts) == name and len(parts) > 1 and parts[0] in (MODEL, INDEX)
        if not plain or not all(map(_PART.fullmatch, parts)):
            raise ArtifactError(f"the manifest names {name[:80]!r}; allowed: plain paths below {MODEL}/ and {INDEX}/")
        size, sha256 = (facts.get("bytes"), facts.get("sha256")) if isinstance(facts, dict) else (None, None)
        if type(size) is not int or size < 0 or not isinstance(sha256, str) or not _HASH.fullmatch(sha256):
            raise ArtifactError(f"the manifest says of {name} no size, or no hash")
        files[name] = size, sha256
    if not files:
        raise ArtifactError("the manifest names no files")
    return files


def _fetch(
    remote: Remote, source: str, path: Path, most: int, progress: Callable[[int], object] = lambda more: None
) -> tuple[int, str]:
    """Copy one file durably, of a longer one no more than `most` bytes and one. Returns its bytes and their SHA-256."""
    digest, done = hashlib.sha256(), 0
    with path.open("xb") as file:
        for chunk in _chunks(remote, source, most + 1):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            progress(len(chunk))
        file.flush()
        os.fsync(file.fileno())
    return done, digest.hexdigest()


def _chunks(remote: Remote, source: str, most: int) -> Iterator[bytes]:
    """Yield the first `most` bytes of a file. Raises `ArtifactError` where there is none, `SetupError` for the rest."""
    try:
        with remote.open(source, "rb") as file:
            while most and (chunk := file.read(min(_CHUNK, most))):
                most -= len(chunk)
                yield chunk
    except FileNotFoundError:
        raise ArtifactError(f"{source} is missing; nothing was kept: upload the artifact again") from None
    except Exception as error:  # of whatever speaks to the remote
        raise SetupError(f"{source} cannot be read: {type(error).__name__}: {error}") from error
