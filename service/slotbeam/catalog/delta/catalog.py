"""A catalog that lives: the rows of an index, those of a delta behind them, and what neither is any longer.

Row numbers stay what they are while a delta grows. Rows of the index that were deleted or superseded are passed over,
wherever they are met; those of the delta are found in its own order (`order.py`), by its own postings (`postings.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import orjson

from slotbeam.catalog.delta.fields import LiveFields
from slotbeam.catalog.delta.joined import JoinedArray, JoinedStrings, parted
from slotbeam.catalog.delta.order import DeltaOrder
from slotbeam.catalog.delta.passing import LivePassing, less
from slotbeam.catalog.delta.patches import Patches
from slotbeam.catalog.delta.postings import LivePostings, PostingsRun
from slotbeam.catalog.delta.rows import DeltaRows
from slotbeam.catalog.delta.terms import LiveTermIndex
from slotbeam.catalog.delta.texts import LiveTextIndex
from slotbeam.catalog.delta.words import LiveWords, WordsRun
from slotbeam.catalog.filters import read_filter
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.table import Catalog
from slotbeam.catalog.writer import POPULAR
from slotbeam.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Delta:
    """One version of what was added to an index.

    Attributes:
        rows: D rows that came.
        alive: (D,) which of them are items still.
        gone: (g,) int64, rising: rows of the index that are no items any longer.
        order: of the living rows.
        postings, words: of all rows that came.
        patches: of rows of either.
        new_terms, terms: hash → place of terms that the index does not have, and places there are, its own included.
        new_ceilings: (terms - U,) float32, of these.
        row_of_id: id → its rows in the delta, rising; shared with later versions.
    """

    rows: DeltaRows
    alive: BoolArray
    gone: IntArray
    order: DeltaOrder
    postings: tuple[PostingsRun, ...]
    words: tuple[WordsRun, ...]
    patches: Patches
    new_terms: Mapping[int, int]
    terms: int
    new_ceilings: FloatArray
    row_of_id: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class LiveCatalog(Catalog):
    """An index and a delta, read as one catalog.

    Attributes:
        index: the catalog of the index alone, of N rows.
        delta: D rows; row r of it is row N + r here.
        alive: which rows are items.
        places: (D,) see `DeltaOrder.places`.
        edges, new_sid_ranks: see `DeltaOrder.edges` and, (D,), `DeltaOrder.sid_ranks`.
    """

    index: Catalog = field(kw_only=True)
    delta: Delta = field(kw_only=True)
    alive: LivePassing = field(kw_only=True)
    places: FloatArray = field(kw_only=True)
    edges: tuple[IntArray, ...] = field(kw_only=True)
    new_sid_ranks: FloatArray = field(kw_only=True)

    @classmethod
    def of(cls, index: Catalog, delta: Delta) -> LiveCatalog:
        """Join an index and a delta; nothing as large as the index is copied."""
        n, rows, patches = len(index), delta.rows, delta.patches
        living, order = less(Passing(n), delta.gone, np.empty(0, np.int64)), delta.order
        alive = LivePassing.of(living, delta.alive, order.rows, order.numbers(len(rows)), len(delta.gone))
        places = order.places(len(rows))
        patched = (patches.rows, patches.prior[patches.numbers]) if len(patches.rows) else None
        prior: Any = JoinedArray(index.prior, rows.prior, patched)
        ceilings: Any = JoinedArray(index.terms.ceilings, delta.new_ceilings)
        postings: Any = LivePostings(index.terms.postings, delta.postings, alive)
        vectors: Any = JoinedArray(index.text_index.vectors, rows.text_vectors)
        joined: dict[str, Any] = {
            name: JoinedStrings(getattr(index, name), getattr(rows, name)) for name in ("ids", "titles", "texts")
        }
        joined |= {name: JoinedArray(getattr(index, name), getattr(rows, name)) for name in ("sids", "vectors")}
        words: Any = LiveWords(index.words, delta.words)
        return cls(
            **joined,
            prior=prior,
            leaf_items=index.leaf_items,
            id_hashes=index.id_hashes,
            id_rows=index.id_rows,
            id_ranks=index.id_ranks,
            text_index=LiveTextIndex(
                vectors,
                index.text_index.centroids,
                index.text_index.rows,
                index.text_index.starts,
                rows.by_list,
                rows.list_starts,
                places,
                n,
            ),
            reread=np.concatenate(
                [index.reread[alive.base.holds(index.reread)], np.flatnonzero(rows.reread & delta.alive) + n]
            ),
            popular=_popular(index, delta, alive, prior, places),
            sources=index.sources,
            terms=LiveTermIndex(
                index.terms.vocabulary,
                ceilings,
                postings,
                index.terms.folding,
                index.terms.statistics,
                delta.new_terms,
                delta.terms,
                places,
            ),
            words=words,
            fields=LiveFields(
                index.fields,
                n,
                rows.fields,
                patches.fields,
                (patches.rows, patches.numbers),
                (len(rows), len(patches.prior)),
            ),
            index=index,
            delta=delta,
            alive=alive,
            places=places,
            edges=order.edges(),
            new_sid_ranks=order.sid_ranks(len(rows)),
        )

    def __len__(self) -> int:
        return len(self.index) - len(self.delta.gone) + len(self.delta.order.rows)

    def source(self, row: int) -> bytes:
        """Return an item as it was given: a JSON object, of the shape that its row or its edit had."""
        patches = self.delta.patches
        at = int(np.searchsorted(patches.rows, row))
        if at < len(patches.rows) and patches.rows[at] == row:
            return patches.sources[int(patches.numbers[at])].encode()
        n = len(self.index)
        return self.index.source(row) if row < n else self.delta.rows.sources[row - n].encode()

    def row_of(self, item_id: str) -> int | None:
        """Return the row of `item_id`, or None for an item that is not in the catalog."""
        return next(iter(self.rows_of([item_id])[0]), None)

    def rows_of(self, item_ids: Iterable[str]) -> tuple[list[int], list[str]]:
        """Return the rows of the ids that exist, in order, and the ids that do not."""
        asked = list(item_ids)
        if not asked:
            return [], []
        found, _ = self.index.rows_of(asked)
        held = dict(zip(self.index.ids.take(found), found, strict=True))
        rows: list[int] = []
        missing: list[str] = []
        for item_id, row in ((item_id, self._row_in_delta(item_id)) for item_id in asked):
            if row is None and item_id in held and bool(self.alive.base.holds(np.array([held[item_id]]))[0]):
                row = held[item_id]
            if row is None:
                missing.append(item_id)
            else:
                rows.append(row)
        return rows, missing

    def _row_in_delta(self, item_id: str) -> int | None:
        for row in self.delta.row_of_id.get(item_id, ())[::-1]:
            if row < len(self.delta.alive) and self.delta.alive[row]:
                return len(self.index) + row
        return None

    def sid_ranks(self, rows: IntArray) -> FloatArray:
        """Return (n,) numbers that compare as the SIDs of `rows` (n,) do."""
        n = len(self.index)
        old, new = parted(rows, n)
        ranks = np.empty(len(rows))
        ranks[old] = 2 * (self.index.sid_ranks(rows[old]) - 1) + 1
        ranks[new] = self.new_sid_ranks[rows[new] - n]
        return ranks

    def id_order(self, rows: IntArray) -> IntArray:
        """Return (n,) integers that compare as the ids of `rows` (n,) do."""
        n = len(self.index)
        old, new = parted(rows, n)
        order = np.empty(len(rows), np.int64)
        order[old] = 2 * self.index.id_ranks[rows[old]].astype(np.int64) + 1 << 32
        own = rows[new] - n  # ids between the same two of the index compare as among themselves
        order[new] = (2 * self.delta.rows.id_places[own] << 32) + self.delta.rows.id_ranks[own]
        return order

    def _may_hold(self, word: str) -> IntArray | None:
        holding = super()._may_hold(word)
        return self.alive.members() if holding is None else holding

    def passing(self, *filters: Mapping[str, Any]) -> LivePassing:  # type: ignore[override]
        """Return the rows that pass every filter, all that are items for empty ones. Raises `FilterError`."""
        wanted = [each for each in filters if each]
        if not wanted:
            return self.alive
        key = orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)
        return self._filtered.get(key, lambda: self._passing(wanted))  # type: ignore[return-value, arg-type]

    def _passing(self, wanted: Sequence[Mapping[str, Any]]) -> LivePassing:
        fields, n = self.fields, len(self.index)
        assert isinstance(fields, LiveFields)
        # The filter is checked against all fields there are; what the index says of it alone is kept by it.
        if set(fields) == set(self.index.fields):
            of_index = self.index.passing(*wanted)
        else:
            of_index = Passing.of(_mask(fields.base, wanted))
        of_delta = _mask(fields.more, wanted) & self.delta.alive
        passes, fails = self.delta.patches.mask(_mask(fields.patches, wanted))
        of_delta[passes[passes >= n] - n] = True
        of_delta[fails[fails >= n] - n] = False
        of_index = less(of_index, np.concatenate([self.delta.gone, fails[fails < n]]), passes[passes < n])
        return LivePassing.of(of_index, of_delta, self.delta.order.rows, self.alive.numbers, self.alive.dead)


def _mask(fields: Any, wanted: Sequence[Mapping[str, Any]]) -> BoolArray:
    return np.array(reduce(np.logical_and, (read_filter(fields, each)() for each in wanted)), np.bool_)


def _popular(index: Catalog, delta: Delta, alive: LivePassing, prior: Any, places: FloatArray) -> IntArray:
    """Return (n,) int32 rows of the most popular items, best first: of those that the index keeps as such, and new."""
    n = len(index)
    held = np.concatenate([index.popular[alive.base.holds(index.popular)], delta.order.rows + n]).astype(np.int64)
    own = prior.take(held)
    if len(own) > POPULAR:
        held = held[own >= np.partition(own, -POPULAR)[-POPULAR]]
        own = prior.take(held)
    at = held.astype(np.float64)
    at[held >= n] = places[held[held >= n] - n]
    return held[np.lexsort((at, -own))][:POPULAR].astype(np.int32)
