"""The table of items that are held in memory: tests, and whoever has few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import orjson

from slotbeam.arrays import Strings
from slotbeam.catalog.columns import Columns
from slotbeam.catalog.fields import FieldKind, Fields
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import id_hash, item_text
from slotbeam.catalog.terms import term_hash, terms_tell
from slotbeam.catalog.writer import write_table
from slotbeam.language.fold import PLAIN, Folding
from slotbeam.language.normalize import normalize
from slotbeam.language.tokens import codes
from slotbeam.types import IntArray


def write_catalog(
    directory: Path,
    items: Sequence[Item],
    sids: IntArray,
    concept_terms: Sequence[Iterable[str]] | None = None,
    vectors: IntArray | None = None,
    folding: Folding = PLAIN,
) -> dict[str, FieldKind]:
    """Write the table of items that are held in memory.

    Args:
        directory: made when missing.
        items: N items, in any order.
        sids: (N, L), in their order.
        concept_terms: (N,) terms beside those of the texts (`kae.encode.Encoded.concept_terms`); default: none.
        vectors: (N, e) int8, in their order; default: none, e = 0.
        folding: of their language.

    Returns:
        The fields' kinds, for the manifest.

    Raises:
        InputError: two items share an id.
    """
    return write_table(directory, [columns_of(items, sids, concept_terms, vectors, folding)]).kinds


def columns_of(
    items: Sequence[Item],
    sids: IntArray,
    concept_terms: Sequence[Iterable[str]] | None = None,
    vectors: IntArray | None = None,
    folding: Folding = PLAIN,
) -> Columns:
    """Return the columns of items that are held in memory; arguments as for `write_catalog`."""
    texts = [item_text(item) for item in items]
    more = concept_terms or [()] * len(items)
    # What an item is called says more of it than what else is said: its title counts twice.
    titles = [normalize(item.title) for item in items]
    terms = [
        [*(term for part in parts for term in (*folding.terms(part), *codes(part))), *concepts]
        for *parts, concepts in zip(titles, texts, more, strict=True)
    ]
    hashes = [np.array(list(map(term_hash, own)), np.uint32) for own in terms]
    return Columns(
        ids=Strings.of([item.id for item in items]),
        titles=Strings.of([item.title for item in items]),
        texts=Strings.of(texts),
        sources=Strings.of_bytes([item_source(item) for item in items]),
        terms=Strings.of_bytes([own.tobytes() for own in hashes]),
        popularity=np.array([item.popularity for item in items], np.float64),
        sids=np.asarray(sids, np.int32).reshape(len(items), -1),
        vectors=np.zeros((len(items), 0), np.int8) if vectors is None else np.asarray(vectors, np.int8),
        text_vectors=np.zeros((len(items), 0), np.int8),
        text_lists=np.zeros(len(items), np.int32),
        id_hashes=np.array([id_hash(item.id) for item in items], np.uint64),
        reread=~np.array(list(map(terms_tell, texts)), np.bool_),
        fields=Fields.of([item.fields for item in items]),
    )


def item_source(item: Item) -> bytes:
    """Return an item as a line of a catalog in JSON lines."""
    row = {"id": item.id, "title": item.title, "description": item.description, "attributes": item.attributes}
    return orjson.dumps({**row, "fields": item.fields, "popularity": item.popularity})
