"""The read path, from a query to ranked items. This file is the tour: every call is one room of the package."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slotbeam.search.arrange import arrange
from slotbeam.search.explain import explain
from slotbeam.search.facets import count_facets
from slotbeam.search.groups import candidate_rows, decode_base, decode_pinned, join_shared, pinned_sid
from slotbeam.search.rank import ItemScorer, held_by, merge, placement_of, rank_base, rank_bound, rank_popular
from slotbeam.search.reading import read_query
from slotbeam.search.request import Answer, Applied, SearchRequest, history
from slotbeam.search.rules.positions import put_first
from slotbeam.search.snapshot import Placement, Snapshot
from slotbeam.search.unwanted import unwanted
from slotbeam.search.words import look_up
from slotbeam.search.worth import Judge
from slotbeam.types import Hits, QueryStage, Timings


def retrieve(snapshot: Snapshot, request: SearchRequest, timings: Timings) -> Answer:
    """Answer one query from one snapshot.

    Raises:
        InputError: an empty or over-long query, a field that the catalog does not have (`FieldError`), or a filter
            that does not fit (`FilterError`).
    """
    artifact, catalog, options = snapshot.artifact, snapshot.artifact.catalog, snapshot.artifact.options
    width = request.beam_width or options.beam_width  # None but in the paper's mode

    with timings.stage(QueryStage.ENCODE):
        # Text → what it says: base words and bound words are matched by two automata that know nothing of each other.
        # Rules come first: they say what is read in place of a word, and which words are filters and aliases.
        reading = read_query(snapshot, request)
        bound, rules = reading.bound, reading.rules
        encoded = artifact.kae.encode(reading.text)
        words = look_up(encoded, [(match.match.start, match.match.end) for match in bound], catalog, rules.terms)
        request.check_fields(catalog.fields)
        text_vector = artifact.text_vector(encoded.text)
        passing = catalog.passing(request.filter, *reading.applied, *rules.filters)
        excluded = np.array(catalog.rows_of(request.exclude_ids)[0], np.int64)
        passing = passing.without(np.concatenate([excluded, rules.hidden(catalog, snapshot.hidden)]))

        # Words → memories: one input row for the base group, one for each pinned group.
        earlier = history(catalog, request)
        sids = [encoded.sid, *(pinned_sid(artifact.kae, encoded, match) for match in bound)]
        base_memory, *bound_memories = artifact.model.encode(
            [artifact.inputs.build(encoded.text, sid, *earlier) for sid in sids]
        )

    with timings.stage(QueryStage.DECODE):
        # Memories → ranges of the trie → candidate items, each group in its own trie. Nothing depends on K.
        placement = placement_of(match.pinned for match in bound)
        # The base group: not where no item of it would be shown, nor where any item would be as good as another.
        known = words.in_base or artifact.has_meaning(encoded.text) or bool(rules.filters)
        unseen = placement == Placement.ONLY or not known
        base = None if unseen else decode_base(artifact, words.terms, text_vector, base_memory, passing, width)
        pinned = [
            decode_pinned(artifact, match.pinned, memory, passing)
            for match, memory in zip(bound, bound_memories, strict=True)
        ]

    with timings.stage(QueryStage.RANK):
        # Candidates → one ranked answer.
        scorer = ItemScorer(catalog, options, words.terms, encoded.sid, text_vector, rules.scores(catalog))
        whole = join_shared(pinned)
        first = rules.positioned(catalog, passing)
        ranked = request.ranked + len(first)
        last = unwanted(artifact, reading.excluded, base.candidates.places) if base else None
        base_hits = rank_base(scorer, base, ranked, last) if base else Hits.none()
        if request.fallback and not known:
            base_hits = rank_popular(scorer, passing, ranked)
        # Nobody knows what a bound word means but who bound it: what is near to the rest of the query goes first.
        rest = replace(scorer, text_vector=artifact.text_vector(reading.unbound)) if bound else scorer
        hits = held_by(whole, merge(rank_bound(rest, whole, ranked), base_hits, placement, ranked))
        vector = artifact.model.query_vector(base_memory)
        hits = put_first(scorer, first, whole, hits, vector, request.ranked)
        judge = Judge(catalog, options.calibration, words, vector, reading.corrected, text_vector)
        hits, confidence = judge.judge(hits)
        hits = arrange(hits, catalog.fields, request, placement)
        rows = candidate_rows(base, whole, first) if request.facets or request.shown is not None else hits.rows[:0]
        facets = count_facets(catalog.fields, request.facets, rows) if request.facets else {}
        page = None
        if request.shown is not None:
            hits, page = request.shown.turn(hits, catalog, request.collapse, request.k, len(rows))
        applied = tuple(Applied.of(match, reading.span(match.match)) for match in bound)
        facts = explain(artifact, reading, encoded, base, pinned, hits, first) if request.explain else {}
    return Answer(encoded, applied, hits, request.fields, facets, facts, reading, words, confidence, page)
