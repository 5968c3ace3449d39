"""The items of rules come first: the last thing that happens to a ranked answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slotbeam.arrays import among, distinct
from slotbeam.search.groups import PinnedGroup
from slotbeam.search.rank import ItemScorer
from slotbeam.types import FloatArray, Hits, IntArray


def put_first(
    scorer: ItemScorer, rows: IntArray, groups: Sequence[PinnedGroup], hits: Hits, query_vector: FloatArray, k: int
) -> Hits:
    """Return the first K of `rows` and, behind them, of the hits that are not among these.

    Nothing that is said of an item depends on K: of one that comes first it is its base SID and its own item score, or
    that of a better-scored one behind it.

    Args:
        scorer: of the query.
        rows: (p,) of the items that come first, in order, distinct.
        groups: the pinned groups of the query, in the order of `hits.bindings`.
        hits: the K + p best, scores never rise from one to the next.
        query_vector: (e,) that of the base group.
        k: K.
    """
    if not len(rows):
        return hits
    held = np.stack([np.isin(rows, group.rows) for group in groups], axis=1) if hits.bindings else None
    first = Hits(
        rows,
        scorer.score(rows, query_vector),
        scorer.catalog.sids.take(rows, axis=0),
        None,
        np.zeros((len(rows), 0), np.bool_) if held is None else held,
        hits.bindings,
    )
    rest = hits.take(~among(distinct(rows), hits.rows)) if len(hits) else hits
    joined = first.and_(rest) if len(rest) else first
    scores = np.maximum.accumulate(joined.scores[::-1])[::-1]
    return joined.scored(scores).placed(len(rows))[:k]
