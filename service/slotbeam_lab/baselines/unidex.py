"""Semantic ids in an inverted index, without decoding: UniDex in small (Li et al. 2025, arXiv:2509.24632).

UniDex replaces the terms of an inverted index by semantic ids: a model gives a query and an item several discrete ids
each, items that share an id with the query are candidates (UniTouch), and vectors order them (UniRank). Here an id is
one slot of a SID, named by its position: KAE gives an item at most one a position, and a query as many as it has words
for. Candidates are the items with the largest sum of the inverse document frequencies of shared ids; the order is by
our own query vector · item vector. No SID is generated, and no word of a text is compared.
"""

from __future__ import annotations

import numpy as np

from slotbeam.kae.codebook import EMPTY
from slotbeam.search.artifact import Artifact
from slotbeam.search.request import SearchRequest, history
from slotbeam.types import FloatArray, IntArray, Sid
from slotbeam_lab.baselines.bm25 import best_rows
from slotbeam_lab.baselines.registry import Built, Setup
from slotbeam_lab.baselines.systems import trained_kae
from slotbeam_lab.measures.run import Asked

CANDIDATES = 2000
"""Items that vectors order, as many as the paper's mode of slotbeam takes."""


class SlotIndex:
    """Posting lists of an artifact's slots.

    Args:
        artifact: whose SIDs, dictionary, encoder and item vectors are used.
        candidates: items a query that vectors order, at most.
    """

    def __init__(self, artifact: Artifact, candidates: int = CANDIDATES) -> None:
        self._artifact, self._candidates = artifact, candidates
        sids = np.asarray(artifact.catalog.sids)
        self._postings: dict[tuple[int, int], IntArray] = {}
        for position, column in enumerate(sids.T):
            order = np.argsort(column, kind="stable")
            slots, first = np.unique(column[order], return_index=True)
            for slot, rows in zip(slots.tolist(), np.split(order, first[1:]), strict=True):
                if slot != EMPTY:
                    self._postings[position, slot] = rows

    def shared(self, sid: Sid) -> FloatArray:
        """Return (N,) the sum of log(N / items of the id) over the ids that a query SID and each item share."""
        n = len(self._artifact.catalog)
        shared = np.zeros(n)
        for position_and_slot in enumerate(sid):
            rows = self._postings.get(position_and_slot)
            if rows is not None:
                shared[rows] += np.log(n / len(rows))
        return shared

    def search(self, asked: Asked, k: int) -> list[str]:
        """Return the ids of the `k` best items; none when no item shares an id with the query."""
        artifact, catalog = self._artifact, self._artifact.catalog
        request = SearchRequest(asked.query, recent_queries=asked.recent_queries, recent_item_ids=asked.recent_item_ids)
        encoded = artifact.kae.encode(request.canonical())
        shared = self.shared(encoded.sid)
        rows = best_rows(shared, min(self._candidates, int(np.count_nonzero(shared))))
        (memory,) = artifact.model.encode(
            [artifact.inputs.build(encoded.text, encoded.sid, *history(catalog, request))]
        )
        # Rows are the most shared first, so equally close ones stay in that order.
        nearest = best_rows(catalog.closeness(artifact.model.query_vector(memory), rows), k)
        return [catalog.ids[row] for row in rows[nearest].tolist()]


def build(setup: Setup) -> Built:
    """Index the slots of the artifact that `kae` is, which is trained at most once."""
    artifact, facts = trained_kae(setup)
    return Built(SlotIndex(artifact).search, facts=facts)
