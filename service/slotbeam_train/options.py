"""One named configuration of training: everything that makes an artifact what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from slotbeam.errors import InputError
from slotbeam.search.options import SearchOptions
from slotbeam_train.lexicon import KaeOptions
from slotbeam_train.policy.model import ModelOptions
from slotbeam_train.stages.data import DataOptions
from slotbeam_train.stages.loop import LoopOptions
from slotbeam_train.stages.pseudo import PseudoOptions
from slotbeam_train.texts.distill import DistillOptions

SEARCH = SearchOptions(weight_prior=0.5, weight_vector=1.0, weight_slots=8.0, weight_text=40.0, weight_lexical=40.0)
"""The named configuration's search, by the rows of 2026-11-20 in docs/log-2026-11.md; its weights
hold where there is no log to fit them to."""


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Settings of `train`, recorded in the manifest.

    Attributes:
        name: of the configuration and of the artifact.
        vocabulary: text BPE entries at most; None follows the corpus.
        last_day: days of the log that training may see, 1..last_day.
        language: of the catalog, ISO 639-1; None: as its titles tell.
        sample: items that training learns from, drawn evenly; None: all. The index holds every item.
        shape: of the policy: `full` is `model`, `small` less of it, `auto` what the minutes hold (`shapes.py`).
        half: store weights as float16.
        fit: queries that the weights of the item score are fitted to after training; 0 leaves `search` as it is.
        quiet: no progress.
    """

    name: str = "standard"
    seed: int = 0
    vocabulary: int | None = None
    last_day: int = 30
    language: str | None = None
    sample: int | None = None
    shape: str = "auto"
    half: bool = True
    fit: int = 1000
    quiet: bool = False
    kae: KaeOptions = field(default_factory=KaeOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    data: DataOptions = field(default_factory=DataOptions)
    pseudo: PseudoOptions = field(default_factory=PseudoOptions)
    loop: LoopOptions = field(default_factory=LoopOptions)
    texts: DistillOptions = field(default_factory=DistillOptions)
    search: SearchOptions = field(default_factory=lambda: SEARCH)

    def seeded(self, seed: int) -> TrainOptions:
        """Return the same configuration with another seed of everything random."""
        return replace(self, seed=seed, kae=replace(self.kae, seed=seed))


def _tiny() -> TrainOptions:
    """Seconds on one core: for tests and first steps."""
    return TrainOptions(
        name="tiny",
        vocabulary=600,
        model=ModelOptions(width=32, encoder_layers=1, heads=2, feedforward=2, max_tokens=48),
        pseudo=PseudoOptions(per_item=3.0),
        texts=DistillOptions(width=32, queries=2000, steps=100, batch=128),
        loop=LoopOptions(steps=60, batch=48, rate=4e-3, precision="float32"),
    )


def _quick() -> TrainOptions:
    """Minutes on two cores: d = 128, 3 + 1 layers."""
    return TrainOptions(name="quick", loop=LoopOptions(steps=4500))


def _standard() -> TrainOptions:
    """Return the shipped artifact: d = 128, 3 + 1 layers, a longer run."""
    return TrainOptions(name="standard", loop=LoopOptions(steps=12_000))


def _large() -> TrainOptions:
    """For a GPU or an idle evening: d = 192, 6 + 1 layers."""
    return TrainOptions(
        name="large",
        model=ModelOptions(width=192, encoder_layers=6, heads=6),
        loop=LoopOptions(steps=40_000, batch=512, rate=1.5e-3),
    )


PRESETS: dict[str, Callable[[], TrainOptions]] = {
    "tiny": _tiny,
    "quick": _quick,
    "standard": _standard,
    "large": _large,
}


def preset(name: str, **loop: object) -> TrainOptions:
    """Return a named configuration; `loop` overrides settings of its loop, None values are left alone.

    Raises:
        InputError: no such configuration.
    """
    if name not in PRESETS:
        raise InputError(f"configuration {name!r} is unknown; allowed: {', '.join(PRESETS)}")
    options = PRESETS[name]()
    given = {key: value for key, value in loop.items() if value is not None}
    return replace(options, loop=replace(options.loop, **given)) if given else options  # type: ignore[arg-type]
