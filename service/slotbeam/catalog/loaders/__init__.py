"""Catalogs and logs from files: `load_catalog` and `load_log` find the loader that fits.

A path is a file (`.jsonl`, `.jsonl.gz`, `.jsonl.xz`, `.parquet`) or a directory that holds the usual names. Without
`format` the first row decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import icecat, jsonl, kuaisearch
from slotbeam.catalog.loaders.mapping import MappingFile
from slotbeam.catalog.loaders.records import SUFFIXES, rows
from slotbeam.errors import InputError

FORMATS = ("jsonl", "parquet", "world", "icecat", "kuaisearch")
"""What a row looks like: `jsonl`, `parquet` and `world` are the documented schema. Whether a file holds JSON lines
(plain, gzip, xz) or Parquet, its name says."""

_ITEM_FILES = tuple(stem + suffix for stem in ("items", "products") for suffix in SUFFIXES)
_LOG_FILES = tuple(stem + suffix for stem in ("log", "recall", "rank") for suffix in SUFFIXES)
LATE = "items_late.jsonl"


def load_catalog(
    path: Path, format: str | None = None, mapping: Path | None = None, *, late: bool = False
) -> Iterator[Item]:
    """Yield the items of a catalog.

    Args:
        path: a file, or a directory with `items.*` or `products.*`.
        format: one of `FORMATS`; None looks at the first row.
        mapping: a mapping file for rows of any other shape (or to replace the built-in one).
        late: also apply `items_late.jsonl` beside the catalog, when it is there: texts edited after the training
            data was taken. Training reads without it; what is served and searched by `match` is read with it.

    Raises:
        InputError: names the file, the line, the field and what is allowed.
    """
    file = _file(path, _ITEM_FILES)
    found = _items(file, format, mapping)
    beside = file.parent / LATE
    return jsonl.edited(found, beside) if late and beside.is_file() else found


def load_log(path: Path, format: str | None = None) -> Iterator[Interaction]:
    """Yield the interactions of a log: a file, or a directory with `log.*`, `recall.*` or `rank.*`."""
    file = _file(path, _LOG_FILES)
    chosen = format or _sniff(file, {"clicked_item_ids": "kuaisearch", "target_item_id": "kuaisearch"})
    readers: dict[str, Callable[[Path], Iterator[Interaction]]] = {
        **dict.fromkeys(FORMATS[:3], jsonl.interactions),
        "kuaisearch": kuaisearch.interactions,
    }
    if chosen not in readers:
        raise InputError(f"format {chosen!r} has no log; allowed: {', '.join(readers)}")
    return readers[chosen](file)


def _items(file: Path, format: str | None, mapping: Path | None) -> Iterator[Item]:
    if mapping is not None:
        rule = MappingFile.load(mapping)
        return (rule.item(place, row) for place, row in rows(file))
    chosen = format or _sniff(file, {"item_title": "kuaisearch", "attrs": "icecat"})
    readers: dict[str, Callable[[Path], Iterator[Item]]] = {
        **dict.fromkeys(FORMATS[:3], jsonl.items),
        "icecat": icecat.items,
        "kuaisearch": kuaisearch.items,
    }
    if chosen not in readers:
        raise InputError(f"format {chosen!r} is unknown; allowed: {', '.join(FORMATS)}")
    return readers[chosen](file)


def _file(path: Path, names: tuple[str, ...]) -> Path:
    if path.is_file():
        return path
    if path.is_dir():
        for name in names:
            if (path / name).is_file():
                return path / name
        raise InputError(f"{path} holds none of {', '.join(names)}")
    raise InputError(f"{path} does not exist; allowed: a file ({', '.join(SUFFIXES)}) or a directory")


def _sniff(file: Path, signs: dict[str, str]) -> str:
    for _, row in rows(file):
        return next((format for key, format in signs.items() if key in row), "jsonl")
    return "jsonl"
