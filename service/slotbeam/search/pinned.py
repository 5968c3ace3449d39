"""The pinned group of one binding: its query SID, its exhaustive-when-small decode, what it shares with others."""

from __future__ import annotations

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

Group = tuple[Pinned, FloatArray, Candidates]
"""One pinned group: its binding, its own query vector, what its decode found."""


def pinned_sid(kae: Kae, encoded: Encoded, bound: BoundMatch) -> Sid:
    """Return the query SID inside a pinned group.

    The bound word overrides the base matches it overlaps, and its slot takes its position.
    """
    sid = list(kae.encode(encoded.text, blocked=[(bound.match.start, bound.match.end)]).sid)
    sid[bound.pinned.slot.position] = bound.pinned.slot.index
    return tuple(sid)


def decode_pinned(
    artifact: Artifact, pinned: Pinned, memory: Memory, passed: IntArray | None, width: int
) -> tuple[Beams, Candidates]:
    """Decode inside one binding's mini-trie; a binding with at most `width` SIDs is decoded exhaustively.

    Returns:
        The beams and at least min(MAX_K, items that pass the filter) candidates: where the beams leave that unfilled,
        the mini-trie's other leaves are walked in stored order. As many for every K: a candidate more could come first.
    """
    local = None
    if passed is not None:  # the filter's running counts, over this binding's items
        local = running_totals(passing(passed, pinned.rows), np.int32)
    shelf = Shelf(pinned.trie, pinned.leaf_items, local)
    keep = shelf.keep if local is not None else None
    beams = beam_search(artifact.model, memory, pinned.trie, width, keep=keep)
    found = shelf.collect(beams, max(MAX_K, artifact.options.candidates))
    if len(found.places) < MAX_K:
        more = shelf.walk(found.places, MAX_K - len(found.places))
        found = Candidates(
            np.concatenate([found.places, more.places]), np.concatenate([found.logp, more.logp]), found.full
        )
    return beams, found


def join_shared(groups: list[Group], passed: IntArray | None, limit: int) -> list[Group]:
    """Add to every group the items that it shares with another: they rank first, and a decode may have missed them."""
    if len(groups) < 2:
        return groups
    rows, holders = np.unique(np.concatenate([pinned.rows for pinned, *_ in groups]), return_counts=True)
    shared = rows[(holders > 1) & passing(passed, rows)]
    return [
        (pinned, vector, found.joined(np.flatnonzero(np.isin(pinned.rows, shared)), max(limit, len(found.places))))
        for pinned, vector, found in groups
    ]
