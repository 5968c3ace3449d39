"""Live edits of items → the next version of an artifact. One writer a process, never on the request path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson

from slotbeam.background import rest
from slotbeam.catalog.columns import Columns, taken_of
from slotbeam.catalog.delta.catalog import Delta, LiveCatalog
from slotbeam.catalog.delta.fields import check_fields, kind_of
from slotbeam.catalog.delta.growing import GrowingArray
from slotbeam.catalog.delta.keywords import FieldKeywords
from slotbeam.catalog.delta.order import DeltaOrder, IndexOrder, keys_of
from slotbeam.catalog.delta.patches import GrowingPatches
from slotbeam.catalog.delta.postings import PostingsRun, postings_of
from slotbeam.catalog.delta.rows import GrowingRows
from slotbeam.catalog.delta.runs import CHEAP, FEW, with_run
from slotbeam.catalog.delta.words import WordsRun
from slotbeam.catalog.inmemory import item_source
from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders.jsonl import item as read_documented
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.errors import SetupError
from slotbeam.indexing.encode import ItemEncoder
from slotbeam.search.artifact import Artifact
from slotbeam.types import BoolArray, IntArray

_WASTE = 2**14
"""Rows and patches that nobody sees any longer, from which the delta is made anew when they are the most of it."""

_PLACE = SourcePlace(Path("index"), 1)

Edits = Mapping[str, Item | None]
"""Item id → the item as it is now; None: it is no item any longer."""


class LiveIndex:
    """Keeps an artifact at its edits.

    Attributes:
        artifact: its newest version.
        numbering: of the delta's rows: another number says that they are numbered anew.
        beside: what is encoded there is not encoded again; None from when this one is served.

    Args:
        artifact: model and index; the base.
        beside: of an index that is served while this one is made ready; of no use where the model is another.

    Raises:
        SetupError: the index was made before indexes kept their statistics.
        ArtifactError: what encodes items cannot be read.
    """

    def __init__(self, artifact: Artifact, beside: LiveIndex | None = None) -> None:
        statistics = artifact.catalog.terms.statistics
        if statistics is None:
            raise SetupError(
                f"the index {artifact.name} was made by an older version and takes no live items; "
                'make it again with "slotbeam index"'
            )
        self.artifact = artifact
        self.beside = beside if beside is not None and beside.artifact.kae is artifact.kae else None
        self._encoder: ItemEncoder = self.beside._encoder if self.beside else ItemEncoder.of(artifact)
        self._index, self._statistics, self._order = artifact.catalog, statistics, IndexOrder(artifact.catalog)
        self._edits: dict[str, Item | None] = {}
        self.numbering = 0
        self._clear()

    def _clear(self) -> None:
        index, keywords = self._index, FieldKeywords(self._index.fields)
        self.numbering += 1
        self._rows, self._patches = GrowingRows(index, keywords), GrowingPatches(keywords)
        self._runs: tuple[PostingsRun, ...] = ()
        self._word_runs: tuple[WordsRun, ...] = ()
        self._alive: BoolArray = np.empty(0, np.bool_)
        self._gone: IntArray = np.empty(0, np.int64)
        self._in_order = DeltaOrder.empty(index.sids)
        self._new_terms: dict[int, int] = {}
        self._new_ceilings = GrowingArray(np.float32)
        self._patched = 0

    def restart(self, edits: Edits) -> Artifact:
        """Return the artifact with these edits alone. Raises `InputError`, and what was before stays."""
        self.check(edits)
        self._clear()
        self._edits = {}
        self.artifact = replace(self.artifact, catalog=self._index)  # whose rows are edited: those of before are gone
        return self.apply(edits)

    def check(self, edits: Edits) -> None:
        """Refuse an item whose fields do not fit those of the catalog. Raises `InputError`, which names the item."""
        kinds = self.artifact.catalog.fields.kinds
        for item in edits.values():
            if item is not None:
                check_fields(kinds, item)
                # What is new here has one kind for all.
                kinds |= {name: kind_of(value) for name, value in item.fields.items()}

    def apply(self, edits: Edits) -> Artifact:
        """Return the next version of the artifact.

        An item whose title, attributes and description are as they were is patched; else it is encoded.

        Raises:
            InputError: a field is not of its kind; nothing was changed.
        """
        self.check(edits)
        rows = self._current_rows(edits)
        items = {item_id: item for item_id, item in edits.items() if item is not None}
        known = self._known(items, rows)
        same = {item_id for item_id, item in known.items() if item.told == items[item_id].told}
        fresh = {item_id: item for item_id, item in items.items() if item_id not in same}
        columns = self._columns(fresh)
        # What an index knows of an item may be just what it is now.
        same |= self._encoded_alike(columns, [rows.get(item_id) for item_id in fresh])
        rest()
        self._remove([row for item_id, row in rows.items() if item_id not in same])
        self._patch({rows[item_id]: items[item_id] for item_id in same})
        self._append(columns, [item for item_id, item in fresh.items() if item_id not in same])
        self._edits.update(edits)
        waste = len(self._alive) - len(self._in_order.rows) + self._patched - len(self._patches.view().rows)
        if waste > _WASTE and 2 * waste > len(self._alive) + self._patched:
            return self.restart(self._edits)
        self.artifact = replace(self.artifact, catalog=LiveCatalog.of(self._index, self._delta()))
        return self.artifact

    def _current_rows(self, edits: Edits) -> dict[str, int]:
        """Return id → row of the edited items that the catalog holds."""
        catalog = self.artifact.catalog
        found, missing = catalog.rows_of(edits)
        absent = set(missing)
        return dict(zip((item_id for item_id in edits if item_id not in absent), found, strict=True))

    def _known(self, items: Mapping[str, Item], rows: Mapping[str, int]) -> dict[str, Item]:
        """Return id → item as it is before an edit; of the index those that are called as before and can be read."""
        known = {item_id: self._edits.get(item_id) for item_id in items if item_id in rows}
        of_index = sorted((rows[item_id], item_id) for item_id, item in known.items() if item is None)
        titles = self._index.titles.take([row for row, _ in of_index])
        alike = [own for own, title in zip(of_index, titles, strict=True) if items[own[1]].title == title]
        sources = self._index.sources.take([row for row, _ in alike])
        for (_, item_id), source in zip(alike, sources, strict=True):
            item, faults = read_documented(_PLACE, orjson.loads(source))
            known[item_id] = None if faults else item
        return {item_id: item for item_id, item in known.items() if item is not None}

    def _columns(self, items: Mapping[str, Item]) -> Columns:
        """Return the columns of `items` in their order; what was encoded beside is taken from there."""
        given = [(item, item_source(item)) for item in items.values()]
        if self.beside is None:
            return self._encoder.columns(given)
        held = self.beside._rows
        rows = held.made_of(items.values())
        encoded = self._encoder.columns([own for own in given if own[0].id not in rows])
        taken = held.columns(list(rows.values()), [own for own in given if own[0].id in rows])
        place = {item_id: number for number, item_id in enumerate([*encoded.ids, *taken.ids])}
        return taken_of([encoded, taken], np.array([place[item_id] for item_id in items], np.int64))

    def _encoded_alike(self, columns: Columns, rows: list[int | None]) -> set[str]:
        """Return the ids of items that are encoded as their rows (None: it has none) were."""
        places = [place for place, row in enumerate(rows) if row is not None]
        held = np.array([rows[place] for place in places], np.int64)
        if not len(held):
            return set()
        catalog = self.artifact.catalog
        alike = (columns.sids[places] == catalog.sids.take(held, axis=0)).all(axis=1)
        alike &= (columns.vectors[places] == catalog.vectors.take(held, axis=0)).all(axis=1)
        told = [(columns.titles, catalog.titles), (columns.texts, catalog.texts)]
        for new, old in told:
            alike &= np.array(new.take(places), object) == np.array(old.take(held), object)
        return set(columns.ids.take(np.array(places)[alike]))

    def _remove(self, rows: list[int]) -> None:
        gone = np.array(sorted(rows), np.int64)
        n = len(self._index)
        self._patches.drop(gone)
        self._gone = np.sort(np.concatenate([self._gone, gone[gone < n]]))
        self._alive = self._alive.copy()
        self._alive[gone[gone >= n] - n] = False
        if (gone >= n).any():
            self._in_order = self._in_order.without(self._alive)

    def _patch(self, items: Mapping[int, Item]) -> None:
        if items:
            popularity = np.array([item.popularity for item in items.values()], np.float64)
            sources = [item_source(item) for item in items.values()]
            fields = [item.fields for item in items.values()]
            self._patches.append(np.array(list(items), np.int64), popularity, sources, fields)
            self._patched += len(items)

    def _append(self, columns: Columns, items: list[Item]) -> None:
        """Add the rows of `items`, whose columns are among `columns`."""
        if not items:
            return
        number = {item_id: place for place, item_id in enumerate(columns.ids)}
        columns = taken_of([columns], np.array([number[item.id] for item in items], np.int64))
        first, ids = len(self._alive), [item.id for item in items]
        rest()
        id_places = np.array([self._order.id_place(item_id) for item_id in ids], np.int64)
        self._rows.append(columns, items, id_places)
        rest()
        own = np.arange(first, first + len(items))
        sids, prior = self._rows.sids[first:], self._rows.prior[first:]
        below = self._order.below(keys_of(sids, prior), id_places)
        keys = keys_of(sids, prior, [item_id.encode() for item_id in ids])
        leaves = self._order.leaves(sids, below)
        self._in_order = self._in_order.with_rows(own, keys, sids, below, leaves)
        self._alive = np.concatenate([self._alive, np.ones(len(items), np.bool_)])
        rest()
        self._runs = with_run(self._runs, self._postings_of(columns, first), FEW)
        rest()
        self._word_runs = with_run(self._word_runs, WordsRun.of(columns.texts), CHEAP)
        rest()

    def _postings_of(self, columns: Columns, first: int) -> PostingsRun:
        """Return the postings of rows from `first` on; terms that the index does not have get places behind its own."""
        of_rows = [np.frombuffer(own, np.uint32) for own in columns.terms.encoded(range(len(columns)))]
        hashes, owner, counts = postings_of(of_rows)
        statistics, vocabulary = self._statistics, self._index.terms.vocabulary
        documents = statistics.documents_of(hashes)
        lengths = np.array([len(own) for own in of_rows], np.int64)
        exact = statistics.impacts(statistics.idf(documents), counts.astype(np.float64), lengths[owner])
        places = self._index.terms._places_of(hashes)
        new = np.unique(hashes[places < 0])
        fresh = [term for term in new.tolist() if term not in self._new_terms]
        self._new_ceilings.append(statistics.ceilings(statistics.documents_of(np.array(fresh, np.uint32))))
        for term in fresh:
            self._new_terms[term] = len(vocabulary) + len(self._new_terms)
        places[places < 0] = [self._new_terms[term] for term in hashes[places < 0].tolist()]
        return PostingsRun.of(places, owner + first, statistics.stored(exact))

    def _delta(self) -> Delta:
        return Delta(
            rows=self._rows.view(),
            alive=self._alive,
            gone=self._gone,
            order=self._in_order,
            postings=self._runs,
            words=self._word_runs,
            patches=self._patches.view(),
            new_terms=self._new_terms,
            terms=len(self._index.terms.vocabulary) + len(self._new_terms),
            new_ceilings=self._new_ceilings.view(),
            row_of_id=self._rows.row_of_id,
        )
