"""The figures of the protocol: what the sample in `make test` shows, over hours, with counts.

A figure is a coroutine of a `Stage`; `@figure(name, parts, hang_s)` registers it. It returns its numbers (counts are
added up over the parts of a figure, of other numbers the largest is shown) and adds to `Stage.violations` whatever
breaks a promise; an exception is a violation, too. `torture.long` runs each part as a process of its own.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from torture.rig import Rig

Numbers = Mapping[str, int | float]


@dataclass
class Stage:
    """Where a part of a figure is measured.

    Args:
        directory: for everything it writes.
        artifact: the tiny one.
        seed: of every choice that is made at random.
        part: which one of the figure's parts.
        scale: 1 for the figures of the protocol, less for a quick try.
    """

    directory: Path
    artifact: Path
    seed: int = 0
    part: int = 0
    scale: float = 1.0
    violations: list[str] = field(default_factory=list)

    @cached_property
    def random(self) -> random.Random:
        return random.Random(f"{self.seed} {self.part}")

    def times(self, count: int) -> int:
        """`count` at this scale, at least 2."""
        return max(2, round(count * self.scale))

    def done(self, now: int, total: int) -> None:
        """Say how far it is; whoever runs the long form shows it."""
        (self.directory / "progress").write_text(f"{now} {total}")

    def rig(self, name: str = "rig", **options: Any) -> Rig:
        return Rig(self.directory / name, self.artifact, seed=1000 * self.seed + self.part, **options)

    async def judge(self, rig: Rig) -> None:
        """Inside `rig.level()`: replay the history so far."""
        found = await rig.history.judge(rig.remember)
        self.violations += found[:20]
        rig.history.found.clear()
        rig.check_logs()


@dataclass(frozen=True)
class Figure:
    """A figure to measure: in how many parts, and after how many seconds a part hangs."""

    run: Callable[[Stage], Awaitable[Numbers]]
    parts: int
    hang_s: float


FIGURES: dict[str, Figure] = {}


def figure(
    name: str, parts: int = 1, hang_s: float = 7200
) -> Callable[[Callable[[Stage], Awaitable[Numbers]]], Callable[[Stage], Awaitable[Numbers]]]:
    """Register a figure under its name."""

    def register(run: Callable[[Stage], Awaitable[Numbers]]) -> Callable[[Stage], Awaitable[Numbers]]:
        FIGURES[name] = Figure(run, parts, hang_s)
        return run

    return register


from torture.figures import convergence, deaths, histories, machine, outage, switches, torn  # noqa: E402  (they register themselves)

__all__ = [
    "FIGURES",
    "Figure",
    "Numbers",
    "Stage",
    "convergence",
    "deaths",
    "figure",
    "histories",
    "machine",
    "outage",
    "switches",
    "torn",
]
