"""Order candidates by item score; merge the base group and the pinned groups by rank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np

from slotbeam.arrays import run_starts
from slotbeam.catalog.table import Catalog
from slotbeam.catalog.terms import QueryTerms
from slotbeam.search.groups import BaseGroup, PinnedGroup
from slotbeam.search.options import SearchOptions
from slotbeam.search.snapshot import PLACEMENTS, Pinned, Placement
from slotbeam.types import FloatArray, Hit, HitSource, IntArray


@dataclass(frozen=True, slots=True)
class ItemScorer:
    """The item score: a weighted sum of item prior, query · item vector and lexical overlap."""

    catalog: Catalog
    options: SearchOptions
    query_terms: QueryTerms

    def score(self, rows: IntArray, query_vector: FloatArray, logp: FloatArray | None = None) -> FloatArray:
        """Return (n,) float64 item scores of catalog `rows`.

        Args:
            rows: (n,) distinct.
            query_vector: (e,) that of the group which the items are candidates of.
            logp: (n,) of the paper's mode; an item whose SID was not decoded (NaN) counts as the worst one.
        """
        options = self.options
        scores = options.weight_prior * self.catalog.prior[rows].astype(np.float64)
        if logp is not None and options.weight_logp:
            # Not 0 and not −∞: an item that words alone brought competes with the last that a beam brought, and its
            # words decide.
            worst = np.nanmin(logp) if len(logp) and not np.isnan(logp).all() else 0.0
            scores = scores + options.weight_logp * np.where(np.isnan(logp), worst, logp)
        # Exact sums: equal items tie on every processor, and then SID and id decide, not rounding.
        if options.weight_vector and len(query_vector):
            scores = scores + options.weight_vector * self.catalog.closeness(query_vector, rows)
        if options.weight_lexical:
            scores = scores + options.weight_lexical * self.query_terms.overlap(rows).astype(np.float64)
        return np.asarray(scores)


def rank_base(scorer: ItemScorer, base: BaseGroup, k: int) -> list[Hit]:
    """Return the K best of the base group: item score, then SID, then item id."""
    catalog, rows, logp = scorer.catalog, base.candidates.places, base.candidates.logp
    scores = scorer.score(rows, base.query_vector, logp)
    # Few of the candidates are shown: what is below the K-th best score is left out before anything is sorted.
    best = np.flatnonzero(scores >= np.partition(scores, -k)[-k]) if len(scores) > k else np.arange(len(scores))
    leaf = np.searchsorted(catalog.leaf_items, rows[best], side="right")  # leaf order is SID order
    order = best[np.lexsort((catalog.id_ranks[rows[best]], leaf, -scores[best]))[:k]]
    columns = rows[order], scores[order], catalog.sids[rows[order]]
    sid_logp = [None] * len(order) if logp is None else [x if x == x else None for x in logp[order].tolist()]
    return [
        Hit(row, score, tuple(sid), own, HitSource.MODEL)
        for row, score, sid, own in zip(*(column.tolist() for column in columns), sid_logp, strict=True)
    ]


def rank_bound(scorer: ItemScorer, groups: Sequence[PinnedGroup], k: int) -> list[Hit]:
    """Return the K best of the bound block: number of matched bindings the item belongs to, then item score, then id.

    An item that several groups brought is taken with its best score. An item belongs to every matched binding that
    holds it, whichever group brought it. One that comes before a better-scored one takes that one's score.
    """
    if not groups:
        return []
    catalog = scorer.catalog
    # One entry for each candidate of each group: an item that several groups brought has several.
    rows = np.concatenate([group.candidate_rows for group in groups])
    scores = np.concatenate([scorer.score(group.candidate_rows, group.query_vector) for group in groups])
    owner = np.repeat(np.arange(len(groups)), [len(group.candidates.places) for group in groups])
    # Sorted by row, then score: the first of each run is the item's best entry, without a dictionary of some thousand
    # items. Of equal scores the one in the group of the earlier match comes first.
    best = np.lexsort((owner, -scores, rows))
    best = best[run_starts(rows[best])]  # one entry a row: its best score
    # By what bindings hold and not by which group brought the item: a decode may have missed what it shares.
    member = np.stack([np.isin(rows[best], group.pinned.rows) for group in groups])  # (groups, n)
    # Ids tie by their rank among all ids: an integer, so that no string is compared while a query waits.
    order = np.lexsort((catalog.id_ranks[rows[best]], -scores[best], -member.sum(axis=0)))
    shown = np.maximum.accumulate(scores[best][order][::-1])[::-1]  # of all, so that no score depends on K
    hits = []
    for i, score in zip(order[:k].tolist(), shown[:k].tolist(), strict=True):
        entry = int(best[i])
        row, slot = int(rows[entry]), groups[int(owner[entry])].pinned.slot
        # The SID under which the group found it: its base SID with the bound slot. The table keeps the base SID alone.
        sid = list(catalog.sid(row))
        sid[slot.position] = slot.index
        held_by = tuple(group.pinned.id for group, holds in zip(groups, member[:, i], strict=True) if holds)
        hits.append(Hit(row, score, tuple(sid), None, HitSource.BINDING, held_by))
    return hits


def placement_of(pinned: Iterable[Pinned]) -> Placement:
    """Return the strongest placement, `only` > `top` > `blend`; of none, `top`."""
    return min((each.placement for each in pinned), key=PLACEMENTS.index, default=Placement.TOP)


def merge(bound: list[Hit], base: list[Hit], placement: Placement, k: int) -> list[Hit]:
    """Merge by rank, never by raw score; an item appears once, where it comes first.

    Args:
        bound: the K best of the bound block; scores never rise from one to the next.
        base: likewise, of the base group.
        placement: `top`: the bound block first; `blend`: alternate ranks; `only`: the bound block alone.
        k: K.

    Returns:
        At most K hits, the first of those for any larger K. Their scores never rise from one to the next: a hit that
        the merge put above a better-scored one takes that one's score, so that sorting by score reproduces this order.
    """
    if placement == Placement.BLEND:
        # By rank: each group answers an input of its own, so raw scores of two groups do not compare.
        merged = [hit for pair in zip_longest(bound, base) for hit in pair if hit is not None]
    else:
        merged = list(bound) if placement == Placement.ONLY else bound + base
    for i in range(len(merged) - 2, -1, -1):  # before any is left out: the better one may be beyond K, or come twice
        if merged[i].score < merged[i + 1].score:
            merged[i] = replace(merged[i], score=merged[i + 1].score)
    first: dict[int, Hit] = {}
    for hit in merged:
        first.setdefault(hit.row, hit)
    return list(first.values())[:k]
