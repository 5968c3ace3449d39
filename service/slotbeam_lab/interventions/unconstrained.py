"""KAE as in the paper: one unpinned beam over all codes of every position, with no trie to keep it among the items.

A SID that comes out and holds no item is lost. Ranking is by SID log-probability, at most five items of a SID, by
popularity; there is no lexical feature and no early stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from slotbeam.catalog.loaders import load_log
from slotbeam.catalog.passing import Passing
from slotbeam.decode.beam import Beams, beam_search
from slotbeam.model.protocol import Memory, SequenceModel
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Shelf
from slotbeam.search.request import SearchRequest, history
from slotbeam.trie.csr import Trie
from slotbeam.types import IntArray
from slotbeam_lab.baselines.registry import Built, Setup
from slotbeam_lab.baselines.systems import trained_kae
from slotbeam_lab.measures.run import Asked, System

ITEMS_PER_SID = 5
BEAMS = 350
"""B of an artifact that names none."""
PROBES = 200
"""Queries of the training days' end that the share of lost SIDs is taken from."""


class EverySid:
    """A `Tree` of all SIDs of a codebook, for one search: it numbers the states that are asked for as they come.

    Args:
        sizes: (L,) codes of each position.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = tuple(sizes)
        self._asked: list[tuple[IntArray, int]] = []  # of each step: the states, and the first child's number
        self._next = 1

    @property
    def depth(self) -> int:
        """L."""
        return len(self._sizes)

    def expand(self, states: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Return every code of the next position behind each of `states` (B,), all of one depth; see `Trie.expand`."""
        size, first = self._sizes[len(self._asked)], self._next
        self._asked.append((np.asarray(states), first))
        self._next += len(states) * size
        child = np.arange(first, self._next)
        return np.repeat(np.arange(len(states)), size), np.tile(np.arange(size), len(states)), child

    def sids(self, states: IntArray) -> IntArray:
        """Return the SIDs (n, L) of states of full depth."""
        out = np.empty((len(states), self.depth), np.int64)
        for position in range(self.depth - 1, -1, -1):
            parents, first = self._asked[position]
            parent, out[:, position] = np.divmod(states - first, self._sizes[position])
            states = parents[parent]
        return out


class FreeDecoder:
    """Beam search over every SID, and what of it holds an item.

    Args:
        model: the sequence model. trie: of the SIDs that hold an item.
    """

    def __init__(self, model: SequenceModel, trie: Trie) -> None:
        self._model, self._trie = model, trie
        sids = trie.sids(np.arange(trie.n_leaves)).astype(np.int64)
        self._leaf = {sid.tobytes(): leaf for leaf, sid in enumerate(sids)}
        self.decoded = 0
        self.lost = 0

    def search(self, memory: Memory, width: int) -> Beams:
        """Return the `width` best SIDs; those without an item are dropped and counted in `lost` (of `decoded`)."""
        every = EverySid(self._model.sizes)
        beams = beam_search(self._model, memory, every, width)
        leaves = np.array([self._leaf.get(sid.tobytes(), -1) for sid in every.sids(beams.states)], np.int64)
        held = leaves >= 0
        self.decoded, self.lost = self.decoded + len(leaves), self.lost + int((~held).sum())
        states = leaves[held] + self._trie.levels[-2]
        return replace(beams, states=states, logp=beams.logp[held])

    @property
    def lost_share(self) -> float:
        """Share of the decoded SIDs that held no item."""
        return self.lost / self.decoded if self.decoded else 0.0


class TrieDecoder(FreeDecoder):
    """The same beam, kept among the SIDs that hold an item: what constraining alone is worth."""

    def search(self, memory: Memory, width: int) -> Beams:
        return beam_search(self._model, memory, self._trie, width)


def build(setup: Setup) -> Built:
    """Decode and rank the artifact of `build_kae` as in the paper; facts tell the share of SIDs without an item."""
    artifact, facts = trained_kae(setup)
    decoder = FreeDecoder(artifact.model, artifact.trie)
    search = paper_system(artifact, decoder)
    for query in _probes(setup):
        search(Asked(query), 350)
    return Built(search, artifact, {**facts, "sids_without_item": round(decoder.lost_share, 4)})


def build_constrained(setup: Setup) -> Built:
    """Decode the artifact of `build_kae` in its trie, but rank as in the paper."""
    artifact, facts = trained_kae(setup)
    return Built(paper_system(artifact, TrieDecoder(artifact.model, artifact.trie)), artifact, facts)


def paper_system(artifact: Artifact, decoder: FreeDecoder) -> System:
    """Take the items of the decoded SIDs, best SID first, the most popular of a SID first."""
    catalog = artifact.catalog
    shelf = Shelf(
        artifact.trie, catalog.leaf_items, Passing(len(catalog))
    )  # within a SID, stored order is popularity order

    def search(asked: Asked, k: int) -> list[str]:
        request = SearchRequest(asked.query, recent_queries=asked.recent_queries, recent_item_ids=asked.recent_item_ids)
        canonical = request.canonical()
        row = artifact.inputs.build(canonical, artifact.kae.encode(canonical).sid, *history(catalog, request))
        (memory,) = artifact.model.encode([row])
        beams = decoder.search(memory, artifact.options.beam_width or BEAMS)
        found = shelf.collect(beams, k, ITEMS_PER_SID)
        return [catalog.ids[place] for place in found.places.tolist()]

    return search


def _probes(setup: Setup) -> list[str]:
    """Return the last distinct queries of the training days."""
    if setup.logs is None:
        return []
    queries: dict[str, None] = {}
    for row in load_log(setup.logs):
        if row.day <= setup.options.last_day and row.query.strip():
            queries.pop(row.query, None)
            queries[row.query] = None
            if len(queries) > PROBES:
                del queries[next(iter(queries))]
    return list(queries)
