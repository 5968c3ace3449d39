"""The groups of a query, decoded: the base group in the base trie, a pinned group in each binding's mini-trie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from slotbeam.arrays import running_totals
from slotbeam.catalog.table import passing
from slotbeam.catalog.terms import QueryTerms
from slotbeam.decode.beam import Beams, beam_search
from slotbeam.kae.encode import Encoded, Kae
from slotbeam.model.protocol import Memory
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Candidates, Shelf
from slotbeam.search.request import MAX_K, SearchRequest, history
from slotbeam.search.snapshot import BoundMatch, Pinned, Snapshot
from slotbeam.types import FloatArray, IntArray, Sid


@dataclass(frozen=True, slots=True, eq=False)
class BaseGroup:
    """The base group, decoded.

    Attributes:
        query_vector: (e,) its own: the query SID in it knows no binding.
        beams: of the base trie.
        blocks: candidates, whose places are catalog rows. The first block is what the beams brought; those behind it
            are made when they are asked for, fill an answer that it cannot, and rank behind it: so no block depends on
            how many are wanted.
    """

    query_vector: FloatArray
    beams: Beams
    blocks: Iterator[Candidates]


def decode_base(
    artifact: Artifact, query_terms: QueryTerms, memory: Memory, filter_counts: IntArray | None, width: int
) -> BaseGroup:
    """Decode the query SID computed without bindings, in the base trie only: no edit can change what comes out."""
    options = artifact.options
    shelf = Shelf(artifact.trie, artifact.catalog.leaf_items, filter_counts)
    beams = beam_search(
        artifact.model,
        memory,
        artifact.trie,
        width,
        keep=shelf.keep,
        stop=(lambda states, depth: shelf.fits(states, depth, options.candidates)) if options.stop_at_range else None,
    )
    brought = shelf.collect(beams, options.candidates, options.items_per_sid)
    if options.lexical_candidates:  # a word that the dictionary does not know is still a word
        rows = query_terms.best(options.lexical_candidates, filter_counts)
        brought = brought.joined(rows, options.candidates)
    # Lazily, since most answers end with the first block: what lies beside the beams is for wide pages and narrow
    # filters.
    beside = shelf.beside(beams, brought.places, options.candidates, options.items_per_sid)
    return BaseGroup(artifact.model.query_vector(memory), beams, chain((brought,), beside))


@dataclass(frozen=True, slots=True, eq=False)
class PinnedGroup:
    """One pinned group, decoded.

    Attributes:
        pinned: its binding.
        query_vector: (e,) its own: the query SID in it holds the bound slot.
        beams: of its mini-trie.
        candidates: places among `pinned.rows`.
    """

    pinned: Pinned
    query_vector: FloatArray
    beams: Beams
    candidates: Candidates

    @property
    def candidate_rows(self) -> IntArray:
        """(n,) the catalog row of each candidate."""
        return self.pinned.rows[self.candidates.places]


def pinned_sid(kae: Kae, encoded: Encoded, bound: BoundMatch) -> Sid:
    """Return the query SID inside a pinned group.

    The bound word overrides the base matches it overlaps, and its slot takes its position.
    """
    # Encoded anew with the bound span closed: a base word that it overlaps may have hidden another, which now counts.
    sid = list(kae.encode(encoded.text, blocked=[(bound.match.start, bound.match.end)]).sid)
    sid[bound.pinned.slot.position] = bound.pinned.slot.index
    return tuple(sid)


def decode_pinned(
    artifact: Artifact, pinned: Pinned, memory: Memory, filter_counts: IntArray | None, width: int
) -> PinnedGroup:
    """Decode inside one binding's mini-trie; a binding with at most `width` SIDs is decoded exhaustively.

    Returns:
        The group, with at least min(MAX_K, items that pass the filter) candidates: where the beams leave that unfilled,
        the mini-trie's other leaves are walked in stored order. As many for every K: a candidate more could come first.
    """
    if filter_counts is not None:  # counted anew over this binding's items, which are no range of the catalog's rows
        filter_counts = running_totals(passing(filter_counts, pinned.rows), np.int32)
    # No `stop`: a mini-trie is decoded to its end, so that with few items every one has the score of its full SID.
    shelf = Shelf(pinned.trie, pinned.leaf_items, filter_counts)
    beams = beam_search(artifact.model, memory, pinned.trie, width, keep=shelf.keep)
    # Without a cap for each SID: an operator bound these items, each of them.
    candidates = shelf.collect(beams, max(MAX_K, artifact.options.candidates))
    if len(candidates.places) < MAX_K:
        candidates = candidates.followed_by(shelf.walk(candidates.places, MAX_K - len(candidates.places)))
    return PinnedGroup(pinned, artifact.model.query_vector(memory), beams, candidates)


def join_shared(groups: Sequence[PinnedGroup], filter_counts: IntArray | None, limit: int) -> Sequence[PinnedGroup]:
    """Add to every group the items that it shares with another: they rank first, and a decode may have missed them."""
    if len(groups) < 2:
        return groups
    # An item in two matched bindings goes before all that are in one, so it has to be a candidate of both.
    rows, holders = np.unique(np.concatenate([group.pinned.rows for group in groups]), return_counts=True)
    shared = rows[(holders > 1) & passing(filter_counts, rows)]
    return [replace(group, candidates=_joined(group, shared, limit)) for group in groups]


def _joined(group: PinnedGroup, shared: IntArray, limit: int) -> Candidates:
    places = np.flatnonzero(np.isin(group.pinned.rows, shared))
    return group.candidates.joined(places, max(limit, len(group.candidates.places)))


def explain(
    artifact: Artifact,
    encoded: Encoded,
    bound: Sequence[BoundMatch],
    base: BaseGroup | None,
    pinned: Sequence[PinnedGroup],
) -> dict[str, Any]:
    """Return JSON-ready facts: how the text was read, what was overridden, what each group decoded."""
    decoded = [("base", base.beams)] if base else []
    decoded += [(group.pinned.id, group.beams) for group in pinned]
    return {
        "canonical": encoded.text,
        "words": [{**asdict(fact), "slot": str(fact.slot)} for fact in artifact.kae.explain(encoded.text)],
        "overridden": {match.pinned.id: overridden(artifact, encoded, match) for match in bound},
        "groups": [
            {"group": name, "beams": len(beams.states), "depth": beams.depth, "expanded": beams.expanded}
            for name, beams in decoded
        ],
    }


def overridden(artifact: Artifact, encoded: Encoded, bound: BoundMatch) -> list[dict[str, Any]]:
    """Return the base words that a bound word overrides in its pinned group, and the slots they hold."""
    codebook = artifact.kae.codebook
    return [
        {"word": base.surface, "span": [base.start, base.end], "slot": str(codebook.slot_of(base.concept))}
        for base in encoded.matches
        if base.start < bound.match.end and base.end > bound.match.start
    ]


def base_candidates(snapshot: Snapshot, request: SearchRequest) -> tuple[QueryTerms, FloatArray, Candidates]:
    """Return what the base group of an unfiltered request is ranked from: terms, query vector (e,), candidates.

    Args:
        snapshot: of which the artifact is read.
        request: query, history and beam width; `retrieve` reads the rest.

    Raises:
        InputError: an empty or over-long query.
    """
    artifact = snapshot.artifact
    encoded = artifact.kae.encode(request.canonical())
    query_terms = artifact.catalog.terms.read(encoded.lexical_text)
    (memory,) = artifact.model.encode(
        [artifact.inputs.build(encoded.text, encoded.sid, *history(artifact.catalog, request))]
    )
    width = request.beam_width or artifact.options.beam_width
    base = decode_base(artifact, query_terms, memory, None, width)
    return query_terms, base.query_vector, next(base.blocks)
