"""What a request makes of ranked hits: the relevant ones, one of each value, another order; the same for every K."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slotbeam.catalog.fields import Field, Fields
from slotbeam.search.request import MAX_K, SearchRequest, SortKey
from slotbeam.search.snapshot import Placement
from slotbeam.types import BoolArray, FloatArray, Hits, IntArray


def arrange(hits: Hits, fields: Fields, request: SearchRequest, placement: Placement) -> Hits:
    """Return the hits that are shown, or what pages of them are made of.

    Args:
        hits: `request.ranked` of them, best first, judged.
        fields: of the catalog.
        request: which field to collapse by, what to sort by.
        placement: with `top` and `only` the items of bindings come first in any order; those that rules put first
            come before them, as they are.
    """
    if request.min_relevance and hits.relevance is not None:
        hits = hits[:MAX_K].take((hits.relevance[:MAX_K] >= request.min_relevance) | hits.leading[:MAX_K])
    if request.collapse is not None:
        hits = hits.take(_first_of_each(fields[request.collapse].at(hits.rows)))
    if request.sort:
        hits = hits[:MAX_K]
        hits = hits.take(_order(hits, fields, request.sort, bound_first=placement != Placement.BLEND))
    return hits[: request.wanted]


def _first_of_each(values: Field) -> IntArray:
    """Return (m,) the places of the first item of each value, and of every item that has none."""
    shown = ~values.present
    shown[np.unique(values.values, return_index=True)[1]] = True
    return np.flatnonzero(shown)


def _order(hits: Hits, fields: Fields, keys: Sequence[SortKey], bound_first: bool) -> IntArray:
    """Return (n,) places in the order of the keys; an item without a value comes last, equal ones stay as they are."""
    columns: list[BoolArray | FloatArray] = [] if hits.positioned is None else [_in_place(hits.positioned)]
    columns += [~hits.bound] if bound_first else []
    for key in keys:
        values = fields[key.field].at(hits.rows)
        # A keyword's code is its place among the sorted keywords.
        numbers = np.where(values.present, values.values, 0).astype(np.float64)
        columns += [~values.present, -numbers if key.descending else numbers]
    return np.lexsort(columns[::-1])  # stable; its last key comes first


def _in_place(positioned: BoolArray) -> FloatArray:
    """Return (n,) the places of those that rules put where they are, and one behind them for all others."""
    return np.where(positioned, np.arange(len(positioned)), len(positioned)).astype(np.float64)
