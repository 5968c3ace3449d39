"""The groups of a query, decoded: the base group in the base trie, a pinned group in each binding's mini-trie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from slotbeam.arrays import among, distinct
from slotbeam.catalog.delta.catalog import LiveCatalog
from slotbeam.catalog.delta.passing import LivePassing
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.terms import QueryTerms
from slotbeam.decode.beam import Beams
from slotbeam.decode.frontier import Opened
from slotbeam.kae.encode import Encoded, Kae
from slotbeam.model.protocol import Memory
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Candidates, Shelf
from slotbeam.search.liveshelf import LiveShelf
from slotbeam.search.request import SearchRequest, history
from slotbeam.search.snapshot import BoundMatch, Pinned, Snapshot
from slotbeam.types import FloatArray, IntArray, Sid


@dataclass(frozen=True, slots=True, eq=False)
class BaseGroup:
    """The base group, decoded.

    Attributes:
        query_vector: (e,) its own: the query SID in it knows no binding.
        decoded: ranges that were opened, or the beams of the paper's mode.
        lexical: (w,) rows that the query's words brought, the largest overlap first.
        near: (t,) rows that its text vector brought, the nearest first.
        candidates: places are catalog rows. None of it depends on how many items are wanted.
    """

    query_vector: FloatArray
    decoded: Opened | Beams
    lexical: IntArray
    near: IntArray
    candidates: Candidates


def shelf_of(artifact: Artifact, passing: Passing) -> Shelf | LiveShelf:
    """Return the items of the base trie, live ones among them, seen through a filter."""
    if isinstance(artifact.catalog, LiveCatalog) and isinstance(passing, LivePassing):
        return LiveShelf(artifact.trie, artifact.catalog, passing)
    return Shelf(artifact.trie, artifact.catalog.leaf_items, passing)


def decode_base(
    artifact: Artifact,
    query_terms: QueryTerms,
    text_vector: FloatArray,
    memory: Memory,
    passing: Passing,
    width: int | None = None,
) -> BaseGroup:
    """Decode the query SID computed without bindings, in the base trie only: no edit can change what comes out.

    Args:
        artifact: what is searched.
        query_terms: of the query; its words bring candidates, too.
        text_vector: (m,) of the query; what it is near to is a candidate, too.
        memory: of the base group's input row.
        passing: the rows that may be answered.
        width: None opens ranges by budget; B decodes full SIDs, as the paper does.
    """
    options = artifact.options
    shelf = shelf_of(artifact, passing)
    decoded: Opened | Beams
    if width is None:
        decoded, candidates = shelf.open(artifact.model, memory, options.budget)
    else:
        decoded = shelf.decode(artifact.model, memory, width)
        candidates = shelf.collect(decoded, options.candidates, options.items_per_sid)
    # A word that the dictionary does not know is still a word.
    lexical = query_terms.best(options.lexical_candidates, passing)
    # Nor does a dictionary know all that a word may mean.
    near = artifact.catalog.text_index.nearest(text_vector, options.text_candidates, options.text_rows, passing)
    return BaseGroup(artifact.model.query_vector(memory), decoded, lexical, near, candidates.joined(lexical, near))


@dataclass(frozen=True, slots=True, eq=False)
class PinnedGroup:
    """One pinned group, decoded.

    Attributes:
        pinned: its binding.
        query_vector: (e,) its own: the query SID in it holds the bound slot.
        decoded: ranges of its mini-trie; one range where it holds no more items than the budget.
        candidates: places among `pinned.rows`.
        own: the places that count.
    """

    pinned: Pinned
    query_vector: FloatArray
    decoded: Opened
    candidates: Candidates
    own: Passing

    @property
    def rows(self) -> IntArray:
        """(m,) the catalog rows of all items of the binding that count."""
        return self.pinned.rows if self.own.is_everything else self.pinned.rows[self.own.members()]

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
    sid[bound.pinned.slot.position] = kae.codebook.decoded_as(bound.pinned.slot)
    return tuple(sid)


def decode_pinned(artifact: Artifact, pinned: Pinned, memory: Memory, passing: Passing) -> PinnedGroup:
    """Open ranges of one binding's mini-trie: an operator bound these items, so a budget's worth of them is scored."""
    # Counted anew over this binding's items, which are no range of the catalog's rows.
    own = Passing(len(pinned.rows)) if passing.is_everything else Passing.of(passing.holds(pinned.rows))
    if pinned.when:
        own = Passing.of(own.holds(np.arange(own.n)) & artifact.catalog.passing(pinned.when).holds(pinned.rows))
    shelf = Shelf(pinned.trie, pinned.leaf_items, own)
    decoded, candidates = shelf.open(artifact.model, memory, artifact.options.budget)
    return PinnedGroup(pinned, artifact.model.query_vector(memory), decoded, candidates, own)


def join_shared(groups: Sequence[PinnedGroup]) -> Sequence[PinnedGroup]:
    """Add to every group the items that it shares with another: they rank first, and a budget may have missed them."""
    if len(groups) < 2:
        return groups
    # An item in two matched bindings goes before all that are in one, so it has to be a candidate of both.
    rows, holders = np.unique(np.concatenate([group.rows for group in groups]), return_counts=True)
    shared = rows[holders > 1]
    return [
        replace(
            group,
            candidates=group.candidates.joined(_counting(group, np.flatnonzero(among(shared, group.pinned.rows)))),
        )
        for group in groups
    ]


def _counting(group: PinnedGroup, places: IntArray) -> IntArray:
    return places[group.own.holds(places)]


def candidate_rows(base: BaseGroup | None, pinned: Sequence[PinnedGroup], first: IntArray) -> IntArray:
    """Return (n,) the rows of the candidates of all groups and of those that rules put `first`, each once."""
    own = np.empty(0, np.int64) if base is None else base.candidates.places
    return distinct(np.concatenate([own, first, *(group.candidate_rows for group in pinned)]).astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class BaseReading:
    """What a query says without bindings: its terms, SID, text vector (m,), the memory of its row, its vector (e,)."""

    terms: QueryTerms
    sid: Sid
    text_vector: FloatArray
    memory: Memory
    vector: FloatArray


def read_base(artifact: Artifact, request: SearchRequest) -> BaseReading:
    """Return what `retrieve` reads of a query for its base group, without bindings.

    Args:
        artifact: what reads it.
        request: query and history; nothing else is looked at.

    Raises:
        InputError: an empty or over-long query.
    """
    encoded = artifact.kae.encode(request.canonical())
    (memory,) = artifact.model.encode(
        [artifact.inputs.build(encoded.text, encoded.sid, *history(artifact.catalog, request))]
    )
    terms = artifact.catalog.terms.read(encoded.text, encoded.concept_terms)
    text_vector, vector = artifact.text_vector(encoded.text), artifact.model.query_vector(memory)
    return BaseReading(terms, encoded.sid, text_vector, memory, vector)


def base_candidates(snapshot: Snapshot, request: SearchRequest) -> tuple[BaseReading, BaseGroup]:
    """Return what the base group of an unfiltered request is ranked from: what the query says, and the group.

    Args:
        snapshot: of which the artifact is read.
        request: query, history and beam width; `retrieve` reads the rest.

    Raises:
        InputError: an empty or over-long query.
    """
    artifact = snapshot.artifact
    read = read_base(artifact, request)
    everything = artifact.catalog.passing()
    width = request.beam_width or artifact.options.beam_width
    return read, decode_base(artifact, read.terms, read.text_vector, read.memory, everything, width)
