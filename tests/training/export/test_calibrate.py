"""Relevance and confidence, fitted to a catalog."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from slotbeam.catalog.item import Interaction
from slotbeam.errors import InputError
from slotbeam.search.artifact import Artifact
from slotbeam.search.calibration import BIAS, OF_ANSWER, OF_ITEM, Calibration
from slotbeam_train.export.calibrate import (
    asked_of,
    calibrate,
    confidences,
    evidence_of,
    fit,
    fit_calibration,
    fit_judged,
    judged_evidence,
    nonsense,
)
from support.shop import make_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"), 200)


def test_a_fit_finds_how_likely_what_it_saw_is() -> None:
    """Of a logistic world: 4 000 cases of known odds."""
    rng = np.random.default_rng(0)
    evidence = rng.random((4000, 2))
    chance = 1 / (1 + np.exp(-(4 * evidence[:, 0] - 2)))
    weights = fit(evidence, rng.random(4000) < chance, ("seen", "idle"))
    assert weights["seen"] == pytest.approx(4, abs=0.4)
    assert weights["idle"] == pytest.approx(0, abs=0.3)
    assert weights[BIAS] == pytest.approx(-2, abs=0.3)


def test_evidence_for_something_never_weighs_against_it() -> None:
    evidence = np.linspace(0, 1, 100)[:, None]
    assert fit(evidence, np.arange(100) < 50, ("words",))["words"] == 0


def test_a_fit_tells_queries_of_the_catalog_from_nonsense(shop: Artifact) -> None:
    calibration = fit_calibration(shop, [], 0, 60)
    assert {*calibration.relevance} == {*OF_ITEM, BIAS}
    assert {*calibration.confidence} <= {*OF_ANSWER, BIAS}
    rng = np.random.default_rng(9)
    good = confidences(shop, [one.query for one in asked_of(shop.catalog, 40, rng)])
    bad = confidences(shop, nonsense(shop, 40, rng))
    assert np.mean(good) > np.mean(bad) + 0.3


def test_the_same_seed_fits_the_same(shop: Artifact) -> None:
    assert fit_calibration(shop, [], 3, 30) == fit_calibration(shop, [], 3, 30)


def test_clicks_go_before_queries_made_of_titles(shop: Artifact) -> None:
    """Where every click is on what shares no word with its query, words cannot count for much."""
    ids = shop.catalog.ids.take(np.arange(60))
    titles = shop.catalog.titles.take(np.arange(60))
    right = [Interaction(title, item, "click", 1, "u") for title, item in zip(titles, ids, strict=True)]
    wrong = [Interaction(f"number {n}", item, "click", 1, "u") for n, item in enumerate(reversed(ids))]
    of_right, of_wrong = fit_calibration(shop, right, 0, 60), fit_calibration(shop, wrong, 0, 60)
    assert of_right.relevance["words"] > of_wrong.relevance["words"]


def test_judgements_say_how_relevant_what_is_answered_is(shop: Artifact) -> None:
    every = np.arange(len(shop.catalog))
    pairs = zip(shop.catalog.ids.take(every), shop.catalog.titles.take(every), strict=True)
    mugs = {item: "mug" in title for item, title in pairs}
    judged = {"mug": mugs, "lamp": dict.fromkeys(mugs, False)}
    fitted = fit_calibration(shop, [], 0, 30, judged)
    assert fitted.relevance == fit_judged(shop, judged)
    evidence, labels = judged_evidence(shop, {"mug": mugs})
    said = fitted.relevance_of(evidence)
    assert said[labels].mean() > said[~labels].mean()
    assert evidence_of(shop, "mug", np.arange(3)).shape == (3, len(OF_ITEM))


def test_too_few_judged_pairs_are_refused_and_say_how_many_it_takes(shop: Artifact) -> None:
    with pytest.raises(InputError, match="0 judged pairs are of items of the catalog; give at least 20"):
        fit_judged(shop, {"mug": {"nowhere": True}})


def test_a_calibration_is_written_into_the_manifest_and_read_again(tiny_artifact: Path, tmp_path: Path) -> None:
    copy = tmp_path / "artifact"
    shutil.copytree(tiny_artifact, copy)
    own = Calibration({BIAS: -1.0, "words": 2.0}, {"relevance": 3.0})
    written = calibrate(Artifact.load(copy), own)
    assert json.loads((copy / "manifest.json").read_bytes())["search"] == asdict(written.options)
    assert Artifact.load(copy).options.calibration == own
    assert Artifact.load(tiny_artifact).options.calibration == Calibration()
