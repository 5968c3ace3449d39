"""What a run at scale measures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slotbeam.errors import InputError

KS = (100, 350)
"""Answers that are timed; quality is that of the longest one."""

DEMO_ITEMS = 30_000
"""Products of the world that the shipped demo was trained on and holds."""

_REQUESTS, _LEAST = 240_000, 0.1
"""Searches in 31 days whatever the number of items, those of the default world: a test day of thousands of clicks."""


@dataclass(frozen=True, slots=True)
class ScaleOptions:
    """What is measured, and on what.

    Attributes:
        items: sizes of the worlds, rising. queries: clicks of each world's test day at most.
        model: an artifact, whose model encodes every world; None trains one.
        minutes, sample: of its training, on so many items of the largest world.
        demo: an artifact of the default world, measured as it is, too; None leaves it out.
        seed: of the worlds, of the order in which systems are asked, and of training.
    """

    items: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    queries: int = 300
    model: Path | None = None
    minutes: float = 15.0
    sample: int = 30_000
    demo: Path | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if not self.items or list(self.items) != sorted(set(self.items)):
            raise InputError(f"items are {self.items}; allowed: sizes of worlds that rise, e.g. 10000,100000")


def quick() -> ScaleOptions:
    """Return the smallest world and a few queries: whether everything runs, and nothing about systems."""
    return ScaleOptions(items=(10_000,), queries=20, minutes=1.0, sample=2000)


def requests_per_item(items: int) -> float:
    """Return what a world of so many items asks of `WorldOptions`."""
    return max(_LEAST, min(8.0, _REQUESTS / items))
