"""What a policy is taught: each stage's stream of batches, and the loss of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from slotbeam_train.budget import Budget
from slotbeam_train.policy.losses import ItemTable, loss_of
from slotbeam_train.policy.model import Policy
from slotbeam_train.progress import Reporter
from slotbeam_train.stages.corpus import item_bags
from slotbeam_train.stages.data import Sampler, Stream
from slotbeam_train.stages.loop import Lesson, LoopOptions, Trainer, device_of
from slotbeam_train.stages.stages import STAGES, Stage


def policy_trainer(
    model: Policy,
    sampler: Sampler,
    stages: Sequence[str],
    options: LoopOptions,
    seed: int,
    reporter: Reporter,
    checkpoint: Path | None = None,
    budget: Budget | None = None,
) -> Trainer:
    """Prepare the stages of a policy; the other arguments are those of `Trainer`.

    Args:
        sampler: of the corpus. stages: names in `STAGES`, in the order to run.
    """
    corpus, device = sampler.corpus, device_of(options.device)
    bags = torch.from_numpy(item_bags(corpus.inputs, corpus.item_sids, corpus.item_texts))
    items = ItemTable(bags.to(device), torch.from_numpy(corpus.priors).to(device))
    lessons: list[Lesson] = []
    for stage, mix in (STAGES[name] for name in stages):
        stream = Stream(sampler, mix(corpus), options.batch, seed, stage.name)
        lessons.append((stage, partial(_loss, model, stage, stream, items, device)))
    return Trainer(model, lessons, options, seed, reporter, checkpoint, budget)


def _loss(
    model: Policy, stage: Stage, stream: Stream, items: ItemTable, device: torch.device, step: int
) -> torch.Tensor:
    batch = stream.batch(step)
    ids = torch.from_numpy(batch.ids).to(device, non_blocking=True)
    target = torch.from_numpy(batch.target).to(device, non_blocking=True)
    return loss_of(model, batch.kind, ids, target, items, stage.smoothing)
