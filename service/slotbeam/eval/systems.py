"""Systems to ask: BM25 over a catalog, and an artifact as it would be served."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slotbeam.eval.baselines.bm25 import Bm25
from slotbeam.eval.run import Asked, System
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import decode_base, retrieve
from slotbeam.search.request import MAX_K, Request, canonical_query, history
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings


def bm25_system(index: Bm25) -> System:
    """BM25; it does not look at the history."""
    return lambda asked, k: index.search(asked.query, k)


def artifact_system(artifact: Artifact, lexical: bool = True, history: bool = True) -> System:
    """The served pipeline without bindings.

    Args:
        artifact: loaded.
        lexical: False leaves the lexical feature of the item scorer out.
        history: False hides the user's history.
    """
    if not lexical:
        artifact = replace(artifact, options=replace(artifact.options, weight_lexical=0.0))
    snapshot = Snapshot(artifact)

    def search(asked: Asked, k: int) -> list[str]:
        request = Request(
            asked.query,
            k=min(k, MAX_K),
            recent_queries=asked.recent_queries if history else (),
            recent_item_ids=asked.recent_item_ids if history else (),
            use_bindings=False,
        )
        answer = retrieve(snapshot, request, Timings())
        return [artifact.catalog.ids[hit.row] for hit in answer.hits]

    return search


def candidate_system(artifact: Artifact) -> System:
    """All candidates that the item scorer sees, in beam order: their recall bounds what any order could reach."""
    snapshot = Snapshot(artifact)

    def search(asked: Asked, k: int) -> list[str]:
        catalog = artifact.catalog
        canonical = canonical_query(asked.query)
        sid = artifact.kae.encode(canonical).sid
        request = Request(asked.query, recent_queries=asked.recent_queries, recent_item_ids=asked.recent_item_ids)
        (memory,) = artifact.model.encode([artifact.inputs.build(canonical, sid, *history(catalog, request))])
        _, found = decode_base(snapshot, memory, None, max(min(k, MAX_K), artifact.options.beam_width))
        return [catalog.ids[int(row)] for row in np.asarray(found.places)]

    return search
