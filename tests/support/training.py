"""Small policies and corpora for the tests of model and training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from slotbeam.catalog.item import Interaction, Item
from slotbeam.model.tokenizer import InputBuilder
from slotbeam_train.policy.model import ModelOptions, Policy
from slotbeam_train.stages.corpus import Corpus, build_corpus, item_sids_of
from slotbeam_train.stages.loop import LoopOptions
from slotbeam_train.stages.pseudo import PseudoOptions
from support.shop import make_items, make_kae

SIZES = (7, 30, 12, 5)
WORDS = ("red mug", "blue chair", "acme lamp", "green rug from bolt", "usb c hub", "手机壳 red")
SHAPE = ModelOptions(width=32, encoder_layers=2, decoder_layers=2, heads=4, max_tokens=24)


def make_inputs(sizes: Sequence[int] = SIZES, max_tokens: int = 24) -> InputBuilder:
    return InputBuilder.train(WORDS * 5, 300, sizes, max_tokens)


def make_policy(options: ModelOptions = SHAPE, inputs: InputBuilder | None = None, departments: int = 2) -> Policy:
    """Random weights, large enough that every part of the model matters."""
    torch.manual_seed(7)
    model = Policy(options, (inputs or make_inputs()).layout, departments).eval()
    with torch.no_grad():
        for value in model.parameters():
            value.add_(torch.randn_like(value) * 0.1)
    return model


def make_log(items: Sequence[Item], n: int = 200) -> list[Interaction]:
    """Everyone types an item's title and takes the item; the day's history is the two before."""
    log = []
    for i in range(n):
        item = items[i * 7 % len(items)]
        before = [items[(i - back) * 7 % len(items)] for back in (2, 1)]
        log.append(
            Interaction(
                item.title,
                item.id,
                "order" if i % 5 == 0 else "click",
                1 + i % 30,
                f"u{i % 9}",
                tuple(one.title for one in before),
                tuple(one.id for one in before),
            )
        )
    return log


def make_corpus(n: int = 60, log: bool = True, seed: int = 0, **pseudo: Any) -> Corpus:
    kae, items = make_kae(), make_items(n)
    inputs = InputBuilder.train([item.title for item in items], 300, kae.codebook.sizes, 32)
    _, encoded = item_sids_of(kae, items)
    options = replace(PseudoOptions(per_item=3.0, targets=3), **pseudo)
    return build_corpus(items, encoded, make_log(items) if log else [], kae, inputs, options, seed)


def small_loop(**changes: Any) -> LoopOptions:
    return replace(LoopOptions(steps=24, batch=16, rate=5e-3, device="cpu", precision="float32"), **changes)
