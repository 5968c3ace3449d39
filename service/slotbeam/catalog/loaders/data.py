"""A catalog and its log together: what training reads, and a check that holds none of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import jsonl, kuaisearch
from slotbeam.catalog.loaders.consistency import Census
from slotbeam.catalog.loaders.faults import Faults, refusing
from slotbeam.catalog.loaders.files import log_file
from slotbeam.catalog.loaders.formats import FORMATS, LOG_SIGNS, MAPPED, format_of
from slotbeam.catalog.loaders.ids import hashed
from slotbeam.catalog.loaders.reader import CatalogReader
from slotbeam.catalog.loaders.source import in_blocks
from slotbeam.errors import InputError


@dataclass(frozen=True, slots=True)
class Data:
    """What training reads.

    Attributes:
        items: of the catalog, all or a sample, without the edits of `items_late.jsonl`.
        log: the interactions of the days that may be read.
        census: what the whole catalog holds.
        warnings: what is no fault, and worth a look.
    """

    items: list[Item]
    log: list[Interaction]
    census: Census
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """What a catalog and a log hold, and what is wrong with them."""

    census: Census
    interactions: int
    faults: Faults


def load_catalog(
    path: Path, format: str | None = None, mapping: Path | None = None, *, late: bool = False
) -> Iterator[Item]:
    """Yield the items of a catalog, as `CatalogReader` reads them. Raises as it does."""
    reader = CatalogReader(path, format=format, mapping=mapping, late=late)
    return (sourced.item for sourced in reader)


def load_log(path: Path, format: str | None = None) -> Iterator[Interaction]:
    """Yield the interactions of a log: a file, or a directory with `log.*`, `recall.*` or `rank.*`."""
    return refusing(_interactions(path, format))


def read_data(
    catalog: Path,
    logs: Path | None = None,
    format: str | None = None,
    mapping: Path | None = None,
    last_day: int | None = None,
    sample: int | None = None,
    always: Collection[str] = (),
) -> Data:
    """Read and check all that training reads, each file once, and hold what it learns from.

    Args:
        sample: hold so many items, those of the smallest hashes of their ids; None holds all.
        always: ids of items that are held in any case.

    Raises:
        InputError: as `CatalogReader.blocks`, for catalog and log at once.
    """
    reader = CatalogReader(catalog, format=format, mapping=mapping)
    items: list[Item] = []
    for block in reader.checked_blocks():
        items += [sourced.item for sourced in block]
        if sample is not None and len(items) > 2 * (sample + len(always)):
            items = _sampled(items, sample, always)
    log = [one for one in _logged(logs, reader) if last_day is None or one.day <= last_day]
    reader.faults.refuse()
    if not items:
        raise InputError(f"{catalog} holds no items")
    return Data(
        items if sample is None else _sampled(items, sample, always), log, reader.census, reader.faults.warnings
    )


def _sampled(items: Sequence[Item], count: int, always: Collection[str]) -> list[Item]:
    """Return `count` items, drawn evenly by the hashes of their ids, and those of `always`, in their order."""
    order = np.argsort(hashed([item.id for item in items])["slot"], kind="stable")[:count]
    drawn = set(order.tolist())
    return [item for number, item in enumerate(items) if number in drawn or item.id in always]


def check_data(
    catalog: Path, logs: Path | None = None, format: str | None = None, mapping: Path | None = None
) -> Report:
    """Check all that training would read and hold none of it. Raises `InputError` where there is nothing to check."""
    reader = CatalogReader(catalog, format=format, mapping=mapping, late=True)
    for _ in reader.checked_blocks():
        pass
    interactions = sum(1 for _ in _logged(logs, reader))
    if not len(reader.census) and not reader.faults.count:
        raise InputError(f"{catalog} holds no items")
    return Report(reader.census, interactions, reader.faults)


def _logged(logs: Path | None, reader: CatalogReader) -> Iterator[Interaction]:
    """Yield every interaction of the log; those that name an item of no catalog are a warning."""
    if logs is None:
        return
    seen = strange = 0
    for block in in_blocks(_interactions(logs, None)(reader.faults)):
        seen += len(block)
        strange += int((~reader.census.ids.contain([one.item_id for one in block])).sum())
        yield from block
    if strange:
        reader.faults.warnings.append(f"{strange} of {seen} interactions name an item that is not in the catalog")


def _interactions(path: Path, format: str | None) -> Callable[[Faults], Iterator[Interaction]]:
    file = log_file(path)
    chosen = format or format_of(file, LOG_SIGNS)
    readers: dict[str, Callable[[Path, Faults], Iterator[Interaction]]] = {
        **{name: jsonl.interactions for name in FORMATS if name not in MAPPED},
        "kuaisearch": kuaisearch.interactions,
    }
    if chosen not in readers:
        raise InputError(f"format {chosen!r} has no log; allowed: {', '.join(readers)}")
    return partial(readers[chosen], file)
