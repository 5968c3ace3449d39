"""The base group: what the query says without bindings, decoded in the base trie."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from slotbeam.catalog.table import passing
from slotbeam.catalog.terms import QueryTerms
from slotbeam.decode.beam import Beams, beam_search
from slotbeam.model.protocol import Memory
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Candidates, Shelf
from slotbeam.search.request import SearchRequest, history
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import IntArray


def decode_base(
    artifact: Artifact, query_terms: QueryTerms, memory: Memory, filter_counts: IntArray | None, width: int
) -> tuple[Beams, Iterator[Candidates]]:
    """Decode the query SID computed without bindings, in the base trie only: no edit can change what comes out.

    Returns:
        The beams, and blocks of candidates. The first one is what they brought; those behind it are made when they are
        asked for, fill an answer that it cannot, and rank behind it: so no block depends on how many are wanted.
    """
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
        rows = query_terms.best(options.lexical_candidates)
        brought = brought.joined(rows[passing(filter_counts, rows)], options.candidates)
    # Lazily, since most answers end with the first block: what lies beside the beams is for wide pages and narrow
    # filters.
    beside = shelf.beside(beams, brought.places, options.candidates, options.items_per_sid)
    return beams, chain((brought,), beside)


def base_candidates(snapshot: Snapshot, request: SearchRequest) -> tuple[QueryTerms, Memory, Candidates]:
    """Return what the base group of an unfiltered request is ranked from: its terms, its memory, its candidates.

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
    _, blocks = decode_base(artifact, query_terms, memory, None, width)
    return query_terms, memory, next(blocks)
