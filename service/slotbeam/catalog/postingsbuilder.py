"""Builds postings of any number of items in bounded memory: sorted runs, merged a few terms at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from slotbeam.arrays import load_array, running_totals, save_array
from slotbeam.catalog.postings import WINDOW_BITS, Postings, empty_windows, fill_windows
from slotbeam.catalog.statistics import TermStatistics
from slotbeam.types import FloatArray, IntArray

RUN = 2**20
"""Postings that are sorted or merged at a time, in some 100 MB; four times as many take longer."""
MOST = 2**8 - 1
"""What is kept of how often a term stands in an item: so often, or more often."""
_HASH = np.uint64(32)  # a posting is a number: hash of the term << 32 | row


class PostingsBuilder:
    """Takes the terms of items in row order, in blocks of any size: the same items give the same bytes.

    Args:
        directory: an existing one, where runs are kept meanwhile and the arrays are written; None keeps all in memory.
        run: postings that are sorted or merged at a time. Those of one term are merged in one piece.
        window_bits: as in `Postings`.
        statistics: of another index, by which impacts are worked out; None: those of these items.
    """

    def __init__(
        self,
        directory: Path | None = None,
        run: int = RUN,
        window_bits: int = WINDOW_BITS,
        statistics: TermStatistics | None = None,
    ) -> None:
        self._directory, self._run, self._window_bits = directory, run, window_bits
        self._statistics = statistics
        self._lengths: list[IntArray] = []  # of all items, in terms
        self._waiting: list[tuple[IntArray, IntArray]] = []  # hashes and rows that are in no run yet
        self._runs: list[tuple[IntArray, IntArray]] = []  # postings (m,) uint64, sorted, and counts (m,) uint16
        self._taken = 0

    def add(self, hashes: IntArray, lengths: IntArray) -> None:
        """Take the next n items: `lengths` (n,) terms each, whose hashes, one behind the other, are `hashes` (m,)."""
        rows = np.arange(self._taken, self._taken + len(lengths))
        self._waiting.append((hashes.astype(np.uint32), np.repeat(rows, lengths).astype(np.int32)))
        self._lengths.append(lengths.astype(np.int32))
        self._taken += len(lengths)
        if sum(len(part) for part, _ in self._waiting) >= self._run:
            self._sort()

    def _sort(self) -> None:
        """Make a run of what waits."""
        if not self._waiting:
            return
        hashes, rows = (np.concatenate(column) for column in zip(*self._waiting, strict=True))
        postings, counts = np.unique(hashes.astype(np.uint64) << _HASH | rows.astype(np.uint64), return_counts=True)
        run = postings, np.minimum(counts, 2**16 - 1).astype(np.uint16)
        self._runs.append(run if self._directory is None else self._spilled(self._directory, *run))
        self._waiting = []

    def _spilled(self, directory: Path, *run: IntArray) -> tuple[IntArray, IntArray]:
        paths = [directory / f"run{len(self._runs)}-{part}.npy" for part in range(2)]
        for path, array in zip(paths, run, strict=True):
            save_array(path, array)
        mapped = load_array(paths[0]), load_array(paths[1])
        for path in paths:  # what is mapped stays until it is let go
            path.unlink()
        return mapped

    def finish(self) -> tuple[IntArray, FloatArray, Postings]:
        """Merge what was taken.

        Returns:
            `vocabulary` (U,) uint32, the hashes of the terms, sorted; `ceilings` (U,) float32, what each weighs at
            its best; and their postings. With a directory the postings are mapped from it, where `vocabulary.npy`,
            `ceilings.npy`, the statistics and `counts.npy`, how often each term stands in the item, stand as well.
        """
        self._sort()
        vocabulary, documents = self._vocabulary()
        lengths = np.concatenate([*self._lengths, np.empty(0, np.int32)]).astype(np.float64)
        mean = float(lengths.mean()) if len(lengths) else 1.0
        counted = self._statistics or TermStatistics(len(lengths), mean, vocabulary, documents)
        idf = counted.idf(counted.documents_of(vocabulary))
        starts = running_totals(documents)
        rows, impacts, often = self._columns(int(starts[-1]))
        heavy, maxima, edges = empty_windows(documents, len(lengths), self._window_bits)
        for first, stop, merged, counts in self._groups(vocabulary, starts):
            own = slice(int(starts[first]), int(starts[stop]))
            rows[own] = merged.astype(np.uint32)  # the lower half
            frequency = counts.astype(np.float64)
            exact = counted.impacts(np.repeat(idf[first:stop], documents[first:stop]), frequency, lengths[rows[own]])
            impacts[own] = counted.stored(exact)
            often[own] = np.minimum(counts, MOST)
            for number in range(*np.searchsorted(heavy, [first, stop]).tolist()):
                of_term = slice(int(starts[heavy[number]]), int(starts[heavy[number] + 1]))
                fill_windows(maxima[number], edges[number], rows[of_term], impacts[of_term], self._window_bits)
        self._runs = []
        # What overlaps are measured by: the weight in the item score then means the same for queries of one word and of
        # ten.
        ceilings = counted.ceilings(counted.documents_of(vocabulary))
        starts = starts.astype(np.int32 if starts[-1] < 2**31 else np.int64)
        postings = Postings(starts, rows, impacts, heavy, maxima, edges, self._window_bits)
        if self._directory is not None:
            save_array(self._directory / "vocabulary.npy", vocabulary)
            save_array(self._directory / "ceilings.npy", ceilings)
            counted.save(self._directory, vocabulary)
            for name in ("starts", "heavy", "maxima", "edges"):
                save_array(self._directory / f"{name}.npy", getattr(postings, name))
        return vocabulary, ceilings, postings

    def _vocabulary(self) -> tuple[IntArray, IntArray]:
        """Return the distinct hashes (U,) uint32, sorted, and how many items carry each, (U,) int64."""
        of_runs = [np.unique((run >> _HASH).astype(np.uint32), return_counts=True) for run, _ in self._runs]
        vocabulary = np.unique(np.concatenate([*(hashes for hashes, _ in of_runs), np.empty(0, np.uint32)]))
        documents = np.zeros(len(vocabulary), np.int64)
        for hashes, counts in of_runs:
            documents[np.searchsorted(vocabulary, hashes)] += counts
        return vocabulary, documents

    def _groups(self, vocabulary: IntArray, starts: IntArray) -> Iterator[tuple[int, int, IntArray, IntArray]]:
        """Yield neighbouring terms `first:stop`, all their postings, sorted, and the counts of these."""
        first = 0
        while first < len(vocabulary):
            stop = max(first + 1, int(np.searchsorted(starts, starts[first] + self._run, side="right")) - 1)
            bounds = vocabulary[[first, stop - 1]].astype(np.uint64) + np.array([0, 1], np.uint64) << _HASH
            parts = []
            for run, counts in self._runs:
                # The last hash there is has no next one in 64 bits.
                begin, end = np.searchsorted(run, bounds).tolist()
                end = len(run) if stop == len(vocabulary) else end
                parts.append((run[begin:end], counts[begin:end]))
            merged, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
            order = np.argsort(merged, kind="stable")
            yield first, stop, merged[order], counts[order]
            first = stop

    def _columns(self, length: int) -> tuple[IntArray, FloatArray, IntArray]:
        """Return `rows`, `impacts` and `counts` (length,), to be filled."""
        types = {"rows": np.int32, "impacts": np.float16, "counts": np.uint8}
        if self._directory is None:
            rows, impacts, counts = (np.empty(length, dtype) for dtype in types.values())
            return rows, impacts, counts
        rows, impacts, counts = (
            open_memmap(self._directory / f"{name}.npy", "w+", dtype, (length,)) for name, dtype in types.items()
        )
        for name in types:
            with (self._directory / f"{name}.npy").open("r+b") as file:
                # A disk that is full is told here; a page that it has no room for, by a signal.
                os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
        return rows, impacts, counts
