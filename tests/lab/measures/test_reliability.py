"""Reliability: by its definition, on a few pairs and on a world that is as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slotbeam.search.artifact import Artifact
from slotbeam_lab.measures.reliability import (
    Bin,
    auc,
    calibration_error,
    draw_reliability,
    reliability,
    said_of_others,
)


def test_bins_hold_what_is_said_about_the_same() -> None:
    said, true = np.array([0.0, 0.05, 0.42, 0.48, 1.0]), np.array([False, False, True, False, True])
    bins = reliability(said, true)
    assert [own.pairs for own in bins] == [2, 2, 1]
    assert np.allclose([own[1:] for own in bins], [(0.025, 0.0), (0.45, 0.5), (1.0, 1.0)])
    assert calibration_error(said, true) == pytest.approx((2 * 0.025 + 2 * 0.05) / 5)


def test_what_comes_true_as_often_as_it_says_has_a_small_error_and_its_contrary_a_large_one() -> None:
    rng = np.random.default_rng(0)
    said = rng.random(20_000)
    true = rng.random(20_000) < said
    assert calibration_error(said, true) < 0.02
    assert calibration_error(1 - said, true) > 0.4


def test_auc_is_the_share_of_pairs_in_order_and_ties_are_half() -> None:
    assert auc([3, 2], [1, 0]) == 1
    assert auc([1], [1]) == 0.5
    assert auc([0, 2], [1, 1]) == 0.5


def test_every_judged_pair_is_said_once_by_a_fit_that_saw_none_of_its_query(shop: Artifact) -> None:
    ids = list(shop.catalog.ids.take(np.arange(40)))
    judged = {query: {item: i % 3 == n for i, item in enumerate(ids)} for n, query in enumerate(("mug", "red", "acme"))}
    said, true = said_of_others(shop, judged, folds=3)
    assert len(said) == len(true) == 120
    assert int(true.sum()) == sum(sum(own.values()) for own in judged.values())
    assert ((said >= 0) & (said <= 1)).all()


def test_a_curve_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    draw_reliability({"shop": [Bin(2, 0.1, 0.2)]}, tmp_path / "plots" / "reliability.png")
    assert (tmp_path / "plots" / "reliability.png").stat().st_size > 1000
