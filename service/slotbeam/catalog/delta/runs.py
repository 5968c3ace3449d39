"""Runs that are merged as they grow, so that there are few of them and each entry is merged few times."""

from __future__ import annotations

from typing import Protocol, Self, TypeVar

_RATIO = 8


class Run(Protocol):
    """A part of what was added, immutable."""

    def __len__(self) -> int: ...

    def joined(self, later: Self) -> Self:
        """Return both as one run."""
        ...


R = TypeVar("R", bound=Run)


def with_run(runs: tuple[R, ...], new: R) -> tuple[R, ...]:
    """Return the runs with one more: each at least `_RATIO` times as long as the next, so that they are few."""
    held = [*runs, new]
    while len(held) > 1 and len(held[-2]) < _RATIO * len(held[-1]):
        last = held.pop()
        held[-1] = held[-1].joined(last)
    return tuple(held)
