"""A backup: one file, written whole, and read again before it counts.

It is a tar file, compressed, of a data directory that `copying.py` wrote, and of `backup.json`, which says what is in
it and which index was active. Everything carries its own digest, so that a backup is checked by reading it.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from slotbeam.backup.copying import ROLE, held_in, writing_under
from slotbeam.bindings.times import iso
from slotbeam.errors import Conflict, SetupError
from slotbeam.files import PRIVATE, locked_directory, replacing

FORMAT = 1
KEPT = 30
FACTS = "backup.json"

_NAME = re.compile(r"slotbeam-[0-9]{8}T[0-9]{6}Z-r[0-9]+-s[0-9]+\.tar\.gz", re.ASCII)
_MEMBER = re.compile(rf"last-good/({ROLE}-[0-9a-f]{{12}}(\.items/[0-9a-f]{{64}})?|items-{ROLE})", re.ASCII)
_BROKEN = (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, KeyError, TypeError, RecursionError)
"""What reading a file that was cut or changed may raise."""


def write(directory: Path, data_dir: Path, held: dict[str, Any], now_ms: int, keep: int = KEPT) -> tuple[Path, int]:
    """Write a backup of what `copy_store` wrote, and remove all but the newest; it appears once it was read again.

    Args:
        directory: of backups; made when missing.
        data_dir: that the store was copied to.
        held: what `copy_store` said.
        now_ms: unix ms.
        keep: backups that stay, this one among them.

    Returns:
        The backup, and how many older ones were removed.

    Raises:
        Conflict: the newest backup there is of a later state: the store lost edits, or is another one.
        SetupError: the directory cannot be written, or what was written cannot be read.
    """
    facts = {"format": FORMAT, "made_at": iso(now_ms), **held}
    moment = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    revision, seq = _reached(facts)
    path = directory / f"slotbeam-{moment}-r{revision}-s{seq}.tar.gz"
    try:
        with locked_directory(directory):
            for left in directory.glob(".slotbeam-*.tar.gz.*"):  # of one that was killed: nobody else writes now
                left.unlink(missing_ok=True)
            if (there := backups(directory)) and there[-1] != path:
                _refuse_to_go_back(there[-1], revision, seq)
            with replacing(path, durable=True, mode=PRIVATE) as file:
                _pack(file, data_dir, facts, now_ms)
                file.flush()
                with opened(Path(file.name)):
                    pass
            older = [one for one in backups(directory) if one != path]
            removed = older[: max(0, len(older) + 1 - keep)]
            for one in removed:
                one.unlink(missing_ok=True)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror or error}; no backup was made") from error
    return path, len(removed)


def backups(directory: Path) -> list[Path]:
    """List the backups of a directory, the oldest first."""
    return sorted(file for file in directory.glob("slotbeam-*") if _NAME.fullmatch(file.name) and file.is_file())


def facts_of(path: Path) -> dict[str, Any]:
    """Return what a backup says it holds, unchecked. Raises `SetupError`: it cannot be read."""
    try:
        with gzip.open(path) as raw, tarfile.open(fileobj=raw, mode="r|") as tar:
            first = tar.next()
            return _facts(tar, first) if first else {}
    except _BROKEN as error:
        raise _no_backup(path, error) from None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Unpack a backup and check all of it, against the digests that it carries and against what it says it holds.

    Yields:
        A data directory, which is removed afterwards, and what the backup says.

    Raises:
        SetupError: it cannot be read, was cut, or was changed; or there is no room to unpack it.
    """
    with TemporaryDirectory(prefix="slotbeam-backup-") as place:
        data_dir = Path(place)
        try:
            facts = _unpack(path, data_dir)
            held = held_in(data_dir)
            if wrong := [name for name, value in held.items() if facts.get(name) != value]:
                raise ValueError(f"its {' and '.join(wrong)} are not what {FACTS} says")
        except _BROKEN as error:
            raise _no_backup(path, error) from None
        yield data_dir, facts


def _reached(facts: dict[str, Any]) -> tuple[int, int]:
    """Return the revision and the seq that a backup is of."""
    return max(one["revision"] for one in facts["bindings"].values()), (facts["items"] or {"seq": 0})["seq"]


def _refuse_to_go_back(newest: Path, revision: int, seq: int) -> None:
    """Raise `Conflict` where the store is behind a backup, which would go in the end to make room for less.

    One that cannot be read is no reason to make none.
    """
    try:
        before, before_seq = _reached(facts_of(newest))
    except (SetupError, KeyError, TypeError, ValueError):
        return
    if revision < before or seq < before_seq:
        raise Conflict(
            f"the store is at revision {revision} and seq {seq}, behind {newest.name}: it lost edits, or is another "
            "one. No backup was made: restore that one (slotbeam backup restore), or name another directory"
        )


def _pack(file: BinaryIO, data_dir: Path, facts: dict[str, Any], now_ms: int) -> None:
    names = sorted(path.relative_to(data_dir).as_posix() for path in data_dir.rglob("*") if path.is_file())
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as raw, tarfile.open(fileobj=raw, mode="w|") as tar:
        for name in (FACTS, *filter(_MEMBER.fullmatch, names)):
            told = json.dumps(facts, sort_keys=True, indent=1).encode() if name == FACTS else None
            content = told or (data_dir / name).read_bytes()
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(content), now_ms // 1000, PRIVATE
            tar.addfile(member, io.BytesIO(content))


def _unpack(path: Path, data_dir: Path) -> dict[str, Any]:
    """Write the files of a backup under `data_dir`. Returns what it says.

    Raises:
        SetupError: there is no room for them.
        Exception: one of `_BROKEN`, where the backup is not whole.
    """
    facts = None
    with gzip.open(path) as raw:
        with tarfile.open(fileobj=raw, mode="r|") as tar:
            for member in tar:
                if facts is None:
                    facts = _facts(tar, member)
                    continue
                if not (member.isreg() and _MEMBER.fullmatch(member.name)):
                    raise ValueError(f"it holds {member.name[:80]!r}, which no backup does")
                place, content = data_dir / member.name, _content(tar, member)
                with writing_under(data_dir):
                    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    place.write_bytes(content)
        while raw.read(2**20):  # to its checksum
            pass
    if facts is None:
        raise ValueError("it is empty")
    return facts


def _facts(tar: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, Any]:
    if member.name != FACTS:
        raise ValueError(f"it begins with {member.name[:80]!r}, not with {FACTS}")
    facts = json.loads(_content(tar, member))
    if facts["format"] != FORMAT:
        raise ValueError(f"it is of format {facts['format']}; this version of slotbeam reads format {FORMAT}")
    return dict(facts)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    if file is None:
        raise ValueError(f"{member.name[:80]!r} is no file")
    return file.read()


def _no_backup(path: Path, error: BaseException) -> SetupError:
    if isinstance(error, OSError) and error.errno is not None:  # which says nothing of what it holds
        return SetupError(f"{path} cannot be read: {error.strerror}; name a backup that this user may read")
    return SetupError(f"{path} is no backup that is whole ({error}); take another one")
