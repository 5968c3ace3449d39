"""Which files a path means, and how they are opened."""

from __future__ import annotations

import gzip
import io
import lzma
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, cast

from slotbeam.errors import InputError

_PACKED = ("", ".gz", ".xz")
TABLES = tuple(kind + packed for kind in (".csv", ".tsv") for packed in _PACKED)
FEEDS = tuple(".xml" + packed for packed in _PACKED)
LOG_SUFFIXES = (*(".jsonl" + packed for packed in _PACKED), ".parquet", *TABLES)
SUFFIXES = (*LOG_SUFFIXES, *FEEDS)
ITEM_NAMES = ("items", "products")
LOG_NAMES = ("log", "recall", "rank")


def catalog_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files of a catalog: each path itself, or in a directory `items.*` or `products.*`, or their shards.

    Shards are `items-*.*` or `products-*.*` in the order of their names. Raises `InputError` where nothing is there.
    """
    files = [file for path in paths for file in _files(path, ITEM_NAMES, SUFFIXES)]
    if len(set(files)) < len(files):
        raise InputError(f"{max(files, key=files.count)} is given twice; give each file of a catalog once")
    return files


def log_file(path: Path) -> Path:
    """Return the file of a log: the path itself, or in a directory `log.*`, `recall.*` or `rank.*`."""
    return _files(path, LOG_NAMES, LOG_SUFFIXES)[0]


def _files(path: Path, names: tuple[str, ...], suffixes: tuple[str, ...]) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"{path} does not exist; allowed: a file ({', '.join(suffixes)}) or a directory")
    usual = [stem + suffix for stem in names for suffix in suffixes]
    for name in usual:
        if (path / name).is_file():
            return [path / name]
    for stem in ITEM_NAMES if names is ITEM_NAMES else ():
        shards = sorted(shard for shard in path.glob(f"{stem}-*") if shard.name.endswith(suffixes))
        if shards:
            return shards
    raise InputError(f"{path} holds none of {', '.join(usual)}")


def opened(path: Path) -> tuple[BinaryIO, BinaryIO]:
    """Open a plain, gzip or xz file. Raises `InputError` when it cannot be opened.

    Returns:
        What it holds, and the file below it, whose position is how many bytes of the file itself have been read.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    if path.suffix == ".xz":
        return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, lzma.LZMAFile(raw)), 2**16)), raw
    if path.suffix == ".gz":
        return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=raw)), 2**16)), raw
    return raw, raw
