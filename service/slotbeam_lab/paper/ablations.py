"""What is left out or changed, one thing at a time, beside the full configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from slotbeam.kae.categories import CATEGORIES
from slotbeam_train.options import TrainOptions
from slotbeam_train.stages.stages import STAGES


@dataclass(frozen=True, slots=True)
class Ablation:
    """One row.

    Attributes:
        label: in the table. change: of the training options. stages: of training. system: of the registry.
        bound: also measured by interventions, pinned and unpinned.
    """

    label: str
    change: Callable[[TrainOptions], TrainOptions] = lambda options: options
    stages: tuple[str, ...] = tuple(STAGES)
    system: str = "kae"
    bound: bool = False


def _kae(**changes: Any) -> Callable[[TrainOptions], TrainOptions]:
    return lambda options: replace(options, kae=replace(options.kae, **changes))


def _data(**changes: Any) -> Callable[[TrainOptions], TrainOptions]:
    return lambda options: replace(options, data=replace(options.data, **changes))


def _without(stage: str) -> tuple[str, ...]:
    return tuple(one for one in STAGES if one != stage)


FULL = "full"
"""The row that the others are compared with."""

ABLATIONS: dict[str, Ablation] = {
    FULL: Ablation("full configuration", bound=True),
    "no-s0": Ablation("without S0", stages=_without("S0")),
    "no-s1": Ablation("without S1", stages=_without("S1")),
    "no-s2": Ablation("without S2", stages=_without("S2")),
    "no-s3": Ablation("without S3", stages=_without("S3")),
    "self-routing-0": Ablation("self-routing 0", _data(self_routing=0.0), bound=True),
    "self-routing-1e-5": Ablation("self-routing 1e-5", _data(self_routing=1e-5), bound=True),
    "self-routing-0.15": Ablation("self-routing 0.15", _data(self_routing=0.15), bound=True),
    "groups-18": Ablation(f"G = {len(CATEGORIES)}, no grouping", _kae(groups=len(CATEGORIES))),
    "uniform": Ablation("uniform slot capacity", _kae(uniform=True)),
    "reserved-64": Ablation("64 reserved slots a position", _kae(reserved=64), bound=True),
    "paper-ranking": Ablation("ranked as in the paper", system="kae-paper-trie"),
    "unconstrained": Ablation("ranked as in the paper, unconstrained decoding", system="kae-paper"),
}
"""Every ablation by name."""
