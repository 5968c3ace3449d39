"""Interventions: unseen words are bound, the test query says one of them; do its items come, and in what order?

IHR@K: is the forged target (the item the query led to, now carrying the word) in the top K? IAR@K: is any item of the
word? (paper section 5). Words come in rounds that fill every reserved slot at once, one word a slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.bindings.overlay import Bound, build_overlay
from slotbeam.catalog.item import Interaction
from slotbeam.decode.beam import beam_search
from slotbeam.errors import InputError
from slotbeam.eval.baselines.bm25 import Bm25
from slotbeam.eval.run import Table
from slotbeam.kae.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Shelf
from slotbeam.search.pinned import pinned_sid
from slotbeam.search.pipeline import retrieve
from slotbeam.search.rank import ItemScorer
from slotbeam.search.request import Request
from slotbeam.search.snapshot import Overlay, Snapshot
from slotbeam.trie.build import build_trie, sid_order
from slotbeam.types import IntArray, Slot, Timings

SIZES = (1, 5, 20, 100, 500)
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvz", "aeiou"


@dataclass(frozen=True, slots=True)
class Injection:
    """One unseen word on one slot.

    Attributes:
        word: new to the dictionary. slot: reserved.
        rows: catalog rows that carry it from now on; the target among them.
        target: the row that the query led to in the log.
        query: the log's query with one word replaced by the new one.
    """

    word: str
    slot: Slot
    rows: tuple[int, ...]
    target: int
    query: str


def make_rounds(
    artifact: Artifact, log: Sequence[Interaction], per_size: int, sizes: Sequence[int] = SIZES, seed: int = 0
) -> list[list[Injection]]:
    """Draw `per_size` words of each size, in rounds that fill every reserved slot once (the last one maybe not).

    The other items of a word are drawn from the target's department. Where the query has a word at the slot's position
    that one is replaced, else any.

    Raises:
        InputError: no row of the log leads to an item of the catalog.
    """
    rng = np.random.default_rng(seed)
    book = artifact.kae.codebook
    slots = [Slot(position, index) for position in range(len(book)) for index in book.reserved(position)]
    rows = [artifact.catalog.row_of(one.item_id) for one in log]
    usable = [(normalize(one.query), row) for one, row in zip(log, rows, strict=True) if row is not None]
    usable = [(query, row) for query, row in usable if query]
    if not usable or not slots:
        raise InputError("no row of the log leads to an item of the catalog, or the codebook has no reserved slot")
    wanted = [min(size, len(artifact.catalog)) for size in sizes for _ in range(per_size)]
    order = rng.permutation(len(wanted)).tolist()
    used: set[str] = set()
    rounds = []
    for start in range(0, len(order), len(slots)):
        part = order[start : start + len(slots)]
        places = [slots[i] for i in rng.permutation(len(slots))[: len(part)].tolist()]
        made = []
        for number, slot in zip(part, places, strict=True):
            query, target = usable[int(rng.integers(len(usable)))]
            word = _unseen_word(artifact, used, rng)
            carried = _neighbours(artifact, target, wanted[number], rng)
            made.append(Injection(word, slot, carried, target, _replace(artifact, query, slot, word, rng)))
        rounds.append(made)
    return rounds


def intervention_table(
    artifact: Artifact, bm25: Bm25, rounds: Sequence[Sequence[Injection]], ks: Sequence[int]
) -> dict[int, Table]:
    """Return size → table. Systems: `pinned` (served), `unpinned` (paper mode), `BM25, same items` (a pin rule)."""
    tables: dict[int, Table] = {}
    catalog = artifact.catalog
    for injections in rounds:
        overlay = overlay_of(artifact, injections)
        snapshot, paper = Snapshot(artifact, overlay), PaperMode(artifact, overlay)
        for one in injections:
            hits = retrieve(snapshot, Request(one.query, k=max(ks)), Timings()).hits
            ids = [catalog.ids[row] for row in one.rows]
            answers = {
                "pinned": [hit.row for hit in hits],
                "unpinned": paper.search(one.query, max(ks)),
                "BM25, same items": catalog.rows_of(bm25.order(one.query, ids))[0],
            }
            table = tables.setdefault(len(one.rows), Table())
            for system, ranked in answers.items():
                values = table.values.setdefault(system, {})
                for k in ks:
                    values.setdefault(f"IHR@{k}", []).append(float(one.target in ranked[:k]))
                for k in ks:
                    values.setdefault(f"IAR@{k}", []).append(float(not set(one.rows).isdisjoint(ranked[:k])))
    return dict(sorted(tables.items()))


def collateral(artifact: Artifact, injections: Sequence[Injection], queries: Sequence[str], k: int) -> tuple[int, int]:
    """Return how many of `queries` trigger no binding of the round, and how many of those answers changed."""
    overlay = overlay_of(artifact, injections)
    bare, edited = Snapshot(artifact), Snapshot(artifact, overlay)
    asked = changed = 0
    for query in dict.fromkeys(queries):
        if overlay.match(normalize(query), 1, artifact.kae.knows):
            continue
        asked += 1
        request = Request(query, k=k)
        changed += retrieve(bare, request, Timings()).hits != retrieve(edited, request, Timings()).hits
    return asked, changed


def overlay_of(artifact: Artifact, injections: Sequence[Injection]) -> Overlay:
    """Compile a round as live bindings."""
    ids = artifact.catalog.ids
    return build_overlay(
        artifact, [Bound(one.word, one.slot, (one.word,), tuple(ids[row] for row in one.rows)) for one in injections]
    )


class PaperMode:
    """The paper's serving: overlay and base in one trie, decoded unpinned, the query SID with the bound slot in it."""

    def __init__(self, artifact: Artifact, overlay: Overlay) -> None:
        self.artifact, self.overlay = artifact, overlay
        catalog = artifact.catalog
        parts: list[IntArray] = [catalog.sids.astype(np.int64)]
        owners: list[IntArray] = [np.arange(len(catalog))]
        for pinned in overlay.pinned:
            sids = catalog.sids[pinned.rows].astype(np.int64)
            sids[:, pinned.slot.position] = pinned.slot.index
            parts.append(sids)
            owners.append(pinned.rows)
        sids = np.concatenate(parts)
        order = sid_order(sids)
        sids, self.rows = sids[order], np.concatenate(owners)[order]
        opens = np.ones(len(sids), np.bool_)
        opens[1:] = (sids[1:] != sids[:-1]).any(axis=1)
        self.shelf = Shelf(build_trie(sids), np.append(np.flatnonzero(opens), len(sids)), None)

    def search(self, query: str, k: int) -> list[int]:
        """Return the rows of the K best items, best first; full depth, the artifact's item score."""
        artifact, options = self.artifact, self.artifact.options
        encoded = artifact.kae.encode(normalize(query))
        bound = self.overlay.match(encoded.text, 1, artifact.kae.knows)
        sid = pinned_sid(artifact.kae, encoded, bound[0]) if bound else encoded.sid
        [memory] = artifact.model.encode([artifact.inputs.build(encoded.text, sid)])
        beams = beam_search(artifact.model, memory, self.shelf.trie, max(k, options.beam_width))
        found = self.shelf.collect(beams, options.candidates)
        rows = self.rows[found.places]
        scores = ItemScorer(artifact.catalog, options).score(
            encoded.text, rows, found.logp, artifact.model.query_vector(memory)
        )
        order = np.lexsort((artifact.catalog.id_ranks[rows], -scores))
        return list(dict.fromkeys(rows[order].tolist()))[:k]


def _unseen_word(artifact: Artifact, used: set[str], rng: np.random.Generator) -> str:
    while True:
        letters = "".join(
            _CONSONANTS[int(rng.integers(len(_CONSONANTS)))] + _VOWELS[int(rng.integers(len(_VOWELS)))]
            for _ in range(4)
        )
        if letters not in used and not artifact.kae.knows(letters):
            used.add(letters)
            return letters


def _neighbours(artifact: Artifact, target: int, size: int, rng: np.random.Generator) -> tuple[int, ...]:
    department = artifact.catalog.fields.get("department")
    pool = np.arange(len(artifact.catalog))
    if department is not None:
        own = np.flatnonzero(np.asarray(department.values) == department.values[target])
        pool = own if len(own) >= size else pool
    others = rng.permutation(pool[pool != target])[: size - 1]
    return tuple(sorted([target, *others.tolist()]))


def _replace(artifact: Artifact, query: str, slot: Slot, word: str, rng: np.random.Generator) -> str:
    tokens = query.split(" ")
    chosen = artifact.kae.encode(query).chosen[slot.position]
    at = int(rng.integers(len(tokens))) if chosen is None else query[: chosen.start].count(" ")
    return " ".join(word if i == at else token for i, token in enumerate(tokens))
