"""Sorted runs: columns in row order, each run one file that is mapped, so that any number of items is merged."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slotbeam.arrays import Strings
from slotbeam.catalog.columns import NUMBERS, TEXTS, Columns, FieldTypes, Interleaving
from slotbeam.catalog.order import id_ranks, row_order

RUN_ITEMS, RUN_BYTES = 2**16, 2**28
"""A run ends with the block that makes it so long."""
_ALIGNED = 64

Change = Callable[[NDArray[Any]], NDArray[Any]]


def sorted_runs(blocks: Iterable[Columns], directory: Path, run_items: int = RUN_ITEMS) -> Iterator[Columns]:
    """Yield the items of `blocks` as runs in row order, mapped from files of `directory` whose names are gone already.

    Raises:
        InputError: two items of a run share an id.
        OSError: the disk is full.
    """
    waiting: list[Columns] = []
    items = held = number = 0
    for block in blocks:
        waiting.append(block)
        items, held = items + len(block), held + _bytes_of(block)
        if items >= run_items or held >= RUN_BYTES:
            yield spilled(in_row_order(waiting), directory / f"run{number}")
            waiting, items, held, number = [], 0, 0, number + 1
    if waiting:
        yield spilled(in_row_order(waiting), directory / f"run{number}")


def in_row_order(parts: list[Columns]) -> Columns:
    """Return all items of `parts`, in row order."""
    ids = Strings.of_bytes([bytes(piece) for part in parts for piece in part.ids.encoded(range(len(part)))])
    sids, popularity = (np.concatenate([getattr(part, name) for part in parts]) for name in ("sids", "popularity"))
    return Interleaving(parts, FieldTypes.of(parts)).take(row_order(sids, popularity, id_ranks(ids)))


def spilled(columns: Columns, path: Path) -> Columns:
    """Return the same columns, mapped from one file: a thousand files with a descriptor each would be too many."""
    places: list[tuple[int, np.dtype[Any], tuple[int, ...]]] = []
    with path.open("w+b") as file:

        def write(array: NDArray[Any]) -> NDArray[Any]:
            file.write(bytes(-file.tell() % _ALIGNED))
            places.append((file.tell(), array.dtype, array.shape))
            file.write(np.ascontiguousarray(array).data)
            return array

        _changed(columns, write)
        file.write(bytes(1))  # a file of no bytes cannot be mapped
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    path.unlink()
    of_arrays = iter(places)

    def map_next(array: NDArray[Any]) -> NDArray[Any]:
        offset, dtype, shape = next(of_arrays)
        return np.frombuffer(mapped, dtype, array.size, offset).reshape(shape)

    return _changed(columns, map_next)


def _changed(columns: Columns, change: Change) -> Columns:
    """Return the columns with each of their arrays changed, always in the same order."""

    def of_strings(strings: Strings) -> Strings:
        return Strings(change(strings.blob), change(strings.offsets))

    changed: dict[str, Any] = {name: of_strings(getattr(columns, name)) for name in TEXTS}
    changed |= {name: change(getattr(columns, name)) for name in NUMBERS}
    fields = {
        name: replace(
            field,
            values=change(field.values),
            keywords=None if field.keywords is None else of_strings(field.keywords),
        )
        for name, field in columns.fields.items()
    }
    return Columns(**changed, fields=fields)


def _bytes_of(block: Columns) -> int:
    return sum(len(getattr(block, name).blob) for name in TEXTS)
