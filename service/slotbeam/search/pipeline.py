"""The read path, from a query to ranked items. This file is the tour: every call is one room of the package."""

from __future__ import annotations

import time

from slotbeam.search.base import decode_base
from slotbeam.search.facts import explain
from slotbeam.search.pinned import decode_pinned, join_shared, pinned_sid
from slotbeam.search.rank import ItemScorer, merge, placement_of, rank_base, rank_bound
from slotbeam.search.request import Answer, Applied, Request, canonical_query, history
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings


def retrieve(snapshot: Snapshot, request: Request, timings: Timings) -> Answer:
    """Answer one query from one snapshot.

    Raises:
        InputError: an empty or over-long query, or a filter that does not fit (`FilterError`).
    """
    artifact = snapshot.artifact
    width = request.beam_width or artifact.options.beam_width  # nothing here may depend on K but the last cut
    clock = time.perf_counter()

    # Text → what it says: base words and bound words are matched by two automata that know nothing of each other.
    canonical = canonical_query(request.query)
    encoded = artifact.kae.encode(canonical)
    words = encoded.words
    limit = request.max_bindings if request.use_bindings else 0
    bound = snapshot.overlay.match(canonical, limit, artifact.is_another_word)
    passed = artifact.catalog.filter_counts(request.filter) if request.filter else None

    # Words → memories: one row for the base group, one for each pinned group.
    recent_queries, recent_sids = history(artifact.catalog, request)
    sids = [encoded.sid, *(pinned_sid(artifact.kae, encoded, match) for match in bound)]
    rows = [artifact.inputs.build(canonical, sid, recent_queries, recent_sids) for sid in sids]
    base_memory, *bound_memories = artifact.model.encode(rows)
    query_vector = artifact.model.query_vector
    timings.add("encode", -(clock - (clock := time.perf_counter())))

    # Memories → SIDs → candidate items, each group in its own trie.
    placement = placement_of(match.pinned for match in bound) if bound else "top"
    beams, blocks = decode_base(snapshot, words, base_memory, passed, width) if placement != "only" else (None, ())
    groups = [
        (match.pinned, query_vector(memory), *decode_pinned(artifact, match.pinned, memory, passed, width))
        for match, memory in zip(bound, bound_memories, strict=True)
    ]
    timings.add("decode", -(clock - (clock := time.perf_counter())))

    # Candidates → one ranked answer.
    scorer = ItemScorer(artifact.catalog, artifact.options)
    base_hits = rank_base(scorer, words, query_vector(base_memory), blocks, request.k)
    bound_groups = join_shared([(p, v, c) for p, v, _, c in groups], passed, artifact.options.candidates)
    bound_hits = rank_bound(scorer, words, bound_groups, request.k)
    hits = merge(bound_hits, base_hits, placement, request.k)
    applied = tuple(
        Applied(m.pinned.id, str(m.pinned.slot), m.match.surface, (m.match.start, m.match.end), len(m.pinned.rows))
        for m in bound
    )
    facts = explain(artifact, encoded, bound, beams, [b for *_, b, _ in groups]) if request.explain else {}
    timings.add("rank", -(clock - (clock := time.perf_counter())))
    return Answer(encoded, applied, hits, facts)
