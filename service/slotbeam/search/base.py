"""The base group: what the query says without bindings, decoded in the base trie."""

from __future__ import annotations

from slotbeam.catalog.table import passing
from slotbeam.decode.beam import Beams, beam_search
from slotbeam.kae.encode import Encoded
from slotbeam.model.protocol import Memory
from slotbeam.search.candidates import Candidates, Shelf
from slotbeam.search.request import Request, canonical_query, history
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import IntArray


def decode_base(
    snapshot: Snapshot, words: str, memory: Memory, passed: IntArray | None, width: int
) -> tuple[Beams, Candidates]:
    """Decode the query SID computed without bindings, in the base trie only: no edit can change what comes out."""
    artifact, options = snapshot.artifact, snapshot.artifact.options
    shelf = Shelf(artifact.trie, artifact.catalog.leaf_items, passed)
    beams = beam_search(
        artifact.model,
        memory,
        artifact.trie,
        width,
        keep=shelf.keep if passed is not None else None,
        stop=(lambda states, depth: shelf.fits(states, depth, options.candidates)) if options.stop_at_range else None,
    )
    found = shelf.collect(beams, options.candidates, options.items_per_sid)
    if options.lexical_candidates:  # a word that the dictionary does not know is still a word
        rows = artifact.catalog.terms.best(words, options.lexical_candidates)
        found = found.joined(rows[passing(passed, rows)], options.candidates)
    return beams, found


def base_candidates(snapshot: Snapshot, request: Request, width: int) -> tuple[Encoded, Memory, Candidates]:
    """What the base group of an unfiltered request is ranked from: its reading, its memory, its candidates.

    Args:
        request: query and history; `retrieve` reads the rest.
        width: beams.

    Raises:
        InputError: an empty or over-long query.
    """
    artifact = snapshot.artifact
    encoded = artifact.kae.encode(canonical_query(request.query))
    row = artifact.inputs.build(encoded.text, encoded.sid, *history(artifact.catalog, request))
    (memory,) = artifact.model.encode([row])
    return encoded, memory, decode_base(snapshot, encoded.words, memory, None, width)[1]
