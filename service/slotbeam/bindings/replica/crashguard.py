"""The crash guard: a binding whose build kills the process is left out, not tried for ever.

While a listing is compiled, a file beside the last-known-good one says so; a process that finds the file of a dead one
knows what it died of. The first death may have any cause (a `kill -9`, memory): the listing is tried again with
care, one binding at a time, the file naming each. A death in one binding's build is that binding's, and it is left out
until its record changes. Deaths that no binding explains put the listing on hold after the third.

One line of JSON: `applying` (state digest or ""), `building` and `record` (binding id and the SHA-256 of its record,
or ""), `deaths` (state digest → count), `blamed` (binding id → SHA-256 of its record). Not synced: it is to survive the
process, not the machine. Its writer holds an flock, which ends with the writer.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slotbeam.bindings.replica.overlay import Bound, Build, build_overlay, built_from
from slotbeam.files import lock
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import EMPTY_OVERLAY, Overlay

DEATHS = 3
KEPT = 64
"""Deaths and blames remembered at most, the newest; a blame outlives listings that lack its record (a replica that
starts compiles its last known good ones first)."""
MAX_BYTES = 1 << 20


@dataclass
class _Note:
    """What the file says."""

    applying: str = ""
    building: str = ""
    record: str = ""
    deaths: dict[str, int] = field(default_factory=dict)
    blamed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Care:
    """How a listing is to be compiled.

    Attributes:
        build: builds overlays, with care where that is due.
        blamed: id → why it is left out.
        refused: compiling it killed this process again and again, and no binding alone explains it: do not.
        name: says on disk whose record is worked on, "" for none; None where no care is due.
    """

    build: Build
    blamed: Mapping[str, str]
    refused: bool = False
    name: Callable[[str], None] | None = None


class CrashGuard:
    """Guards the compilation of listings in one data directory.

    Args:
        path: of the file; without a disk to write it to, nothing is guarded and nothing fails.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def applying(self, state: str, records: Mapping[str, bytes], build: Build = build_overlay) -> Iterator[Care]:
        """Say on disk that the listing of `state` is compiled, until the context is left (an exception is no death)."""
        descriptor = self._lock()
        if descriptor is None:
            yield Care(build, {})
            return
        note = _read(descriptor)
        try:
            _judge(note)
            why = f"NACK:CRASH building it ended the process; change or remove it, or remove {self.path} to try again"
            blamed = {
                binding_id: why
                for binding_id, sha in note.blamed.items()
                if binding_id in records and _sha(records[binding_id]) == sha
            }
            deaths = note.deaths.get(state, 0)
            if deaths >= DEATHS:
                _write(descriptor, note)
                yield Care(build, blamed, refused=True)
                return
            note.applying = state
            _write(descriptor, note)
            if deaths:
                name = _naming(descriptor, note, records)
                yield Care(_careful(build, name), blamed, name=name)
            else:
                yield Care(build, blamed)
            note.deaths.pop(state, None)
        finally:
            note.applying = note.building = note.record = ""
            _write(descriptor, note)
            os.close(descriptor)

    def _lock(self) -> int | None:
        """Lock the file; None when another process that lives compiles, or the disk does not let us."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return lock(self.path, wait=False)
        except OSError:
            return None


def _judge(note: _Note) -> None:
    """Count a death where the note still says "applying": its writer died in it."""
    if note.applying and note.building:
        note.blamed = {**dict(list(note.blamed.items())[1 - KEPT :]), note.building: note.record}
        note.deaths.setdefault(note.applying, 1)
    elif note.applying:
        note.deaths[note.applying] = note.deaths.pop(note.applying, 0) + 1
    note.applying = note.building = note.record = ""
    note.deaths = dict(list(note.deaths.items())[-KEPT:])


def _naming(descriptor: int, note: _Note, records: Mapping[str, bytes]) -> Callable[[str], None]:
    def name(record_id: str) -> None:
        note.building = record_id
        note.record = _sha(records[record_id]) if record_id else ""
        _write(descriptor, note)

    return name


def _careful(build: Build, name: Callable[[str], None]) -> Build:
    """Build each binding that is not built yet alone, its name on disk; then all, from these pieces."""

    def build_with_care(artifact: Artifact, bounds: list[Bound], previous: Overlay | None = None) -> Overlay:
        pieces = list(previous.pinned) if previous else []
        known = {piece.built_from for piece in pieces}
        for bound in bounds:
            if built_from(artifact, bound) not in known:
                name(bound.id)
                with contextlib.suppress(Exception):  # what raises is reported when all are built
                    pieces += build(artifact, [bound], None).pinned
                name("")
        return build(artifact, bounds, replace(previous or EMPTY_OVERLAY, pinned=tuple(pieces)))

    return build_with_care


def _sha(record: bytes) -> str:
    return hashlib.sha256(record).hexdigest()


def _read(descriptor: int) -> _Note:
    """Read the note; an empty one when the file is new or cannot be read."""
    try:
        data: Any = json.loads(os.pread(descriptor, MAX_BYTES, 0).partition(b"\n")[0])
        note = _Note(**data)
        texts = (note.applying, note.building, note.record, *note.deaths, *note.blamed, *note.blamed.values())
        if all(isinstance(text, str) for text in texts) and all(isinstance(n, int) for n in note.deaths.values()):
            return note
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        pass
    return _Note()


def _write(descriptor: int, note: _Note) -> None:
    """Write one line; what is behind it does not count, so a death between the two calls does no harm.

    A full disk is no reason not to serve: then the guard knows less.
    """
    line = json.dumps(note.__dict__).encode() + b"\n"
    with contextlib.suppress(OSError):
        os.pwrite(descriptor, line, 0)
        os.ftruncate(descriptor, len(line))
