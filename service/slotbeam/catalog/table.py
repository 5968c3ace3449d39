"""Table T: SID → items, and what is known of each item, as mapped arrays.

Rows are in SID order (then popularity, then id), so the items of one leaf, and of every trie state, are one range.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from slotbeam.arrays import Strings, bisected, distinct, load_array
from slotbeam.catalog.closeness import closeness
from slotbeam.catalog.fields import Fields
from slotbeam.catalog.filters import read_filter
from slotbeam.catalog.item import Item
from slotbeam.catalog.passing import KeptSets, Passing
from slotbeam.catalog.sources import Sources
from slotbeam.catalog.terms import TermIndex
from slotbeam.catalog.textindex import TextIndex
from slotbeam.catalog.wholewords import rows_holding
from slotbeam.catalog.words import Words
from slotbeam.errors import InputError
from slotbeam.language.fold import PLAIN, Folding
from slotbeam.language.normalize import normalize
from slotbeam.language.segments import is_spaceless
from slotbeam.types import BoolArray, FloatArray, IntArray, Sid


def id_hash(item_id: str) -> int:
    """Return the 64-bit number that an item id is looked up by; of a lone surrogate, too, which no item's id holds."""
    return int.from_bytes(hashlib.blake2b(item_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def item_text(item: Item) -> str:
    """Return the canonical text in which `match` looks for words, one line per part of the item."""
    parts = [item.title, *(v for values in item.attributes.values() for v in values), item.description]
    return "\n".join(dict.fromkeys(filter(None, map(normalize, parts))))


@dataclass(frozen=True, eq=False)
class Catalog:
    """N items in row order.

    Attributes:
        ids, titles, texts: (N,) strings.
        prior: (N,) float32, log(1 + popularity).
        sids: (N, L) int16, int32 where a position has more slots.
        leaf_items: (n_leaves + 1,) int32: the items of leaf i are rows `leaf_items[i]:leaf_items[i + 1]`.
        id_hashes, id_rows: (N,) uint64 sorted and int32: the way from id to row.
        id_ranks: (N,) int32, the place of each row's id among all ids in order: what ties break by.
        vectors: (N, e) int8, 127 × the unit item vectors; (N, 0) where training made none.
        text_index: the items by their text vectors.
        reread: (m,) int32, rising: rows whose terms do not tell which words their texts hold.
        popular: (m,) int32, rows of the most popular items, best first: 200, or all.
        sources: (N,) each item as it was given.
    """

    ids: Strings
    titles: Strings
    texts: Strings
    prior: FloatArray
    sids: IntArray
    leaf_items: IntArray
    id_hashes: IntArray
    id_rows: IntArray
    id_ranks: IntArray
    vectors: IntArray
    text_index: TextIndex
    reread: IntArray
    popular: IntArray
    sources: Sources
    terms: TermIndex
    words: Words
    fields: Fields
    _filtered: KeptSets = field(default_factory=KeptSets, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    def sid(self, row: int) -> Sid:
        """Return the base SID of an item."""
        return tuple(self.sids[row].tolist())

    def source(self, row: int) -> bytes:
        """Return an item as it was given: a JSON object, of the shape that the catalog's rows had."""
        return self.sources[row]

    def row_of(self, item_id: str) -> int | None:
        """Return the row of `item_id`, or None for an item that is not in the catalog."""
        wanted = np.uint64(id_hash(item_id))
        first = int(np.searchsorted(self.id_hashes, wanted, side="left"))
        # 64 bits of two ids may agree, so the id itself has the last word.
        while first < len(self.id_hashes) and self.id_hashes[first] == wanted:
            row = int(self.id_rows[first])
            if self.ids[row] == item_id:
                return row
            first += 1
        return None

    def rows_of(self, item_ids: Iterable[str]) -> tuple[list[int], list[str]]:
        """Return the rows of the ids that exist, in order, and the ids that do not."""
        asked = list(item_ids)
        if not asked or not len(self):
            return [], asked
        hashes = np.array([id_hash(item_id) for item_id in asked], np.uint64)
        places = np.minimum(np.searchsorted(self.id_hashes, hashes), len(self) - 1)
        hashed = self.id_hashes[places] == hashes
        near = self.id_rows[places[hashed]]
        row_of_id = dict(zip(self.ids.take(near), near.tolist(), strict=True))
        rows: list[int] = []
        missing: list[str] = []
        for item_id, is_hashed in zip(asked, hashed.tolist(), strict=True):
            row = row_of_id.get(item_id)
            if row is None and is_hashed:  # the hash of two ids
                row = self.row_of(item_id)
            if row is None:
                missing.append(item_id)
            else:
                rows.append(row)
        return rows, missing

    def sid_ranks(self, rows: IntArray) -> IntArray | FloatArray:
        """Return (n,) numbers that compare as the SIDs of `rows` (n,) do."""
        return bisected(self.leaf_items, rows, "right")  # leaf order is SID order

    def id_order(self, rows: IntArray) -> IntArray:
        """Return (n,) integers that compare as the ids of `rows` (n,) do: no string is compared while a query waits."""
        return self.id_ranks[rows]

    def closeness(self, vector: FloatArray, rows: IntArray) -> FloatArray:
        """Return (n,) float64 inner products of a query vector (e,) with the item vectors of `rows`.

        The sums are exact, so items of equal vectors are equally close, whatever else is in `rows`.
        """
        return closeness(self.vectors, vector, rows)

    def match(self, words: Sequence[str], exact: bool = False) -> IntArray:
        """Return the rows (n,) whose text holds one of the canonical `words` as whole words, in row order.

        Args:
            words: not empty.
            exact: as they are spelt; else in any spelling (`kae.matcher`).
        """
        if any(not word for word in words):
            raise InputError("a word to match is empty; give at least one letter")
        folding = self.terms.folding
        holding = [rows_holding(word, self.texts, self._may_hold(word), folding, exact) for word in words]
        return distinct(np.concatenate([np.empty(0, np.int64), *holding]))

    def _may_hold(self, word: str) -> IntArray | None:
        """Return the rows (n,), rising, outside of which no text holds `word`; None for one that has no terms."""
        readings = self.terms.known_readings(word)
        if not readings:
            return None
        carrying = [self.terms.postings.carrying_all(places) for places in readings if places is not None]
        # In a script without spaces a word may end inside of a term.
        more = [self.reread] if is_spaceless(word) else []
        return distinct(np.concatenate([np.empty(0, np.int64), *carrying, *more]))

    def passing(self, *filters: Mapping[str, Any]) -> Passing:
        """Return the rows that pass every filter, all of them for empty ones. Raises `FilterError`."""
        wanted = [each for each in filters if each]
        if not wanted:
            return Passing(len(self))
        # Keys in one order; values as they came: another order of a list is another filter, made anew in a moment.
        key = orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)
        return self._filtered.get(key, lambda: Passing.of(self._mask(wanted)))

    def _mask(self, filters: Sequence[Mapping[str, Any]]) -> BoolArray:
        tests = [read_filter(self.fields, each) for each in filters]
        return reduce(np.logical_and, (test() for test in tests))

    @classmethod
    def load(cls, directory: Path, kinds: Mapping[str, str], folding: Folding = PLAIN) -> Catalog:
        """Map what `writer` wrote under `directory`; no item is looked at.

        Args:
            directory: an artifact's `index/`.
            kinds: the manifest's `fields`.
            folding: of the catalog's language.
        """
        items = directory / "items"

        def array(name: str) -> Any:
            return load_array(items / f"{name}.npy")

        prior = array("prior")
        return cls(
            ids=Strings.load(items, "ids"),
            titles=Strings.load(items, "titles"),
            texts=Strings.load(items, "texts"),
            prior=prior,
            sids=array("sids"),
            leaf_items=array("leaf_items"),
            id_hashes=array("id_hashes"),
            id_rows=array("id_rows"),
            id_ranks=array("id_ranks"),
            vectors=array("vectors"),
            text_index=TextIndex.load(directory / "texts", len(prior)),
            reread=array("reread"),
            popular=array("popular"),
            sources=Sources.load(items),
            terms=TermIndex.load(directory / "terms", folding),
            words=Words.load(directory / "words"),
            fields=Fields.load(directory / "fields", kinds),
        )
