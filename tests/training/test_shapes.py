"""A policy is trained in the shape that there is time for, and what is chosen is said."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from slotbeam.errors import InputError
from slotbeam_train.budget import Budget
from slotbeam_train.options import PRESETS, TrainOptions, preset
from slotbeam_train.policy.model import ModelOptions
from slotbeam_train.progress import Reporter
from slotbeam_train.shapes import SMALL_BELOW, check_shape, shaped, small
from slotbeam_train.stages.corpus import Corpus
from support.training import make_corpus

SHAPE = ModelOptions(width=16, encoder_layers=3, heads=2, feedforward=2, max_tokens=32)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus()


def options(steps: int, **changes: str) -> TrainOptions:
    tiny = preset("tiny", steps=steps, batch=8, device="cpu", threads=1)
    return replace(tiny, model=SHAPE, **changes)  # type: ignore[arg-type]


def slow(seconds: float) -> Budget:
    """A budget whose clock is a second later each time that it is read: so a step takes a second."""
    ticks = count()
    return Budget(seconds, lambda: float(next(ticks)))


def choose(corpus: Corpus, kept: Path, wanted: TrainOptions, budget: Budget | None = None) -> TrainOptions:
    return shaped(wanted, corpus, "S3", Reporter(), kept, budget)


def test_steps_that_all_have_time_are_made_in_the_configurations_own_shape(corpus: Corpus, tmp_path: Path) -> None:
    chosen = choose(corpus, tmp_path / "shape", options(steps=500), slow(1000.0))
    assert (chosen.shape, chosen.model) == ("full", SHAPE)


def test_enough_steps_to_learn_from_keep_the_shape_however_many_are_wanted(corpus: Corpus, tmp_path: Path) -> None:
    chosen = choose(corpus, tmp_path / "shape", options(steps=20 * SMALL_BELOW), slow(1.5 * SMALL_BELOW))
    assert chosen.model == SHAPE


def test_one_step_is_timed_however_much_of_the_time_has_passed(corpus: Corpus, tmp_path: Path) -> None:
    late = slow(1000.0)
    while late.left > 500.0:
        pass
    assert choose(corpus, tmp_path / "shape", options(steps=100), late).shape == "full"


def test_where_most_steps_have_no_time_a_smaller_shape_is_taken_and_said(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = choose(corpus, tmp_path / "shape", options(steps=2 * SMALL_BELOW), slow(SMALL_BELOW / 2))
    assert (chosen.shape, chosen.model) == ("small", small(SHAPE))
    said = " ".join(capsys.readouterr().err.split())
    assert "a step takes 1000 ms" in said
    assert "d = 8 for 16, 2 for 3 encoder layers (--shape full" in said


def test_a_fixed_number_of_steps_keeps_the_shape_and_a_shape_that_is_asked_for_is_taken(
    corpus: Corpus, tmp_path: Path
) -> None:
    assert choose(corpus, tmp_path / "one", options(steps=10_000)).model == SHAPE
    assert choose(corpus, tmp_path / "two", options(steps=10_000, shape="full"), slow(50.0)).model == SHAPE
    assert choose(corpus, tmp_path / "three", options(steps=1, shape="small")).model == small(SHAPE)


def test_a_resumed_training_keeps_its_shape(corpus: Corpus, tmp_path: Path) -> None:
    kept = tmp_path / "shape"
    assert choose(corpus, kept, options(steps=10 * SMALL_BELOW), slow(SMALL_BELOW / 2)).shape == "small"
    assert choose(corpus, kept, options(steps=1), slow(1000.0)).shape == "small"


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_configuration_has_a_smaller_shape_that_can_be_built(name: str) -> None:
    own = preset(name).model
    less = small(own)
    assert less.width < own.width
    assert less.width % less.heads == 0
    assert 1 <= less.encoder_layers <= own.encoder_layers


def test_a_shape_that_does_not_exist_or_that_a_refresh_cannot_have_is_refused() -> None:
    with pytest.raises(InputError, match="allowed: auto, full, small"):
        check_shape("medium", refreshes=False)
    with pytest.raises(InputError, match="leave --from or --shape out"):
        check_shape("small", refreshes=True)
