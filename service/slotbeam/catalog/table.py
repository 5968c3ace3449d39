"""Table T: SID → items, and what is known of each item, as mapped arrays.

Rows are in SID order (then popularity, then id), so the items of one leaf, and of every trie state, are one range.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from slotbeam.arrays import Strings, distinct, load_array, run_starts, save_array
from slotbeam.catalog.fields import FieldKind, Fields
from slotbeam.catalog.filters import read_filter
from slotbeam.catalog.item import Item
from slotbeam.catalog.passing import KeptSets, Passing
from slotbeam.catalog.terms import TermIndex, terms_tell
from slotbeam.catalog.wholewords import rows_holding
from slotbeam.errors import InputError
from slotbeam.kae.normalize import normalize
from slotbeam.types import FloatArray, IntArray, Sid


def id_hash(item_id: str) -> int:
    """Return the 64-bit number that an item id is looked up by; of a lone surrogate, too, which no item's id holds."""
    return int.from_bytes(hashlib.blake2b(item_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def item_text(item: Item) -> str:
    """Return the canonical text in which `match` looks for words, one line per part of the item."""
    parts = [item.title, *(v for values in item.attributes.values() for v in values), item.description]
    return "\n".join(dict.fromkeys(normalize(part) for part in parts if part.strip()))


@dataclass(frozen=True, eq=False)
class Catalog:
    """N items in row order.

    Attributes:
        ids, titles, texts: (N,) strings.
        prior: (N,) float32, log(1 + popularity).
        sids: (N, L) int16, int32 where a position has more slots.
        leaf_items: (n_leaves + 1,) int64: the items of leaf i are rows `leaf_items[i]:leaf_items[i + 1]`.
        id_hashes, id_rows: (N,) uint64 sorted and int32: the way from id to row.
        id_ranks: (N,) int32, the place of each row's id among all ids in order: what ties break by.
        vectors: (N, e) int8, 127 × the unit item vectors; (N, 0) where training made none.
        reread: (m,) int32, rising: rows whose terms do not tell which words their texts hold. None where that is not
            known, in artifacts made before 2026-11-27: `match` then reads all texts.
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
    reread: IntArray | None
    terms: TermIndex
    fields: Fields
    _filtered: KeptSets = field(default_factory=KeptSets, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    def sid(self, row: int) -> Sid:
        """Return the base SID of an item."""
        return tuple(self.sids[row].tolist())

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
        if not len(self):
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

    def closeness(self, vector: FloatArray, rows: IntArray) -> FloatArray:
        """Return (n,) float64 inner products of a query vector (e,) with the item vectors of `rows`.

        The sums are exact, so items of equal vectors are equally close, whatever else is in `rows`.
        """
        given, root = vector.astype(np.float64), float(np.sqrt(len(vector)))
        length = float(np.sqrt(np.square(given).sum()))
        if length == 0.0 or not self.vectors.shape[1]:
            return np.zeros(len(rows))
        # In whole numbers below 2²⁴ every sum of products is exact in float32, in any order and on any processor, and
        # half as wide as in float64. No sum exceeds the product of both lengths, 127 √e for an item: so the query is
        # taken in steps as fine as that allows, and what they leave, half a step a component at most, in finer ones.
        coarse = (2**24 - 1) / (127 * root) - root / 2
        fine = (2**24 - 1) / (127 * root * root)
        steps = given * (coarse / length)
        whole = np.rint(steps)
        parts = np.stack([whole, np.rint((steps - whole) * fine)], axis=1).astype(np.float32)
        products = (self.vectors.take(rows, axis=0).astype(np.float32) @ parts).astype(np.float64)
        return np.asarray((products[:, 0] + products[:, 1] / fine) * (length / (127 * coarse)))

    def match(self, words: Sequence[str]) -> IntArray:
        """Return the rows (n,) whose text holds one of the canonical `words` as whole words, in row order."""
        if any(not word for word in words):
            raise InputError("a word to match is empty; give at least one letter")
        holding = [rows_holding(word, self.texts, self._may_hold(word)) for word in words]
        return distinct(np.concatenate([np.empty(0, np.int64), *holding]))

    def _may_hold(self, word: str) -> IntArray | None:
        """Return the rows (n,), rising, outside of which no text holds `word`; None where that is not known."""
        places, all_known = self.terms.known(word)
        if self.reread is None or (all_known and not len(places)):
            return None
        if not all_known:
            return self.reread
        return distinct(np.concatenate([self.terms.postings.carrying_all(places), self.reread]))

    def passing(self, wanted: Mapping[str, Any]) -> Passing:
        """Return the rows that pass a filter, all of them for an empty one. Raises `FilterError`."""
        if not wanted:
            return Passing(len(self))
        # Keys in one order; values as they came: another order of a list is another filter, made anew in a moment.
        key = orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)
        return self._filtered.get(key, lambda: Passing.of(read_filter(self.fields, wanted)()))

    @classmethod
    def load(cls, directory: Path, kinds: Mapping[str, str]) -> Catalog:
        """Map what `write_catalog` wrote under `directory`; `kinds` is the manifest's `fields`."""

        def array(name: str) -> Any:
            return load_array(directory / f"{name}.npy")

        return cls(
            ids=Strings.load(directory, "ids"),
            titles=Strings.load(directory, "titles"),
            texts=Strings.load(directory, "texts"),
            prior=array("prior"),
            sids=array("sids"),
            leaf_items=array("leaf_items"),
            id_hashes=array("id_hashes"),
            id_rows=array("id_rows"),
            id_ranks=array("id_ranks"),
            vectors=array("vectors"),
            reread=array("reread") if (directory / "reread.npy").exists() else None,
            terms=TermIndex.load(directory / "terms"),
            fields=Fields.load(directory / "fields", kinds),
        )


def write_catalog(
    directory: Path,
    items: Sequence[Item],
    sids: IntArray,
    lexical_texts: Sequence[str] | None = None,
    vectors: IntArray | None = None,
) -> dict[str, FieldKind]:
    """Write the table of items.

    Args:
        directory: made when missing.
        items: N items, in any order.
        sids: (N, L), in their order.
        lexical_texts: (N,) what lexical overlap is taken from, in their order; default: `item_text` of each. Training
            gives the texts that it saw, so that text edited since then waits for the next training, as the model does.
        vectors: (N, e) int8, in their order; default: none, e = 0.

    Returns:
        The fields' kinds, for the manifest.

    Raises:
        InputError: two items share an id.
    """
    sids = np.asarray(sids, np.int32).reshape(len(items), -1)
    # SID order makes every state's items one range; within a SID the popular ones come first, so a cap keeps those.
    order = sorted(range(len(items)), key=lambda i: (sids[i].tolist(), -items[i].popularity, items[i].id))
    ordered = [items[i] for i in order]
    sids = sids[order]
    vectors = np.zeros((len(items), 0), np.int8) if vectors is None else np.asarray(vectors, np.int8)[order]
    hashes = np.array([id_hash(item.id) for item in ordered], np.uint64)
    by_hash = np.argsort(hashes, kind="stable")
    if len({item.id for item in ordered}) != len(ordered):
        seen = set[str]()
        twin = next(item.id for item in ordered if item.id in seen or seen.add(item.id))  # type: ignore[func-returns-value]
        raise InputError(f"two items have the id {twin!r}; ids are unique in a catalog")
    texts = [item_text(item) for item in ordered]
    Strings.of([item.id for item in ordered]).save(directory, "ids")
    Strings.of([item.title for item in ordered]).save(directory, "titles")
    Strings.of(texts).save(directory, "texts")
    arrays = {
        "prior": np.log1p(np.array([item.popularity for item in ordered], np.float32)),
        "sids": sids.astype(np.int16 if sids.max(initial=0) < 2**15 else np.int32),
        "vectors": vectors,
        "leaf_items": np.append(run_starts(sids), len(ordered)),
        "id_hashes": hashes[by_hash],
        "id_rows": by_hash.astype(np.int32),
        "id_ranks": np.argsort(sorted(range(len(ordered)), key=lambda i: ordered[i].id)).astype(np.int32),
    }
    scored = texts if lexical_texts is None else [lexical_texts[i] for i in order]
    # Text edited since training, and scripts in which a word may end inside a term.
    told = (f"{seen} ".startswith(f"{text} ") and terms_tell(text) for text, seen in zip(texts, scored, strict=True))
    arrays["reread"] = np.flatnonzero(~np.fromiter(told, np.bool_)).astype(np.int32)
    for name, array in arrays.items():
        save_array(directory / f"{name}.npy", array)
    TermIndex.build(scored).save(directory / "terms", len(items))
    fields = Fields.of([item.fields for item in ordered])
    fields.save(directory / "fields")
    return fields.kinds
