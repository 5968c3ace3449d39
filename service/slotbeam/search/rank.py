"""Order candidates by item score; merge the base group and the pinned groups by rank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from slotbeam.arrays import run_starts
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.table import Catalog
from slotbeam.catalog.terms import QueryTerms
from slotbeam.search.groups import BaseGroup, PinnedGroup
from slotbeam.search.options import SearchOptions
from slotbeam.search.snapshot import PLACEMENTS, Pinned, Placement
from slotbeam.types import BoolArray, FloatArray, Hits, HitSource, IntArray, Sid


@dataclass(frozen=True, slots=True)
class ItemScorer:
    """The item score: a weighted sum of its features.

    They are the item prior, query · item vector, the slots that query and item share, the cosine of their text vectors
    and lexical overlap.

    Attributes:
        catalog: of the items.
        options: the weights.
        query_terms: of the query.
        sid: of the query.
        text_vector: (m,) of the query, a unit vector; (0,) where the model had no teacher.
        gains: what items of a set gain by rules, or lose below 0.
    """

    catalog: Catalog
    options: SearchOptions
    query_terms: QueryTerms
    sid: Sid = ()
    text_vector: FloatArray = field(default_factory=lambda: np.empty(0))
    gains: Sequence[tuple[Passing, float]] = ()

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
        if options.weight_slots and any(self.sid):
            scores = scores + options.weight_slots * self.shared_slots(rows)
        if options.weight_text and len(self.text_vector):
            scores = scores + options.weight_text * self.catalog.text_index.closeness(self.text_vector, rows)
        if options.weight_lexical:
            scores = scores + options.weight_lexical * self.query_terms.overlap(rows).astype(np.float64)
        for passing, gain in self.gains:
            scores = scores + gain * passing.holds(rows)
        return np.asarray(scores)

    def shared_slots(self, rows: IntArray) -> FloatArray:
        """Return (n,) in [0, 1] the share of the query's slots, `empty` ones aside, that the SIDs of `rows` have."""
        named = np.flatnonzero(self.sid)
        own = self.catalog.sids.take(rows, axis=0)[:, named] == np.asarray(self.sid, self.catalog.sids.dtype)[named]
        return np.asarray(own.sum(axis=1) / len(named))


def rank_base(scorer: ItemScorer, base: BaseGroup, k: int, last: BoolArray | None = None) -> Hits:
    """Return the K best of the base group: item score, then SID, then item id.

    Args:
        scorer: of the query.
        base: its base group.
        k: K.
        last: (n,) which candidates come behind all others, whatever their scores.
    """
    catalog, rows, logp = scorer.catalog, base.candidates.places, base.candidates.logp
    scores = scorer.score(rows, base.query_vector, logp)
    if last is not None and last.any() and not last.all():
        scores[last] -= max(0.0, scores[last].max() - scores[~last].min()) + 1.0
    # Few of the candidates are shown: what is below the K-th best score is left out before anything is sorted.
    best = np.flatnonzero(scores >= np.partition(scores, -k)[-k]) if len(scores) > k else np.arange(len(scores))
    order = best[np.lexsort((catalog.id_order(rows[best]), catalog.sid_ranks(rows[best]), -scores[best]))[:k]]
    unheld = np.empty((len(order), 0), np.bool_)
    return Hits(rows[order], scores[order], catalog.sids[rows[order]], None if logp is None else logp[order], unheld)


def rank_bound(scorer: ItemScorer, groups: Sequence[PinnedGroup], k: int) -> Hits:
    """Return the K best of the bound block: number of matched bindings the item belongs to, then item score, then id.

    An item that several groups brought is taken with its best score. An item belongs to every matched binding that
    holds it, whichever group brought it. One that comes before a better-scored one takes that one's score.
    """
    if not groups:
        return Hits.none()
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
    member = np.stack([np.isin(rows[best], group.rows) for group in groups])  # (groups, n)
    order = np.lexsort((catalog.id_order(rows[best]), -scores[best], -member.sum(axis=0)))
    shown = np.maximum.accumulate(scores[best][order][::-1])[::-1]  # of all, so that no score depends on K
    entries = best[order[:k]]
    # The SID under which the group found it: its base SID with the bound slot. The table keeps the base SID alone.
    slots = np.array([(group.pinned.slot.position, group.pinned.slot.index) for group in groups])[owner[entries]]
    sids = catalog.sids[rows[entries]].astype(np.int32)
    sids[np.arange(len(entries)), slots[:, 0]] = slots[:, 1]
    ids = tuple(group.pinned.id for group in groups)
    return Hits(rows[entries].astype(np.int64), shown[:k], sids, None, member.T[order[:k]], ids)


def rank_popular(scorer: ItemScorer, passing: Passing, k: int) -> Hits:
    """Return the K most popular items that pass, of those that the catalog keeps as such."""
    catalog = scorer.catalog
    rows = catalog.popular.astype(np.int64)
    rows = rows[passing.holds(rows)][:k]
    scores = scorer.options.weight_prior * catalog.prior[rows].astype(np.float64)
    unheld = np.empty((len(rows), 0), np.bool_)
    return Hits(rows, scores, catalog.sids[rows], None, unheld, others=HitSource.POPULAR)


def placement_of(pinned: Iterable[Pinned]) -> Placement:
    """Return the strongest placement, `only` > `top` > `blend`; of none, `top`."""
    return min((each.placement for each in pinned), key=PLACEMENTS.index, default=Placement.TOP)


def held_by(groups: Sequence[PinnedGroup], hits: Hits) -> Hits:
    """Return merged hits with every binding that holds each: also of those that the base group had further ahead."""
    if not hits.bindings:
        return hits
    return replace(hits, held=np.stack([np.isin(hits.rows, group.rows) for group in groups], axis=1))


def merge(bound: Hits, base: Hits, placement: Placement, k: int) -> Hits:
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
    if not len(bound):
        return base[:k]
    merged = bound if placement == Placement.ONLY or not len(base) else bound.and_(base)
    if placement == Placement.BLEND:
        # By rank: each group answers an input of its own, so raw scores of two groups do not compare.
        rank = np.concatenate([np.arange(len(bound)), np.arange(len(merged) - len(bound))])
        merged = merged.take(np.argsort(rank, kind="stable"))
    # Before any is left out: the better one may be beyond K, or come twice.
    merged = merged.scored(np.maximum.accumulate(merged.scores[::-1])[::-1])
    first = np.sort(np.unique(merged.rows, return_index=True)[1])
    return merged.take(first[:k])
