"""The weight of the item vectors where there is no log: as much of it as a teacher agrees to, which may be none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from slotbeam.catalog.item import Item
from slotbeam.search.artifact import Artifact
from slotbeam.search.groups import base_candidates
from slotbeam.search.options import SearchOptions
from slotbeam.search.rank import ItemScorer
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import FloatArray
from slotbeam_train.budget import Budget
from slotbeam_train.export.calibrate import asked_of
from slotbeam_train.teacher import Teacher
from slotbeam_train.texts.lessons import passage

SHARES = (0.0, 0.25, 0.5, 1.0)
"""Of the weight that the named configuration gives item vectors."""
JUDGED = 200
"""Queries made of titles that a teacher judges the answers to."""
FIRST = 10
"""Items of an answer that are judged."""

Fit = Callable[[Artifact], SearchOptions]


def agreeing(teacher: Teacher, items: Sequence[Item], seed: int, budget: Budget | None = None) -> Fit:
    """Return what gives an artifact the share of item vectors whose answers a teacher likes best; of equals the least.

    Words, shared slots and text vectors stay as the named configuration has them: each knows something of its own. The
    item vectors of a training without a log know only what the catalog's own queries taught them.

    Args:
        teacher: judges an item by the cosine with the query, all components.
        items: that it has read; others are not judged.
        seed: of the queries.
        budget: when it is used up, the queries that were answered have to do.
    """

    def fit(artifact: Artifact) -> SearchOptions:
        options = artifact.options
        rows, _ = artifact.catalog.rows_of([item.id for item in items])
        taught = np.full((len(artifact.catalog), teacher.width), np.nan, np.float32)
        taught[rows] = teacher.encode([passage(item) for item in items])
        queries = [asked.query for asked in asked_of(artifact.catalog, JUDGED, np.random.default_rng([seed, 8]))]
        meant = teacher.encode(queries, queries=True)
        asked = takewhile(lambda _: budget is None or budget.left > 0, zip(queries, meant, strict=True))
        liked = [_liked(artifact, query, taught, vector) for query, vector in asked]
        if not liked:
            return options
        return replace(options, weight_vector=SHARES[int(np.argmax(np.mean(liked, axis=0)))] * options.weight_vector)

    return fit


def _liked(artifact: Artifact, query: str, taught: FloatArray, meant: FloatArray) -> list[float]:
    """Return for each share how much a teacher likes the first items: discounted by rank, over the best possible."""
    read, base = base_candidates(Snapshot(artifact), SearchRequest(query))
    places = base.candidates.places[~np.isnan(taught[base.candidates.places, 0])]
    if not len(places):
        return [0.0] * len(SHARES)
    worth = taught[places] @ meant
    discount = 1 / np.log2(np.arange(2, FIRST + 2))[: len(places)]
    best = float(np.sort(worth)[::-1][:FIRST] @ discount)
    silent = replace(artifact.options, weight_vector=0.0)
    others = ItemScorer(artifact.catalog, silent, read.terms, read.sid, read.text_vector).score(
        places, base.query_vector
    )
    close = artifact.options.weight_vector * artifact.catalog.closeness(base.query_vector, places)
    first = (np.argsort(-(others + share * close), kind="stable")[:FIRST] for share in SHARES)
    return [float(worth[own] @ discount) / max(best, 1e-9) for own in first]
