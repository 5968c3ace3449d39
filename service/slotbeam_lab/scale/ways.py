"""One query, answered in other ways than the served one: with a part of the search taken out or put in.

The served way is the pipeline's own steps in its own order; a test holds it to `retrieve`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from slotbeam.catalog.passing import Passing
from slotbeam.decode.frontier import Opened, ScanBudget, Worth, mass_per_row, open_ranges
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Candidates, Shelf
from slotbeam.search.groups import BaseGroup, BaseReading, read_base
from slotbeam.search.options import SearchOptions
from slotbeam.search.rank import ItemScorer, rank_base
from slotbeam.search.request import SearchRequest
from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.baselines.inverted import InvertedFile
from slotbeam_lab.measures.run import Asked

NEAREST = 1500
"""Rows of an inverted file that are scored: those closest to the query, which its scan has found anyway."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a query is answered.

    Attributes:
        options: of the search. budget: what its ranges hold. worth: which of them are opened first.
        first_slot: weight of the first slot's log-probability in the item score.
        lists, probes: an inverted file in place of the decoder, and how many of its lists are looked at.
    """

    options: SearchOptions
    budget: ScanBudget
    worth: Worth = mass_per_row
    first_slot: float = 0.0
    lists: InvertedFile | None = None
    probes: int = 0

    @classmethod
    def served(cls, artifact: Artifact) -> Way:
        """Return the named configuration."""
        return cls(artifact.options, artifact.options.budget)

    def scanning(self, rows: int) -> Way:
        """Return this way with a budget of `rows` rows: of all of them, nothing is decoded."""
        return replace(self, budget=replace(self.budget, rows=rows))


def read(artifact: Artifact, asked: Asked) -> BaseReading:
    """Read a query as the base group does."""
    request = SearchRequest(asked.query, recent_queries=asked.recent_queries, recent_item_ids=asked.recent_item_ids)
    return read_base(artifact, request)


def opened(artifact: Artifact, reading: BaseReading, way: Way) -> Opened:
    """Open ranges of the base trie."""
    shelf = Shelf(artifact.trie, artifact.catalog.leaf_items, Passing(len(artifact.catalog)))
    return open_ranges(artifact.model, reading.memory, shelf, way.budget, way.worth)


def answer(artifact: Artifact, asked: Asked, k: int, way: Way) -> list[str]:
    """Return the ids of the `k` best items."""
    reading = read(artifact, asked)
    if way.lists is not None:
        candidates = Candidates(way.lists.nearest(reading.vector, way.probes, NEAREST))
    else:
        ranges = opened(artifact, reading, way)
        order = np.argsort(ranges.start)
        everything = Passing(len(artifact.catalog))
        candidates = Candidates(everything.rows(ranges.start[order], ranges.stop[order]))
    lexical = reading.terms.best(way.options.lexical_candidates)
    options = way.options
    if way.first_slot:
        options = replace(options, weight_logp=way.first_slot)
        candidates = replace(candidates, logp=_first_slot(artifact, reading, candidates.places))
    text_index, everything = artifact.catalog.text_index, Passing(len(artifact.catalog))
    near = text_index.nearest(reading.text_vector, options.text_candidates, options.text_rows, everything)
    group = BaseGroup(reading.vector, _NOTHING, lexical, near, candidates.joined(lexical, near))
    hits = rank_base(ItemScorer(artifact.catalog, options, reading.terms, reading.sid, reading.text_vector), group, k)
    return [artifact.catalog.ids[row] for row in hits.rows.tolist()]


_EMPTY = np.empty(0, np.int64)
_NOTHING = Opened(_EMPTY, _EMPTY, _EMPTY, _EMPTY, np.empty(0), 0, 0)
"""What a group was decoded to, which its ranking does not read."""


def _first_slot(artifact: Artifact, reading: BaseReading, rows: IntArray) -> FloatArray:
    logp, _ = artifact.model.step(reading.memory, 0, None, _EMPTY, _EMPTY)
    return np.asarray(logp[0, artifact.catalog.sids[rows, 0]], np.float64)


def mass_alone(logp: FloatArray, counts: IntArray) -> FloatArray:
    """Return the log-probability, however many rows a range has."""
    return logp


def parts(artifact: Artifact) -> Mapping[str, Way]:
    """Return label → the served way with one part taken out, put in or changed. Weights are not fitted again."""
    served = Way.served(artifact)

    def scored(**changes: float) -> Way:
        return replace(served, options=replace(served.options, **changes))  # type: ignore[arg-type]

    def budgeted(**changes: int) -> Way:
        return replace(served, budget=replace(served.budget, **changes))

    return {
        SERVED: served,
        "no ranges: words' candidates alone": budgeted(rows=0),
        "one decoder step": budgeted(steps=1),
        "width 1": budgeted(width=1),
        "ranges by mass alone": replace(served, worth=mass_alone),
        "no vectors in the score": scored(weight_vector=0.0),
        "no words in the score": scored(weight_lexical=0.0),
        "no candidates from words": scored(lexical_candidates=0),
        "no words at all": scored(weight_lexical=0.0, lexical_candidates=0),
        "no prior": scored(weight_prior=0.0),
        "first slot's log-probability in the score, weight 0.1": replace(served, first_slot=0.1),
        "first slot's log-probability in the score, weight 0.3": replace(served, first_slot=0.3),
    }


SERVED = "as served"
