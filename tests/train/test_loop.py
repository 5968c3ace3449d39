from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from slotbeam.errors import SetupError
from slotbeam.train.corpus import Corpus
from slotbeam.train.data import DataOptions, Sampler
from slotbeam.train.loop import Trainer, learning_rate
from slotbeam.train.model import ModelOptions, Policy
from slotbeam.train.progress import Reporter
from slotbeam.train.stages import S3, STAGES
from support.training import make_corpus, small_loop

SHAPE = ModelOptions(width=16, encoder_layers=1, heads=2, feedforward=2, max_tokens=32, dropout=0.1)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus()


def trainer(corpus: Corpus, checkpoint: Path | None = None, seed: int = 0, **loop: object) -> Trainer:
    torch.manual_seed(seed)
    model = Policy(SHAPE, corpus.inputs.layout, len(corpus.department_names))
    return Trainer(
        model, Sampler(corpus, DataOptions()), tuple(STAGES), small_loop(**loop), seed, Reporter(True), checkpoint
    )


def weights(run: Trainer) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy() for name, value in run.model.named_parameters()}


def test_a_stopped_and_resumed_run_gives_the_weights_of_an_unbroken_one(corpus: Corpus, tmp_path: Path) -> None:
    whole = trainer(corpus)
    whole.run()
    for stop in (3, 11):  # in two different stages
        trainer_run = trainer(corpus, tmp_path / "c.npz", seed=0)
        trainer_run.resume()
        trainer_run.run(until=stop)
    last = trainer(corpus, tmp_path / "c.npz", seed=0)
    with torch.no_grad():  # whatever it starts from is replaced
        for value in last.model.parameters():
            value.zero_()
    assert last.resume()
    reports = last.run()
    assert all(np.array_equal(array, weights(whole)[name]) for name, array in weights(last).items())
    assert sum(report["steps"] for report in reports.values()) == 24


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(corpus: Corpus) -> None:
    runs = [trainer(corpus, seed=seed, steps=6) for seed in (0, 0, 1)]
    for run in runs:
        run.run()
    one, two, three = (weights(run)["embedding.weight"] for run in runs)
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)


def test_training_learns_the_shop(corpus: Corpus) -> None:
    run = trainer(corpus, steps=160, batch=32)
    reports = run.run()
    assert reports["S3"]["last_loss"] < 0.75 * reports["S3"]["first_loss"]
    assert set(reports) == set(STAGES)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_both_precisions_start_from_the_same_loss(corpus: Corpus, precision: str) -> None:
    run = trainer(corpus, steps=4, precision=precision)
    assert run.run()["S3"]["last_loss"] == pytest.approx(trainer(corpus, steps=4).run()["S3"]["last_loss"], rel=0.03)


def test_a_budget_in_minutes_plans_the_steps(corpus: Corpus) -> None:
    run = trainer(corpus, minutes=0.02)
    run.run()
    assert all(steps >= 20 for steps in run.place.plan)


def test_the_rate_climbs_then_falls_to_its_end() -> None:
    rates = [learning_rate(S3, step, 1000, 1e-3) for step in range(1000)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates[0] < 1e-4
    assert rates[-1] == pytest.approx(1e-3 * S3.end, rel=0.05)


def test_a_damaged_checkpoint_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "c.npz").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(SetupError, match="train again without --resume"):
        trainer(corpus, tmp_path / "c.npz").resume()
