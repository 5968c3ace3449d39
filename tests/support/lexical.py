"""The words of texts, indexed in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slotbeam.catalog.postingsbuilder import PostingsBuilder
from slotbeam.catalog.terms import TermIndex, term_hash
from slotbeam.language.fold import Folding

ENGLISH = Folding("en")


def index_of(texts: Sequence[str], folding: Folding = ENGLISH) -> TermIndex:
    """Return the terms of `texts` (N canonical texts, in row order)."""
    builder = PostingsBuilder()
    for text in texts:
        hashes = [term_hash(term) for term in folding.terms(text)]
        builder.add(np.array(hashes, np.uint32), np.array([len(hashes)]))
    return TermIndex(*builder.finish(), folding)
