"""The last-known-good items on disk: what a replica boots from when the store is dead.

A whole file and a journal. The whole file is one line of SHA-256 (hex) over the rest; then a line of JSON: format,
epoch, seq, digest, trimmed; then each record on a line. It is written to a temporary file, synced, renamed; the
generation before it stays as `<name>.1`. The journal, `<name>.feed-<seq of its whole file>`, is appended to and
synced: a line for each edit since, `seq digest record`. The running digest tells a line that was torn or changed, and
nothing behind it counts. So an edit costs its own bytes, however many items there are.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slotbeam.errors import InputError
from slotbeam.files import PRIVATE, append_durably, replacing
from slotbeam.items.record import Digest, ItemRecord
from slotbeam.items.store.store import ItemsHead

FORMAT = 1


@dataclass(frozen=True)
class ItemsGood:
    """Items that were good once.

    Attributes:
        head: of the store.
        records: every one by its id.
        trimmed: those up to this seq were let go, since an index holds them.
    """

    head: ItemsHead
    records: Mapping[str, bytes]
    trimmed: int = 0


@dataclass(frozen=True)
class JournalLine:
    """One edit, as the journal keeps it."""

    seq: int
    digest: str
    id: str
    record: bytes


class ItemsFile:
    """The whole file at `path` and its journal.

    Attributes:
        appended: lines of the journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.appended = 0
        self._journal: int | None = None

    def save(self, good: ItemsGood) -> None:
        """Write everything; the former file becomes the second generation, the journal begins anew. Raises OSError."""
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        head = good.head
        facts = {"format": FORMAT, "epoch": head.epoch, "seq": head.seq, "digest": head.digest, "trimmed": good.trimmed}
        lines = [json.dumps(facts, sort_keys=True).encode(), *good.records.values()]
        whole = hashlib.sha256()
        for line in lines:
            whole.update(line + b"\n")
        # Before the file that it belongs to: one left by an older file of the same seq must not be read as this one's.
        journal = os.open(self._journal_of(head.seq), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, PRIVATE)
        try:
            with replacing(self.path, durable=True, mode=PRIVATE, former=second(self.path)) as file:
                file.write(whole.hexdigest().encode() + b"\n")
                file.writelines(line + b"\n" for line in lines)
        except BaseException:
            os.close(journal)
            raise
        self._journal, self.appended = journal, 0
        self._collect()

    def append(self, lines: Iterable[JournalLine]) -> None:
        """Append edits and put them on disk. Raises OSError; then, and before the first `save`, nothing is kept."""
        if self._journal is None:
            raise OSError("the journal is not open")
        told = [b"%d %s %s\n" % (line.seq, line.digest.encode(), line.record) for line in lines]
        data = b"".join(told)
        try:
            append_durably(self._journal, data)
        except OSError:
            self.close()
            raise
        self.appended += len(told)

    @property
    def is_open(self) -> bool:
        """Whether edits can be appended; else everything is to be saved."""
        return self._journal is not None

    def close(self) -> None:
        """Stop keeping; what is on disk stays."""
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None

    def load(self) -> tuple[ItemsGood | None, list[str]]:
        """Read the newest generation that is whole, and its journal. Returns `(it or None, what was wrong)`."""
        problems: list[str] = []
        for candidate in (self.path, second(self.path)):
            try:
                good = _read(candidate)
            except FileNotFoundError:
                continue
            except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                problems.append(f"{candidate.name} cannot be used: {error}")
                continue
            return self._replay(good), problems
        return None, problems

    def _replay(self, good: ItemsGood) -> ItemsGood:
        """Return what the journal makes of a whole file, as far as one line follows from the other."""
        records, head, digest = dict(good.records), good.head, Digest(good.head.digest)
        try:
            data = self._journal_of(good.head.seq).read_bytes()
        except OSError:
            return good
        for line in data.split(b"\n"):
            try:
                seq, told, record = line.split(b" ", 2)
                item_id = ItemRecord.of(record).id
            except (ValueError, InputError):
                break
            if seq.isdigit() and int(seq) <= head.seq:
                continue  # what was kept and then not served is kept again
            digest.replace(records.get(item_id), record)
            if not seq.isdigit() or int(seq) != head.seq + 1 or told.decode(errors="replace") != str(digest):
                break
            records[item_id], head = record, ItemsHead(head.epoch, head.seq + 1, str(digest))
        return ItemsGood(head, records, good.trimmed)

    def _journal_of(self, seq: int) -> Path:
        return self.path.with_name(f"{self.path.name}.feed-{seq}")

    def _collect(self) -> None:
        """Remove the journals of neither generation."""
        keep = set()
        for file in (self.path, second(self.path)):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                keep.add(self._journal_of(_facts(file)["seq"]).name)
        for journal in self.path.parent.glob(f"{self.path.name}.feed-*"):
            if journal.name not in keep:
                journal.unlink(missing_ok=True)


def file_of(role: str, process: int = 1) -> str:
    """Return the name of the whole file of one process of a role."""
    return f"items-{role}" if process == 1 else f"items-{role}-{process}"


def beside(path: Path) -> list[Path]:
    """Return the whole files of the other processes of the role of `path`."""
    first = re.sub(r"-[0-9]+$", "", path.name)
    named = [file for file in path.parent.glob(f"{first}*") if re.fullmatch(rf"{first}(-[0-9]+)?", file.name)]
    return sorted(file for file in named if file != path)


def second(path: Path) -> Path:
    """Return the older generation's path."""
    return path.with_name(path.name + ".1")


def _facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        file.readline()
        facts: dict[str, Any] = json.loads(file.readline())
    return facts


def _read(path: Path) -> ItemsGood:
    told, _, body = path.read_bytes().partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != told:
        raise ValueError("its SHA-256 does not fit")
    first, *lines = body.removesuffix(b"\n").split(b"\n")
    facts = json.loads(first)
    if facts["format"] != FORMAT:
        raise ValueError(f"it is of format {facts['format']}; this version of slotbeam reads format {FORMAT}")
    epoch, seq, digest, trimmed = facts["epoch"], facts["seq"], facts["digest"], facts.get("trimmed", 0)
    numbers = all(type(number) is int and number >= 0 for number in (seq, trimmed))
    if not isinstance(epoch, str) or not numbers or not isinstance(digest, str):
        raise ValueError("a field of it has the wrong type")
    if str(Digest.of(lines)) != digest:
        raise ValueError("its records do not add up to its digest")
    return ItemsGood(ItemsHead(epoch, seq, digest), {ItemRecord.of(line).id: line for line in lines}, trimmed)
