"""Catalogs and logs from files: `load_catalog` and `load_log` find the loader that fits; `read_data` reads both.

A path is a file (`.jsonl`, `.csv`, `.tsv`, each also `.gz` or `.xz`; `.parquet`) or a directory that holds the usual
names. Without `format` the first row decides. Everything that is wrong with a file is told at once, when it has been
read to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import jsonl, kuaisearch
from slotbeam.catalog.loaders.consistency import Census
from slotbeam.catalog.loaders.faults import CheckedItem, Faults, refusing
from slotbeam.catalog.loaders.mapping import SHIPPED, MappingFile
from slotbeam.catalog.loaders.records import SUFFIXES, rows
from slotbeam.errors import InputError

MAPPED = ("icecat", "kuaisearch", "shopify", "google")
"""Formats that `catalog/mappings` has a mapping file for."""
FORMATS = ("jsonl", "parquet", "csv", "world", *MAPPED)
"""What a row looks like: all but `MAPPED` are the documented schema. What holds the rows (JSON lines, a table, Parquet)
a file's name says."""

_ITEM_FILES = tuple(stem + suffix for stem in ("items", "products") for suffix in SUFFIXES)
_LOG_FILES = tuple(stem + suffix for stem in ("log", "recall", "rank") for suffix in SUFFIXES)
_SIGNS = {"item_title": "kuaisearch", "attrs": "icecat", "Handle": "shopify", "image_link": "google"}
_LOG_SIGNS = {"clicked_item_ids": "kuaisearch", "target_item_id": "kuaisearch"}
LATE = "items_late.jsonl"

ItemReader = Callable[[Faults], Iterator[CheckedItem]]


@dataclass(frozen=True, slots=True)
class Data:
    """What training reads.

    Attributes:
        items: the catalog as it was when training data was taken.
        served: the same items as they are served, with the edits of `items_late.jsonl`; an item without one is the
            same object, and the list itself where there are none.
        log: the interactions of the days that may be read.
        warnings: what is no fault, and worth a look.
    """

    items: list[Item]
    served: list[Item]
    log: list[Interaction]
    warnings: list[str] = field(default_factory=list)


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
        InputError: at the end of the file, for all that is wrong with it: each fault names the file, the line, the
            field and what is allowed; `details["faults"]` holds their lines where there are several.
    """
    file = _file(path, _ITEM_FILES)
    read = _items(file, format, mapping)

    def checked(faults: Faults) -> Iterator[Item]:
        census = Census(faults)
        changes = jsonl.edits(file.parent / LATE, faults) if late else {}
        return jsonl.edited(census.passing(read(faults)), changes, census.lines, faults)

    return refusing(checked)


def load_log(path: Path, format: str | None = None) -> Iterator[Interaction]:
    """Yield the interactions of a log: a file, or a directory with `log.*`, `recall.*` or `rank.*`."""
    return refusing(_interactions(path, format))


def read_data(
    catalog: Path,
    logs: Path | None = None,
    format: str | None = None,
    mapping: Path | None = None,
    last_day: int | None = None,
) -> Data:
    """Read and check all that training reads; each file is read once. Raises as `load_catalog`, for both at once."""
    faults = Faults()
    file = _file(catalog, _ITEM_FILES)
    census = Census(faults)
    changes = jsonl.edits(file.parent / LATE, faults)
    items = list(census.passing(_items(file, format, mapping)(faults)))
    served = list(jsonl.edited(items, changes, census.lines, faults)) if changes else items
    log = [one for one in _logged(logs, census, faults) if last_day is None or one.day <= last_day]
    faults.refuse()
    if not items:
        raise InputError(f"{catalog} holds no items")
    return Data(items, served, log, faults.warnings)


@dataclass(frozen=True, slots=True)
class Report:
    """What a catalog and a log hold, and what is wrong with them."""

    census: Census
    interactions: int
    faults: Faults


def check_data(
    catalog: Path, logs: Path | None = None, format: str | None = None, mapping: Path | None = None
) -> Report:
    """Check all that training would read and hold none of it. Raises `InputError` where there is nothing to check."""
    faults = Faults()
    file = _file(catalog, _ITEM_FILES)
    census = Census(faults)
    changes = jsonl.edits(file.parent / LATE, faults)
    for _ in jsonl.edited(census.passing(_items(file, format, mapping)(faults)), changes, census.lines, faults):
        pass
    interactions = sum(1 for _ in _logged(logs, census, faults))
    if not len(census) and not faults.count:
        raise InputError(f"{catalog} holds no items")
    return Report(census, interactions, faults)


def _logged(logs: Path | None, census: Census, faults: Faults) -> Iterator[Interaction]:
    """Yield every interaction of the log; those that name an item of no catalog are a warning."""
    if logs is None:
        return
    seen = strange = 0
    for one in _interactions(logs, None)(faults):
        seen += 1
        strange += one.item_id not in census.lines
        yield one
    if strange:
        faults.warnings.append(f"{strange} of {seen} interactions name an item that is not in the catalog")


def _interactions(path: Path, format: str | None) -> Callable[[Faults], Iterator[Interaction]]:
    file = _file(path, _LOG_FILES)
    chosen = format or _sniff(file, _LOG_SIGNS)
    readers: dict[str, Callable[[Path, Faults], Iterator[Interaction]]] = {
        **{name: jsonl.interactions for name in FORMATS if name not in MAPPED},
        "kuaisearch": kuaisearch.interactions,
    }
    if chosen not in readers:
        raise InputError(f"format {chosen!r} has no log; allowed: {', '.join(readers)}")
    return partial(readers[chosen], file)


def _items(file: Path, format: str | None, mapping: Path | None) -> ItemReader:
    chosen = format or _sniff(file, _SIGNS)
    if mapping is None and chosen not in FORMATS:
        raise InputError(f"format {chosen!r} is unknown; allowed: {', '.join(FORMATS)}")
    if mapping is None and chosen not in MAPPED:
        return partial(jsonl.items, file)
    rules = MappingFile.load(mapping or SHIPPED / f"{chosen}.json")
    return partial(rules.items, file, own=mapping is not None)


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
    for _, row in rows(file, Faults()):
        return next((format for key, format in signs.items() if key in row), "jsonl")
    return "jsonl"
