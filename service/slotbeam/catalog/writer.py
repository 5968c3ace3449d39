"""Writes the table of items: columns in row order, a piece at a time, become the arrays that `Catalog` maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slotbeam.arrays import ArrayFile, Strings, StringsFile, run_starts, save_array
from slotbeam.catalog.columns import VALUES, Columns, FieldTypes, Interleaving
from slotbeam.catalog.fields import FieldKind
from slotbeam.catalog.order import id_ranks, row_order
from slotbeam.catalog.postingsbuilder import PostingsBuilder
from slotbeam.catalog.sources import BLOCK, compressed
from slotbeam.catalog.statistics import TermStatistics
from slotbeam.catalog.textindex import save_lists
from slotbeam.catalog.wordsbuilder import WordCounts
from slotbeam.types import FloatArray, IntArray

CHUNK = 2**10 * BLOCK
"""Rows that are written at a time."""
POPULAR = 200
"""Items whose rows are kept by popularity: what an index is shown by."""
_HELD = ("ids", "titles", "texts")

Lines = list[memoryview]
Compress = Callable[[Callable[[Lines], bytes], Iterable[Lines]], Iterable[bytes]]
"""`map`, or one that does several at once and keeps their order."""


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """What was written.

    Attributes:
        kinds: of the fields, for the manifest.
        leaves: (leaves, L) the distinct SIDs, in order.
    """

    kinds: dict[str, FieldKind]
    leaves: IntArray


def write_table(
    directory: Path,
    parts: Sequence[Columns],
    map_blocks: Compress = map,
    progress: Callable[[int], object] = lambda done: None,
    known: Iterable[str] = (),
    centroids: IntArray | None = None,
    statistics: TermStatistics | None = None,
) -> WrittenTable:
    """Write the items of `parts` as one table: the same bytes however they are cut into parts.

    Args:
        directory: made when missing; `items/`, `terms/`, `words/` and `fields/` are written in it.
        parts: all items, one part at least. Of one whose items are in row order each array is read once, from its
            beginning to its end.
        map_blocks: how blocks of sources are compressed.
        progress: called with the rows that are written.
        known: canonical texts of the dictionary, whose words are kept beside the catalog's.
        centroids: (C, m) of the text lists; None: there are no text vectors.
        statistics: of another index, by which terms weigh; None: those of these items.

    Raises:
        InputError: two items share an id.
    """
    types = FieldTypes.of(parts)
    ranks = id_ranks(_joined([part.ids for part in parts]))
    popularity = np.concatenate([part.popularity for part in parts])
    order = row_order(np.concatenate([part.sids for part in parts]), popularity, ranks)
    top = max(int(part.sids.max(initial=0)) for part in parts)
    sizes = {name: sum(len(getattr(part, name).blob) for part in parts) for name in _HELD}
    writer = _Writer(directory, parts[0], types, top, sizes, map_blocks, centroids, statistics)
    save_array(directory / "items" / "id_ranks.npy", ranks[order])
    save_array(directory / "items" / "popular.npy", _most_popular(popularity[order]))
    del ranks, popularity
    interleaving, words = Interleaving(parts, types), WordCounts(directory / "words", known)
    for start in range(0, len(order), CHUNK):
        taken = interleaving.take(order[start : start + CHUNK])
        writer.add(taken)
        words.add(taken.texts)
        progress(writer.rows)
    words.finish()
    return WrittenTable(types.kinds, writer.finish())


def _most_popular(popularity: FloatArray) -> IntArray:
    """Return (n,) int32 rows of the `POPULAR` most popular items, best first, ties in row order."""
    least = np.partition(popularity, -POPULAR)[-POPULAR] if len(popularity) > POPULAR else -np.inf
    rows = np.flatnonzero(popularity >= least)
    return rows[np.argsort(-popularity[rows], kind="stable")][:POPULAR].astype(np.int32)


class _Writer:
    """Writes columns in row order.

    Args:
        directory: of the index.
        like: some of them, for the shapes of their arrays.
        types: of the fields.
        top: the largest code of a SID.
        sizes: bytes of each column of texts.
        map_blocks, centroids, statistics: see `write_table`.
    """

    def __init__(
        self,
        directory: Path,
        like: Columns,
        types: FieldTypes,
        top: int,
        sizes: Mapping[str, int],
        map_blocks: Compress,
        centroids: IntArray | None,
        statistics: TermStatistics | None,
    ) -> None:
        self._items, self._map_blocks = directory / "items", map_blocks
        self._of_texts, self._centroids = directory / "texts", centroids
        for folder in (self._items, directory / "terms", directory / "fields"):
            folder.mkdir(parents=True, exist_ok=True)
        self._texts = {name: StringsFile(self._items, name, sizes.get(name)) for name in (*_HELD, "sources")}
        self._numbers = {
            "prior": ArrayFile(self._items / "prior.npy", np.float32),
            "sids": ArrayFile(self._items / "sids.npy", np.int16 if top < 2**15 else np.int32, like.sids.shape[1:]),
            "vectors": ArrayFile(self._items / "vectors.npy", np.int8, like.vectors.shape[1:]),
        }
        if centroids is not None:
            self._of_texts.mkdir(parents=True, exist_ok=True)
            path = self._of_texts / "vectors.npy"
            self._numbers["text_vectors"] = ArrayFile(path, np.int8, like.text_vectors.shape[1:])
        self._lists: list[IntArray] = []
        self._fields = {
            name: ArrayFile(directory / "fields" / f"{number}.npy", VALUES[kind][0])
            for number, (name, kind) in enumerate(types.kinds.items())
        }
        for number, name in enumerate(types.kinds):
            if name in types.keywords:
                types.keywords[name].save(directory / "fields", f"{number}_keywords")
        self._terms = PostingsBuilder(directory / "terms", statistics=statistics)
        self._hashes: list[IntArray] = []
        self._starts: list[IntArray] = []
        self._reread: list[IntArray] = []
        self._leaves: list[IntArray] = [np.empty((0, *like.sids.shape[1:]), like.sids.dtype)]
        self._last = self._leaves[0]
        self.rows = 0

    def add(self, block: Columns) -> None:
        """Write the next rows: a multiple of `BLOCK`, except for the last ones."""
        for name in _HELD:
            self._texts[name].append(getattr(block, name))
        lines = list(block.sources.encoded(range(len(block))))
        blocks = self._map_blocks(compressed, (lines[start : start + BLOCK] for start in range(0, len(lines), BLOCK)))
        self._texts["sources"].append(Strings.of_bytes(list(blocks)))
        self._numbers["prior"].append(np.log1p(block.popularity.astype(np.float32)))
        self._numbers["sids"].append(block.sids)
        self._numbers["vectors"].append(block.vectors)
        if self._centroids is not None:
            self._numbers["text_vectors"].append(block.text_vectors)
            self._lists.append(block.text_lists)
        for name, file in self._fields.items():
            file.append(block.fields[name].values)
        self._terms.add(block.terms.blob.view(np.uint32), block.terms.lengths // 4)
        self._hashes.append(block.id_hashes)
        self._reread.append(np.flatnonzero(block.reread) + self.rows)
        # The leaf of the last row before goes on where the first SID is the same.
        new = run_starts(np.concatenate([self._last, block.sids])) - len(self._last)
        new = new[new >= 0]
        self._starts.append(new + self.rows)
        self._leaves.append(block.sids[new])
        self._last, self.rows = block.sids[-1:], self.rows + len(block)

    def finish(self) -> IntArray:
        """Write what only all rows tell; return the distinct SIDs."""
        for texts in self._texts.values():
            texts.close()
        for numbers in (*self._numbers.values(), *self._fields.values()):
            numbers.close()
        hashes = np.concatenate([*self._hashes, np.empty(0, np.uint64)])
        by_hash = np.argsort(hashes, kind="stable")
        save_array(self._items / "id_hashes.npy", hashes[by_hash])
        save_array(self._items / "id_rows.npy", by_hash.astype(np.int32))
        starts = np.concatenate([*self._starts, np.array([self.rows])])
        save_array(self._items / "leaf_items.npy", starts.astype(np.int32))
        reread = np.concatenate([*self._reread, np.empty(0, np.int64)])
        save_array(self._items / "reread.npy", reread.astype(np.int32))
        self._terms.finish()
        if self._centroids is not None:
            save_lists(self._of_texts, self._centroids, np.concatenate([*self._lists, np.empty(0, np.int32)]))
        return np.concatenate(self._leaves)


def _joined(parts: Sequence[Strings]) -> Strings:
    """Return the strings of all parts, one behind the other."""
    ends = np.cumsum([0, *(len(part.blob) for part in parts)])
    offsets = [part.offsets[:-1] + end for part, end in zip(parts, ends, strict=False)]
    return Strings(np.concatenate([part.blob for part in parts]), np.concatenate([*offsets, ends[-1:]]))
