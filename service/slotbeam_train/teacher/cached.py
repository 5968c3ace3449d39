"""A teacher that remembers: what was encoded once, in whatever run, is read from disk."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from slotbeam.types import FloatArray
from slotbeam_train.teacher.protocol import Teacher

CHUNK = 2048
"""Texts that are encoded between two commits: what a run that is stopped loses, at most."""

Tell = Callable[[int, int], object]
"""Called with the texts that are encoded, and how many there are to encode."""


def cache_directory() -> Path:
    """Return where teachers and what they said are kept: `SLOTBEAM_CACHE`, or `slotbeam` in the user's cache."""
    own = os.environ.get("SLOTBEAM_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slotbeam"


class CachedTeacher:
    """A teacher, and the vectors of every text that it was asked for, as float16 in an SQLite file of its name.

    A run that is killed leaves whole chunks; the next one goes on behind them. Several runs may share a file.

    Args:
        teacher: is asked for what is not kept.
        directory: of the file; default: the user's cache.
        tell: is told how far it is.
    """

    def __init__(self, teacher: Teacher, directory: Path | None = None, tell: Tell = lambda done, of: None) -> None:
        self._teacher, self.tell = teacher, tell
        self.name, self.width = teacher.name, teacher.width
        directory = directory or cache_directory() / "teacher"
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / f"{hashlib.sha256(self.name.encode()).hexdigest()[:16]}.sqlite"

    def tokenizer(self) -> Tokenizer | None:
        """Return the teacher's; see `Teacher.tokenizer`."""
        return self._teacher.tokenizer()

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> FloatArray:
        """Return (n, w); see `Teacher.encode`. Equal texts are encoded once."""
        keys = [_key(text, queries) for text in texts]
        wanted = dict(zip(keys, texts, strict=True))
        kept = sqlite3.connect(self._path, timeout=60)
        try:
            kept.execute("create table if not exists vectors (key blob primary key, vector blob) without rowid")
            found = _read(kept, list(wanted), 2 * self.width)
            missing = sorted((key for key in wanted if key not in found), key=lambda key: (len(wanted[key]), key))
            for start in range(0, len(missing), CHUNK):
                part = missing[start : start + CHUNK]  # of like length, so that a batch needs little padding
                vectors = self._teacher.encode([wanted[key] for key in part], queries=queries).astype(np.float16)
                rows = [(key, vector.tobytes()) for key, vector in zip(part, vectors, strict=True)]
                with kept:
                    kept.executemany("insert or replace into vectors values (?, ?)", rows)
                found.update(rows)
                self.tell(min(start + CHUNK, len(missing)), len(missing))
        finally:
            kept.close()
        held = np.frombuffer(b"".join(found[key] for key in keys), np.float16).reshape(len(texts), self.width)
        vectors = held.astype(np.float32)
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


def _key(text: str, queries: bool) -> bytes:
    return hashlib.blake2b(
        f"{'query' if queries else 'passage'}\n{text}".encode("utf-8", "replace"), digest_size=16
    ).digest()


def _read(kept: sqlite3.Connection, keys: Sequence[bytes], size: int) -> dict[bytes, bytes]:
    """Return the vectors of the keys that are kept; one of another size is not."""
    found: dict[bytes, bytes] = {}
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        marks = ",".join("?" * len(part))
        found.update(kept.execute(f"select key, vector from vectors where key in ({marks})", part).fetchall())
    return {key: vector for key, vector in found.items() if len(vector) == size}
