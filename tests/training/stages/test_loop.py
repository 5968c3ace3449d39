from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from slotbeam.errors import InputError, SetupError
from slotbeam_train.budget import Budget
from slotbeam_train.policy.model import ModelOptions, Policy
from slotbeam_train.progress import Reporter
from slotbeam_train.stages.corpus import Corpus
from slotbeam_train.stages.data import DataOptions, Sampler
from slotbeam_train.stages.lessons import policy_trainer
from slotbeam_train.stages.loop import Trainer, learning_rate, precision_of
from slotbeam_train.stages.stages import S3, STAGES
from support.training import make_corpus, small_loop

SHAPE = ModelOptions(width=16, encoder_layers=1, heads=2, feedforward=2, max_tokens=32, dropout=0.1)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus()


def trainer(corpus: Corpus, checkpoint: Path | None = None, seed: int = 0, **loop: object) -> Trainer:
    torch.manual_seed(seed)
    model = Policy(SHAPE, corpus.inputs.layout, len(corpus.department_names))
    return policy_trainer(
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


def test_bfloat16_is_taken_where_the_processor_multiplies_it_or_where_it_is_asked_for() -> None:
    cpu = torch.device("cpu")
    assert precision_of("auto", cpu, lambda: True) is torch.bfloat16
    assert precision_of("auto", cpu, lambda: False) is torch.float32
    assert precision_of("bfloat16", cpu, lambda: False) is torch.bfloat16
    assert precision_of("float32", cpu, lambda: True) is torch.float32
    with pytest.raises(InputError, match="allowed: auto, float32, bfloat16"):
        precision_of("float16", cpu)


class Slow:
    """A clock that nothing but training moves: step n takes the seconds that `takes` says."""

    def __init__(self, run: Trainer, takes: Callable[[int], float]) -> None:
        self.now, self.steps, self.takes = 0.0, 0, takes
        run.lessons = [(stage, self.slowed(loss)) for stage, loss in run.lessons]

    def __call__(self) -> float:
        return self.now

    def slowed(self, loss: Callable[[int], torch.Tensor]) -> Callable[[int], torch.Tensor]:
        def slow(step: int) -> torch.Tensor:
            self.now += self.takes(self.steps)
            self.steps += 1
            return loss(step)

        return slow


def always(seconds: float) -> Callable[[int], float]:
    return lambda step: seconds


def timed(
    corpus: Corpus, seconds: float, takes: Callable[[int], float], checkpoint: Path | None = None
) -> tuple[Trainer, Slow]:
    run = trainer(corpus, checkpoint)
    clock = Slow(run, takes)
    run.budget = Budget(seconds, clock)
    return run, clock


def test_the_stages_share_their_time_and_end_with_it(corpus: Corpus) -> None:
    run, clock = timed(corpus, 60.0, always(1.0))
    reports = run.run()
    assert clock.now == pytest.approx(60.0, abs=2)
    assert [report["steps"] for report in reports.values()] == pytest.approx([3, 12, 6, 39], abs=1)
    assert run.place.plan == [report["steps"] for report in reports.values()]


@pytest.mark.parametrize("slower", [2, 10, 1000])
def test_the_stages_end_with_their_time_where_steps_suddenly_take_longer(corpus: Corpus, slower: float) -> None:
    run, clock = timed(corpus, 60.0, lambda step: 1.0 if step < 4 else slower)
    assert list(run.run()) == list(STAGES)
    late = clock.steps - 4
    assert clock.now <= 60.0 + 2 * slower or late <= len(STAGES), "half a step a stage, or one at least"


def test_by_the_clock_the_rate_falls_to_its_end_however_many_steps_there_are(corpus: Corpus) -> None:
    for pace in (1.0, 3.0):
        run, _ = timed(corpus, 60.0, always(pace))
        run.run()
        assert run.optimizer.param_groups[0]["lr"] < 0.1 * run.options.rate


def test_a_budget_that_is_used_up_leaves_one_step_a_stage(corpus: Corpus) -> None:
    run, _ = timed(corpus, 0.0, always(5.0))
    reports = run.run()
    assert run.place.plan == [1, 1, 1, 1]
    assert all(np.isfinite(report["last_loss"]) for report in reports.values())


def test_a_run_by_the_clock_goes_on_where_it_stopped(corpus: Corpus, tmp_path: Path) -> None:
    run, _ = timed(corpus, 100.0, always(1.0), tmp_path / "c.npz")
    run.run(until=60)
    assert run.place.stage == 3
    assert run.place.step == pytest.approx(25, abs=1)
    again, clock = timed(corpus, 20.0, always(1.0), tmp_path / "c.npz")
    assert again.resume()
    assert again.place.along == pytest.approx(25 / 65, abs=0.03)
    again.run()
    assert clock.now == pytest.approx(20.0, abs=1)
    assert again.place.plan[3] == run.place.step + clock.steps


def test_minutes_of_training_alone_are_kept_by_the_clock(corpus: Corpus) -> None:
    run = trainer(corpus, minutes=0.01)
    run.run()
    assert run.budget is not None
    assert run.budget.seconds == pytest.approx(0.6)


def test_the_rate_climbs_then_falls_to_its_end() -> None:
    rates = [learning_rate(S3, step, 1000, 1e-3) for step in range(1000)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates[0] < 1e-4
    assert rates[-1] == pytest.approx(1e-3 * S3.end, rel=0.05)


def test_a_damaged_checkpoint_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "c.npz").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(SetupError, match="train again without --resume"):
        trainer(corpus, tmp_path / "c.npz").resume()
