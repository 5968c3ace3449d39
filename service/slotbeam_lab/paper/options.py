"""What a paper measures and on what budget, and its ablations: what is left out or changed, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slotbeam.kae.categories import CATEGORIES
from slotbeam_lab.baselines.registry import SYSTEMS
from slotbeam_lab.world import WorldOptions
from slotbeam_train.options import TrainOptions, preset
from slotbeam_train.stages.stages import STAGES

PARTS = ("systems", "interventions", "ablations", "gap", "curves", "icecat")


@dataclass(frozen=True, slots=True)
class PaperOptions:
    """What is measured, and on what budget.

    Attributes:
        world: of the systems, of the interventions and of the curves. ablated: of the ablations.
        gaps: vocabulary gaps of the curve. train: options of every system; its loop holds the budget.
        seeds: of training, for the rows that decide. systems: names of the registry.
        queries: rows of a test day at most. words: interventions of each size, in the systems `told`.
        collateral: queries without a bound word.
        icecat: folder of a real catalog with `judgements*.csv`; None leaves it out.
        judged: systems that are measured there. parts: of `PARTS`.
    """

    world: WorldOptions = field(default_factory=WorldOptions)
    ablated: WorldOptions = field(default_factory=lambda: WorldOptions(items=100_000))
    gaps: tuple[float, ...] = (0.0, 0.3, 0.6, 0.9, 1.0)
    train: TrainOptions = field(default_factory=lambda: preset("quick", minutes=15.0))
    seeds: tuple[int, ...] = (0, 1, 2)
    systems: tuple[str, ...] = tuple(SYSTEMS)
    queries: int = 4000
    words: int = 400
    told: tuple[str, ...] = ("kae", "rq-kmeans", "rq-vae", "rq-opq", "cq-sid")
    collateral: int = 10_000
    icecat: Path | None = None
    judged: tuple[str, ...] = ("bm25", "kae", "kae-no-lexical")
    parts: tuple[str, ...] = PARTS

    @property
    def budget(self) -> str:
        """The training budget of each system, in words."""
        loop = self.train.loop
        return f"{loop.minutes:g} minutes" if loop.minutes is not None else f"{loop.steps} steps"


def quick(items: int = 4000, minutes: float = 1.0) -> PaperOptions:
    """Everything in small: half an hour on two cores."""
    small = WorldOptions(items=items)
    return PaperOptions(
        world=small,
        ablated=small,
        train=preset("quick", minutes=minutes),
        seeds=(0,),
        queries=500,
        words=40,
    )


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
