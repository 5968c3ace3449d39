"""A teacher that remembers: what was encoded once, in whatever run, is read from disk."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from slotbeam.errors import SetupError
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

    A run that is killed leaves whole chunks; the next one goes on behind them. Several runs may share a file. One that
    is damaged is thrown away and begun again: all it holds can be encoded again.

    Args:
        teacher: is asked for what is not kept.
        directory: of the file; default: the user's cache.
        tell: is told how far it is.

    Raises:
        SetupError: the directory cannot be written.
    """

    def __init__(self, teacher: Teacher, directory: Path | None = None, tell: Tell = lambda done, of: None) -> None:
        self._teacher, self.tell = teacher, tell
        self.name, self.width = teacher.name, teacher.width
        directory = directory or cache_directory() / "teacher"
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(directory, error) from error
        self._path = directory / f"{hashlib.sha256(self.name.encode()).hexdigest()[:16]}.sqlite"

    def tokenizer(self) -> Tokenizer | None:
        """Return the teacher's; see `Teacher.tokenizer`."""
        return self._teacher.tokenizer()

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> FloatArray:
        """Return (n, w); see `Teacher.encode`. Equal texts are encoded once.

        Raises:
            SetupError: the file cannot be written, or the disk is full.
        """
        try:
            return self._encode(texts, queries)
        except sqlite3.OperationalError as error:  # locked, full, not writable
            raise _unusable(self._path, error) from error
        except sqlite3.DatabaseError:  # damaged, e.g. by a power cut or a copy that was cut short
            for ending in ("", "-journal"):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
            return self._encode(texts, queries)

    def _encode(self, texts: Sequence[str], queries: bool) -> FloatArray:
        keys = [_key(text, queries) for text in texts]
        places: dict[bytes, int] = {}
        rows = np.array([places.setdefault(key, len(places)) for key in keys], np.int64)
        wanted = dict(zip(keys, texts, strict=True))  # in the order of their places
        vectors = np.zeros((len(places), self.width), np.float16)
        missing = dict(places)
        kept = sqlite3.connect(self._path, timeout=60)
        try:
            kept.execute("create table if not exists vectors (key blob primary key, vector blob) without rowid")
            for key, vector in _read(kept, list(places)):
                if len(vector) == vectors.itemsize * self.width:
                    vectors[missing.pop(key)] = np.frombuffer(vector, np.float16)
            ordered = sorted(missing, key=lambda key: (len(wanted[key]), key))
            for start in range(0, len(ordered), CHUNK):
                part = ordered[start : start + CHUNK]  # of like length, so that a batch needs little padding
                found = self._teacher.encode([wanted[key] for key in part], queries=queries).astype(np.float16)
                with kept:
                    told = ((key, vector.tobytes()) for key, vector in zip(part, found, strict=True))
                    kept.executemany("insert or replace into vectors values (?, ?)", told)
                vectors[[places[key] for key in part]] = found
                self.tell(min(start + CHUNK, len(ordered)), len(ordered))
        finally:
            kept.close()
        units = vectors.astype(np.float32)
        units /= np.maximum(np.sqrt(np.einsum("ij,ij->i", units, units)), 1e-9)[:, None]
        return units if len(places) == len(texts) else units[rows]


def _key(text: str, queries: bool) -> bytes:
    told = f"{'query' if queries else 'passage'}\n{text}".encode("utf-8", "replace")
    return hashlib.blake2b(told, digest_size=16).digest()


def _read(kept: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield each of the keys that is kept, with its vector."""
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        marks = ",".join("?" * len(part))
        yield from kept.execute(f"select key, vector from vectors where key in ({marks})", part)


def _unusable(path: Path, error: Exception) -> SetupError:
    return SetupError(f"what the teacher says cannot be kept in {path}: {error}; SLOTBEAM_CACHE names another place")
