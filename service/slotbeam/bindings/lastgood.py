"""The last-known-good file: what a replica boots from when the store is dead.

One line of SHA-256 (hex) over the rest, then canonical JSON. Written to a temporary file, synced, renamed, the
directory synced; the generation before it stays as `<name>.1`. Item lists lie beside it, `<name>.items/<sha>`, each
written once: a revision costs a small file, however many items are bound.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from slotbeam.bindings.binding import canonical, decode_items, encode_items
from slotbeam.bindings.plan import Listing
from slotbeam.errors import BindingError

FORMAT = 1
KEPT_S = 3600.0
"""An item list that no generation names stays this long: another process may be about to name it."""


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
        }
    )
    lists = _lists(path)
    for directory in (path.parent, lists):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for sha, ids in good.items.items():
        if not (lists / sha).exists():
            _replace(lists / sha, encode_items(ids)[1])
    _replace(path, hashlib.sha256(body).hexdigest().encode() + b"\n" + body, former=second(path))
    _collect(path, good.items)


def load(path: Path, codebook_sha: str) -> tuple[LastGood | None, list[str]]:
    """Read the newest generation that is whole. Returns `(it or None, what was wrong with anything)`."""
    problems: list[str] = []
    for candidate in (path, second(path)):
        try:
            listing = _read(candidate, codebook_sha)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            problems.append(f"{candidate.name} cannot be used: {error}")
            continue
        items: dict[str, tuple[str, ...]] = {}
        for sha in {binding.items for binding in listing.bindings.values()}:
            try:
                items[sha] = decode_items(sha, (_lists(path) / sha).read_bytes())
            except (OSError, BindingError) as error:
                problems.append(f"item list {sha[:12]}… of {candidate.name} cannot be used: {error}")
        return LastGood(listing, items), problems
    return None, problems


def second(path: Path) -> Path:
    """The older generation's path."""
    return path.with_name(path.name + ".1")


def _lists(path: Path) -> Path:
    return path.with_name(path.name + ".items")


def _read(path: Path, codebook_sha: str) -> Listing:
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
    return listing


def _replace(path: Path, data: bytes, former: Path | None = None) -> None:
    """Write `path` whole or not at all, on disk when this returns; what it held goes to `former`."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if former is not None and path.exists():
            os.replace(path, former)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _collect(path: Path, named: Iterable[str]) -> None:
    """Remove old item lists that neither generation names."""
    keep = set(named)
    try:
        _, _, body = second(path).read_bytes().partition(b"\n")
        keep.update(json.loads(record)["items"] for record in json.loads(body)["records"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    too_old = time.time() - KEPT_S
    for file in _lists(path).iterdir():
        if file.name not in keep and file.stat().st_mtime < too_old:
            file.unlink(missing_ok=True)
