"""Which shape of the policy a training has the time for: its configuration's own, or a smaller one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from slotbeam.errors import InputError
from slotbeam_train.budget import FEW_STEPS, Budget
from slotbeam_train.options import TrainOptions
from slotbeam_train.policy.model import ModelOptions, Policy
from slotbeam_train.progress import Reporter
from slotbeam_train.stages.corpus import Corpus
from slotbeam_train.stages.data import Sampler
from slotbeam_train.stages.lessons import policy_trainer

SHAPES = ("auto", "full", "small")
SMALL_BELOW = 1000
"""Steps that a configuration's own shape has to have time for: of fewer the small one learned more in as long."""
PROBE_STEPS = 6
"""Steps that are timed of a shape at most, after one that warms up."""
PROBE_SHARE = 0.03
"""Of the stages' time that they may have taken when the next of them is begun; there is one at least."""


def check_shape(shape: str, refreshes: bool) -> None:
    """Raise `InputError` for a shape that does not exist, or that an artifact to refresh has already."""
    if shape not in SHAPES:
        raise InputError(f"shape {shape!r} is unknown; allowed: {', '.join(SHAPES)}")
    if refreshes and shape != "auto":
        raise InputError(f"--from keeps the shape of its policy, so it cannot be {shape}; leave --from or --shape out")


def small(model: ModelOptions) -> ModelOptions:
    """Return half the width and two thirds of the encoder's layers."""
    layers = max(1, round(2 / 3 * model.encoder_layers))
    return replace(model, width=model.width // 2, encoder_layers=layers)


def shaped(
    options: TrainOptions, corpus: Corpus, stage: str, reporter: Reporter, kept: Path, budget: Budget | None = None
) -> TrainOptions:
    """Return the configuration with the shape that is trained, and say which where there was a choice.

    Args:
        options: `shape` says which; of `auto` a few steps decide, where there is a budget.
        corpus: that the steps are made of.
        stage: the last one, which has most of the steps.
        kept: file that holds the choice of the run that is resumed, or takes this one's.
        budget: of the stages; None: the number of steps is fixed, so there is nothing to choose.
    """
    if options.shape != "auto":
        chosen = options.shape
    elif kept.is_file():
        chosen = kept.read_text("utf-8")
    elif budget is None:
        chosen = "full"
    else:
        step_s = seconds_a_step(options, corpus, stage, budget)
        fit, own, less = int(budget.left / step_s), options.model, small(options.model)
        chosen = "full" if fit >= min(SMALL_BELOW, FEW_STEPS * options.loop.steps) else "small"
        said = f"a step takes {1000 * step_s:.0f} ms: {fit} of {options.loop.steps} steps have time"
        if chosen == "small":
            said += (
                f", so a smaller shape is trained: d = {less.width} for {own.width}, {less.encoder_layers} for "
                f"{own.encoder_layers} encoder layers (--shape full keeps the configuration's own)"
            )
        reporter.say(said)
    kept.write_text(chosen, "utf-8")
    return replace(options, shape=chosen, model=small(options.model) if chosen == "small" else options.model)


def seconds_a_step(options: TrainOptions, corpus: Corpus, stage: str, budget: Budget) -> float:
    """Return what a step of a stage takes here and now, by a few of a policy that is thrown away."""
    policy = Policy(options.model, corpus.inputs.layout, len(corpus.department_names))
    loop = replace(options.loop, steps=PROBE_STEPS + 2, minutes=None)
    sampler = Sampler(corpus, options.data)
    trainer = policy_trainer(policy, sampler, [stage], loop, options.seed, Reporter(quiet=True))
    taken: list[float] = []
    while not taken or (len(taken) <= PROBE_STEPS and sum(taken) <= PROBE_SHARE * budget.seconds):
        began = budget.clock()
        trainer.run(until=1)
        taken.append(budget.clock() - began)
    return max(float(np.median(taken[1:] or taken)), 1e-6)
