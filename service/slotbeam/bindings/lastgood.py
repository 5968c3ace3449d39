"""The last-known-good file: what a replica boots from when the store is dead.

One line of SHA-256 (hex) over the rest, then canonical JSON. Written to a temporary file, synced, renamed, the
directory synced; the generation before it stays as `<name>.1`.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slotbeam.bindings.binding import canonical
from slotbeam.bindings.plan import Listing

FORMAT = 1


@dataclass(frozen=True)
class LastGood:
    """A listing with the item lists that its records name (hash → ids)."""

    listing: Listing
    items: Mapping[str, tuple[str, ...]]


def save(path: Path, codebook_sha: str, good: LastGood) -> None:
    """Write `good`; the former file becomes the second generation. Raises OSError."""
    listing = good.listing
    body = canonical(
        {
            "format": FORMAT,
            "codebook": codebook_sha,
            "epoch": listing.epoch,
            "revision": listing.revision,
            "state": listing.state,
            "records": {key: record.decode() for key, record in listing.records.items()},
            "slots": dict(listing.slots),
            "items": {sha: list(ids) for sha, ids in good.items.items()},
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.replace(path, second(path))
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def load(path: Path, codebook_sha: str) -> tuple[LastGood | None, list[str]]:
    """Read the newest generation that is whole. Returns `(it or None, what was wrong with the others)`."""
    problems: list[str] = []
    for candidate in (path, second(path)):
        try:
            return _read(candidate, codebook_sha), problems
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            problems.append(f"{candidate.name} cannot be used: {error}")
    return None, problems


def second(path: Path) -> Path:
    """The older generation's path."""
    return path.with_name(path.name + ".1")


def _read(path: Path, codebook_sha: str) -> LastGood:
    digest, _, body = path.read_bytes().partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("its SHA-256 does not fit")
    data = json.loads(body)
    if data["format"] != FORMAT or data["codebook"] != codebook_sha:
        raise ValueError("it is of another format or codebook")
    listing = Listing(
        epoch=data["epoch"],
        revision=data["revision"],
        state=data["state"],
        records={key: record.encode() for key, record in data["records"].items()},
        slots=data["slots"],
    )
    if not listing.verify():
        raise ValueError("its records do not add up to its state")
    return LastGood(listing, {sha: tuple(ids) for sha, ids in data["items"].items()})


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
