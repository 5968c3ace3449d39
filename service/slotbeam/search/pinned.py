"""The pinned group of one binding: its query SID, its exhaustive-when-small decode, what it shares with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from slotbeam.arrays import running_totals
from slotbeam.catalog.table import passing
from slotbeam.decode.beam import Beams, beam_search
from slotbeam.kae.encode import Encoded, Kae
from slotbeam.model.protocol import Memory
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Candidates, Shelf
from slotbeam.search.request import MAX_K
from slotbeam.search.snapshot import BoundMatch, Pinned
from slotbeam.types import FloatArray, IntArray, Sid


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
    def rows(self) -> IntArray:
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
