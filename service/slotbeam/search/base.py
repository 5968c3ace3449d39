"""The base group: what the query says without bindings, decoded in the base trie."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

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
) -> tuple[Beams, Iterator[Candidates]]:
    """Decode the query SID computed without bindings, in the base trie only: no edit can change what comes out.

    Returns:
        The beams, and blocks of candidates. The first one is what they brought; those behind it are made when they are
        asked for, fill an answer that it cannot, and rank behind it: so no block depends on how many are wanted.
    """
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
    beside = shelf.beside(beams, found.places, options.candidates, options.items_per_sid)
    return beams, chain((found,), beside)


def base_candidates(snapshot: Snapshot, request: Request) -> tuple[Encoded, Memory, Candidates]:
    """What the base group of an unfiltered request is ranked from: its reading, its memory, its candidates.

    Args:
        request: query, history and beam width; `retrieve` reads the rest.

    Raises:
        InputError: an empty or over-long query.
    """
    artifact = snapshot.artifact
    encoded = artifact.kae.encode(canonical_query(request.query))
    row = artifact.inputs.build(encoded.text, encoded.sid, *history(artifact.catalog, request))
    (memory,) = artifact.model.encode([row])
    width = request.beam_width or artifact.options.beam_width
    _, blocks = decode_base(snapshot, encoded.words, memory, None, width)
    return encoded, memory, next(blocks)
