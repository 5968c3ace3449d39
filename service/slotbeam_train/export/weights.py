"""The weights of the item score, fitted at the end of training on what users took from real candidates.

A listwise logistic regression: softmax over a query's candidates of the weighted features, against the item that was
taken. The features are the ones that serving computes, so nothing is estimated of a thing that is not asked later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from typing import Any

import numpy as np
from scipy.optimize import minimize

from slotbeam.catalog.item import Interaction
from slotbeam.catalog.table import Catalog
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact, save_manifest
from slotbeam.search.groups import base_candidates
from slotbeam.search.options import WEIGHTS, SearchOptions
from slotbeam.search.rank import ItemScorer
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import FloatArray
from slotbeam_train.budget import Budget
from slotbeam_train.export.agreement import Fit
from slotbeam_train.export.calibrate import CALIBRATED, fit_calibration
from slotbeam_train.export.scanbudget import QUERIES, choose_budget

LEAST = 30
"""Queries whose item is a candidate that a fit needs; with fewer the weights stay as they are."""
RIDGE = 1e-3
"""Pull of the squared weights towards 0, each in units of its feature's spread."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates of one query: features (n, weights), and which one was taken."""

    features: FloatArray
    taken: int


def fit_weights(artifact: Artifact, taken: Sequence[Interaction], budget: Budget | None = None) -> SearchOptions:
    """Return the artifact's search options with weights fitted to what was taken; none of them is negative.

    Args:
        artifact: as it will be served.
        taken: queries, their histories, and the item that each led to. Those whose item is no candidate teach nothing.
        budget: what it may take; when that is used up the queries that were decoded have to do.
    """
    asked = takewhile(lambda _: budget is None or budget.left > 0, taken)
    choices = [choice for choice in (_choice(artifact, row) for row in asked) if choice is not None]
    if len(choices) < LEAST:
        return artifact.options
    spread = np.mean([choice.features.std(axis=0) for choice in choices], axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        """Mean negative log-likelihood in nats, and its gradient; weights are in units of the spread."""
        total, slope = RIDGE * float(weights @ weights), 2 * RIDGE * weights
        for choice in choices:
            features = choice.features / scale
            scores = features @ weights
            chance = np.exp(scores - scores.max())
            chance /= chance.sum()
            total -= float(np.log(chance[choice.taken] + 1e-300)) / len(choices)
            slope = slope - (features[choice.taken] - chance @ features) / len(choices)
        return total, slope

    start = np.array([getattr(artifact.options, name) for name in WEIGHTS]) * scale
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(WEIGHTS))
    fitted: dict[str, Any] = {name: round(float(value), 4) for name, value in zip(WEIGHTS, best.x / scale, strict=True)}
    return replace(artifact.options, **fitted)


def fit_manifest(
    artifact: Artifact,
    log: Sequence[Interaction],
    count: int,
    seed: int,
    budget: Budget | None = None,
    otherwise: Fit | None = None,
) -> SearchOptions:
    """Fit the scan budget, the weights and the calibration to the log's last day; write them into the manifest.

    Args:
        artifact: as it will be served.
        log: interactions that may be learned from.
        count: interactions that the weights are fitted to, at most; 0 leaves all as it is.
        seed: which interactions these are.
        budget: what all of this may take.
        otherwise: what gives the weights where there is no log.
    """
    if not count:
        return artifact.options
    taken = last_taken(log, artifact.catalog, max(count, QUERIES), seed)
    scan = choose_budget(artifact, taken, seed, budget.part(0.5) if budget else None)
    artifact = replace(artifact, options=replace(artifact.options, scan_budget=scan.rows))
    fitted = fit_weights(artifact, taken[:count], budget) if taken or otherwise is None else otherwise(artifact)
    if budget is None or budget.left > 0:
        own = replace(artifact, options=fitted)
        fitted = replace(fitted, calibration=fit_calibration(own, taken, seed, min(count, CALIBRATED)))
    model = artifact.manifest.get("model", {})
    metrics = {**model.get("metrics", {}), "candidate_recall": {str(n): r for n, r in scan.recall.items()}}
    told = {"search": asdict(fitted), "model": {**model, "metrics": metrics}}
    save_manifest(artifact.directory, {**artifact.manifest, **told})
    return fitted


def last_taken(log: Sequence[Interaction], catalog: Catalog, count: int, seed: int) -> list[Interaction]:
    """Draw at most `count` interactions of the log's last day that lead to an item of `catalog`; none without a log.

    Queries made from the catalog are no stand-in: their targets are drawn, not chosen, so they teach too little trust
    in words (docs/log-2026-11.md).
    """
    last = max((row.day for row in log), default=0)
    day = [row for row in log if row.day == last and normalize(row.query) and catalog.row_of(row.item_id) is not None]
    return [day[i] for i in np.random.default_rng([seed, 4]).permutation(len(day))[:count].tolist()]


def _choice(artifact: Artifact, row: Interaction) -> Choice | None:
    """Return the candidates of a query as serving would score them; None where the item is not among them."""
    catalog = artifact.catalog
    request = SearchRequest(row.query, recent_queries=row.recent_queries, recent_item_ids=row.recent_item_ids)
    read, base = base_candidates(Snapshot(artifact), request)
    places = base.candidates.places
    place = np.flatnonzero(places == catalog.row_of(row.item_id))
    if not len(place):
        return None
    none: dict[str, Any] = dict.fromkeys(WEIGHTS, 0.0)
    alone = [replace(artifact.options, **{**none, name: 1.0}) for name in WEIGHTS]
    scorers = [ItemScorer(catalog, options, read.terms, read.sid, read.text_vector) for options in alone]
    columns = [scorer.score(places, base.query_vector) for scorer in scorers]
    return Choice(np.stack(columns, axis=1), int(place[0]))
