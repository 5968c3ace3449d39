"""Runs that are merged as they grow, so that there are few of them and each entry is merged few times."""

from __future__ import annotations

from typing import Protocol, Self, TypeVar

FEW, CHEAP = 8, 2
"""How many times as long as the next a run is at least: few runs, that are read often, or cheap ones."""


class Run(Protocol):
    """A part of what was added, immutable."""

    def __len__(self) -> int: ...

    def joined(self, later: Self) -> Self:
        """Return both as one run."""
        ...


R = TypeVar("R", bound=Run)


def with_run(runs: tuple[R, ...], new: R, ratio: int) -> tuple[R, ...]:
    """Return the runs with one more, each at least `ratio` times as long as the next."""
    held = [*runs, new]
    while len(held) > 1 and len(held[-2]) < ratio * len(held[-1]):
        last = held.pop()
        held[-1] = held[-1].joined(last)
    return tuple(held)
