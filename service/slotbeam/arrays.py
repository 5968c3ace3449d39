"""Arrays: mapped from plain `.npy` files, never pickled; many strings as two of them; runs and ranges; exact sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from slotbeam.errors import ArtifactError
from slotbeam.types import BoolArray, FloatArray, IntArray

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


def run_starts(ordered: NDArray[Any]) -> IntArray:
    """Return (r,) int64: where each run of equal rows begins in `ordered` (n, …), whose equal rows stand together."""
    changes = ordered[1:] != ordered[:-1]
    if changes.ndim > 1:
        changes = changes.any(axis=tuple(range(1, changes.ndim)))
    return np.concatenate([np.zeros(min(1, len(ordered)), np.int64), np.flatnonzero(changes) + 1])


def distinct(values: IntArray) -> IntArray:
    """Return the distinct `values` (n,), rising: `np.unique` hashes them since numpy 2.3, in many times the time."""
    ordered = np.sort(values)
    return ordered[run_starts(ordered)]


def ranges(start: IntArray | int, length: IntArray) -> tuple[IntArray, IntArray]:
    """Write out ranges, one behind the other.

    Args:
        start: (n,) the first number of each; one number is the first of all.
        length: (n,) how many numbers each has, >= 0.

    Returns:
        `(owner, number)`, each (m,) int64, m the sum of `length`: which range each number is of, and the number.
    """
    owner = np.repeat(np.arange(len(length)), length)
    before = np.cumsum(length) - length  # (n,) numbers of the ranges before this one
    return owner, np.arange(len(owner)) + np.repeat(start - before, length)


def bisected(rising: IntArray, wanted: ArrayLike, side: Literal["left", "right"] = "left") -> IntArray:
    """Return where each of `wanted` (m,), which the type of `rising` (n,) can hold, belongs in it (`searchsorted`)."""
    # In the type of what is searched: of another one numpy would convert all of a mapped array, for every query.
    return np.asarray(np.searchsorted(rising, np.asarray(wanted).astype(rising.dtype, copy=False), side))


def among(rising: IntArray, wanted: NDArray[Any]) -> BoolArray:
    """Return (m,) which of `wanted` (m,) are in `rising` (n,), whose type can hold them."""
    if not len(rising):
        return np.zeros(len(wanted), np.bool_)
    return np.asarray(rising[np.minimum(bisected(rising, wanted), len(rising) - 1)] == wanted)


def running_totals(values: ArrayLike, dtype: DTypeLike = np.int64) -> IntArray:
    """Return (n + 1,): the sum of the `values` (n,) before each place, 0 first and the sum of all last.

    Of lengths these are offsets, of a mask the number of true entries before each place.
    """
    values = np.asarray(values)
    totals = np.zeros(len(values) + 1, dtype)
    np.cumsum(values, out=totals[1:])
    return totals


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write one `.npy` file, in C order."""
    np.save(path, np.ascontiguousarray(array), allow_pickle=False)


class ArrayFile:
    """One `.npy` file that is written piece by piece, so that nothing of it is held; the same bytes as `save_array`'s.

    Args:
        path: of the file.
        dtype: of its numbers.
        shape: of one entry: () for numbers, (L,) for rows of L.
    """

    def __init__(self, path: Path, dtype: DTypeLike, shape: tuple[int, ...] = ()) -> None:
        self._dtype, self._shape, self._length = np.dtype(dtype), shape, 0
        self._file = path.open("w+b")
        self._head()

    def append(self, part: NDArray[Any]) -> None:
        """Write the next entries, (n, *shape)."""
        self._file.write(np.ascontiguousarray(part, self._dtype).data)
        self._length += len(part)

    def close(self) -> None:
        """Write how many entries there are, where the file begins: the head has room for any number."""
        self._head()
        self._file.close()

    def _head(self) -> None:
        descr = np.lib.format.dtype_to_descr(self._dtype)
        head = {"descr": descr, "fortran_order": False, "shape": (self._length, *self._shape)}
        self._file.seek(0)
        np.lib.format.write_array_header_1_0(self._file, head)


def load_array(path: Path, mmap: bool = True) -> NDArray[Any]:
    """Map one `.npy` file, as a plain array: numpy's `memmap` class makes every small slice several times dearer.

    Raises:
        ArtifactError: with its name, when it is missing or damaged.
    """
    try:
        return np.asarray(np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}; build the artifact again", file=path.name) from error


@dataclass(frozen=True, slots=True)
class Strings:
    """String i is `blob[offsets[i]:offsets[i + 1]]`.

    Attributes:
        blob: (bytes,) uint8, UTF-8.
        offsets: (n + 1,) int64, or uint32 below 4 GB.
    """

    blob: IntArray
    offsets: IntArray

    @classmethod
    def of(cls, strings: Sequence[str]) -> Strings:
        """Put `strings` (n) one behind the other."""
        return cls.of_bytes([s.encode() for s in strings])

    @classmethod
    def of_bytes(cls, encoded: Sequence[bytes | memoryview]) -> Strings:
        """Put UTF-8 texts, or any bytes, one behind the other."""
        return cls(np.frombuffer(b"".join(encoded), np.uint8), running_totals([len(b) for b in encoded]))

    @property
    def lengths(self) -> IntArray:
        """(n,) int64 bytes of each."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> str:
        return self.blob[self.offsets[index] : self.offsets[index + 1]].tobytes().decode()

    def encoded(self, rows: Sequence[int] | IntArray) -> Iterator[memoryview]:
        """Yield the strings of `rows` (n), in their order, as they are stored: UTF-8."""
        index = np.asarray(rows, np.int64)
        blob = self.blob.data
        spans = zip(self.offsets[index].tolist(), self.offsets[index + 1].tolist(), strict=True)
        return (blob[start:end] for start, end in spans)

    def take(self, rows: Sequence[int] | IntArray) -> list[str]:
        """Return the strings of `rows` (n), in their order: much faster than one at a time."""
        return [str(stored, "utf-8") for stored in self.encoded(rows)]

    def __iter__(self) -> Iterator[str]:
        return (self[i] for i in range(len(self)))

    def save(self, directory: Path, name: str) -> None:
        """Write the two arrays into `directory`, which is made when missing, in files that begin with `name`."""
        directory.mkdir(parents=True, exist_ok=True)
        save_array(directory / f"{name}.npy", self.blob)
        save_array(directory / f"{name}_offsets.npy", self.offsets)

    @classmethod
    def load(cls, directory: Path, name: str) -> Strings:
        """Map what `save` wrote."""
        paths = (directory / f"{name}.npy", directory / f"{name}_offsets.npy")
        return cls(*map(load_array, paths))


class StringsFile:
    """`Strings` that are written piece by piece; `size`, their bytes in all, may be unknown."""

    def __init__(self, directory: Path, name: str, size: int | None) -> None:
        self._blob = ArrayFile(directory / f"{name}.npy", np.uint8)
        short = size is not None and size < 2**32
        self._offsets = ArrayFile(directory / f"{name}_offsets.npy", np.uint32 if short else np.int64)
        self._offsets.append(np.zeros(1, np.int64))
        self._end = 0

    def append(self, part: Strings) -> None:
        self._blob.append(part.blob)
        self._offsets.append(part.offsets[1:] + self._end)
        self._end += int(part.offsets[-1])

    def close(self) -> None:
        self._blob.close()
        self._offsets.close()


def save_strings(stem: Path, strings: Sequence[str]) -> None:
    """Write `stem.utf8.npy` (all bytes in a row) and `stem.ends.npy` (N,) byte offsets where each one ends."""
    held = Strings.of(strings)
    save_array(stem.with_name(stem.name + ".utf8.npy"), held.blob)
    save_array(stem.with_name(stem.name + ".ends.npy"), held.offsets[1:])


def load_strings(stem: Path) -> list[str]:
    """Read what `save_strings` wrote. Raises `ArtifactError` for what is missing, damaged or not UTF-8."""
    blob, ends = (load_array(stem.with_name(f"{stem.name}.{part}.npy")) for part in ("utf8", "ends"))
    try:
        return Strings(blob, np.concatenate([np.zeros(1, np.int64), ends])).take(range(len(ends)))
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{stem}.utf8.npy is not UTF-8: {error}; build the artifact again") from error
