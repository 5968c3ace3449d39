"""Parquet files, a thousand rows at a time, by pyarrow (the extra `index`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.catalog.loaders.source import BLOCK, RowOrFault, SourceRow, source_of
from slotbeam.errors import SetupError

_BUFFER = 2**20
"""Bytes of each column that are read ahead, so that no row group is held whole."""


def parquet_batches(path: Path) -> Iterator[tuple[list[RowOrFault], float]]:
    """Yield the rows of a file in lists, each with the share of all rows that has come with it, 0 to 1.

    A row's line is its number, from 1. Decimals become numbers, dates and times text, maps objects.

    Raises:
        SetupError: pyarrow is not installed.
        InputError: the file cannot be read, is no Parquet, or is damaged.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise SetupError('reading Parquet needs pyarrow: pip install "slotbeam[index]"') from error
    count = 0
    try:
        with parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            schema = pyarrow.schema([(field.name, _readable(field.type)) for field in file.schema_arrow])
            for batch in file.iter_batches(batch_size=BLOCK, use_threads=False):
                rows: list[RowOrFault] = []
                for row in batch.cast(schema).to_pylist(maps_as_pydicts="strict"):
                    count += 1
                    rows.append(SourceRow(SourcePlace(path, count), row, source_of(row)))
                yield rows, count / file.metadata.num_rows
    except (pyarrow.ArrowException, OSError) as error:
        raise SourcePlace(path, count + 1).fault("(line)", f"is no Parquet, or damaged ({error})") from error


def _readable(kind: Any) -> Any:
    """Return the Arrow type that a column is read as: what JSON has."""
    import pyarrow
    from pyarrow import types

    if types.is_decimal(kind):
        return pyarrow.float64()
    if types.is_temporal(kind):
        return pyarrow.string()
    if types.is_dictionary(kind):
        return _readable(kind.value_type)
    if types.is_map(kind):
        return pyarrow.map_(kind.key_type, _readable(kind.item_type))
    if types.is_struct(kind):
        return pyarrow.struct([(field.name, _readable(field.type)) for field in kind])
    if types.is_list(kind) or types.is_large_list(kind):
        return pyarrow.list_(_readable(kind.value_type))
    return kind
