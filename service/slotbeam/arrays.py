"""Strings and arrays on disk: plain `.npy` files that can be mapped, never pickle. And numbers whose sums are exact."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slotbeam.errors import ArtifactError
from slotbeam.types import FloatArray

_GRID = 2.0**20


def on_grid(values: FloatArray) -> FloatArray:
    """Round to multiples of 2⁻²⁰, as float64, so that sums of products are exact and `@` can be compared for equality.

    A product of float32 rows is rounded in the order that the BLAS kernel of this processor takes it in: two equal rows
    of one matrix, or one row in two batches, may come out with unequal last bits. Products of two such values are
    multiples of 2⁻⁴⁰, which float64 adds without rounding while the terms stay below 2¹³ in all (their magnitudes
    summed): then every order, batch, number of threads and processor gives the same bits.
    """
    on: FloatArray = np.rint(np.asarray(values, np.float64) * _GRID) / _GRID
    return on


def save_array(path: Path, array: NDArray[Any]) -> None:
    np.save(path, np.ascontiguousarray(array), allow_pickle=False)


def load_array(path: Path, mmap: bool = True) -> NDArray[Any]:
    """Map one `.npy` file, as a plain array: numpy's `memmap` class makes every small slice several times dearer.

    Raises:
        ArtifactError: with its name, when it is missing or damaged.
    """
    try:
        return np.asarray(np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}; build the artifact again", file=path.name) from error


def save_strings(stem: Path, strings: Sequence[str]) -> None:
    """Write `stem.utf8.npy` (all bytes in a row) and `stem.ends.npy` (N,) byte offsets where each one ends."""
    blobs = [text.encode() for text in strings]
    save_array(stem.with_name(stem.name + ".utf8.npy"), np.frombuffer(b"".join(blobs), dtype=np.uint8))
    ends = np.cumsum(np.fromiter((len(blob) for blob in blobs), dtype=np.int64, count=len(blobs)), dtype=np.int64)
    save_array(stem.with_name(stem.name + ".ends.npy"), ends)


def load_strings(stem: Path) -> list[str]:
    data = load_array(stem.with_name(stem.name + ".utf8.npy")).tobytes()
    ends = load_array(stem.with_name(stem.name + ".ends.npy")).tolist()
    starts = [0, *ends[:-1]]
    try:
        return [data[start:end].decode() for start, end in zip(starts, ends, strict=False)]
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{stem}.utf8.npy is not UTF-8: {error}; build the artifact again") from error
