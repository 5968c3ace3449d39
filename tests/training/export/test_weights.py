"""Fitting the item score: what a fit promises, against a search that knows the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from slotbeam.catalog.item import Interaction
from slotbeam.search.artifact import Artifact
from slotbeam.search.options import WEIGHTS, SearchOptions
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings
from slotbeam_train.export.weights import LEAST, fit_weights, last_taken
from support.shop import BRANDS, COLORS, ENTITIES, make_items, make_shop
from support.training import make_log

NONE: dict[str, Any] = dict.fromkeys(WEIGHTS, 0.0)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"), n=200, beam_width=400)


def questions() -> Iterator[str]:
    return (f"{color} {brand} {entity}" for color in COLORS for brand in BRANDS for entity in ENTITIES)


def taken_by(shop: Artifact, **weights: float) -> list[Interaction]:
    """Return a log of users who take the best item by these weights alone."""
    snapshot = Snapshot(replace(shop, options=replace(shop.options, **{**NONE, **weights})))
    found = ((query, retrieve(snapshot, SearchRequest(query, k=1), Timings()).hits) for query in questions())
    return [Interaction(query, shop.catalog.ids[hits[0].row], "click", 1, "u") for query, hits in found if hits]


@pytest.mark.parametrize("name", WEIGHTS)
def test_what_users_go_by_orders_the_answers(shop: Artifact, name: str) -> None:
    """The best answer by fitted weights is as good, by the users' own measure, as the one they took."""
    log = taken_by(shop, **{name: 1.0})
    fitted = Snapshot(replace(shop, options=fit_weights(shop, log)))
    own = Snapshot(replace(shop, options=replace(shop.options, **{**NONE, name: 1.0})))
    as_good = []
    for one in log:
        first = retrieve(fitted, SearchRequest(one.query, k=1), Timings()).hits[0].row
        ranked = retrieve(own, SearchRequest(one.query, k=len(shop.catalog)), Timings()).hits
        scores = {hit.row: hit.score for hit in ranked}
        taken = shop.catalog.row_of(one.item_id)
        assert taken is not None
        as_good.append(scores[first] >= scores[taken] - 1e-6)
    assert np.mean(as_good) > 0.8


def test_no_weight_is_negative_and_nothing_else_changes(shop: Artifact) -> None:
    catalog = shop.catalog
    dull = catalog.ids[int(np.argmin(catalog.prior))]  # users who take the least popular item
    fitted = fit_weights(shop, [Interaction(query, dull, "click", 1, "u") for query in questions()])
    assert all(getattr(fitted, name) >= 0 for name in WEIGHTS)
    assert fitted.with_weights_of(shop.options) == shop.options


def test_too_few_answers_leave_the_weights_alone(shop: Artifact) -> None:
    assert fit_weights(shop, taken_by(shop, weight_prior=1.0)[: LEAST - 1]) == shop.options
    elsewhere = [Interaction("red mug", "no such item", "click", 1, "u")] * 100
    assert fit_weights(shop, elsewhere) == shop.options


def test_the_weights_of_other_options_are_taken_and_the_rest_is_kept() -> None:
    mixed = SearchOptions(beam_width=7).with_weights_of(SearchOptions(beam_width=9, weight_vector=3.0))
    assert mixed == SearchOptions(beam_width=7, weight_vector=3.0)


def test_the_last_day_is_what_is_fitted_to(shop: Artifact) -> None:
    elsewhere = Interaction("red mug", "no such item", "click", 30, "u")
    log = [elsewhere, *make_log(make_items(60))]
    last = last_taken(log, shop.catalog, 5, seed=0)
    assert len(last) == 5
    assert {row.day for row in last} == {30}
    assert last == last_taken(log, shop.catalog, 5, seed=0)
    assert elsewhere not in last_taken(log, shop.catalog, len(log), seed=0)
    assert last_taken([], shop.catalog, 5, seed=0) == []
