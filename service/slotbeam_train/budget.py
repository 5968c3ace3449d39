"""How long a whole command may take: one clock that each of its parts asks. Knows no PyTorch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from slotbeam.errors import SetupError

EXPORT_SHARE, EXPORT_S = 0.25, 2.0
"""What is kept for model and index: a share of what the corpus took (an item took 0.15 of that), and some seconds."""
WEIGHTS_SHARE, WEIGHTS_S = 0.05, 60.0
"""What the weights of the item score may take: a share of the whole, and seconds at most."""
LEAST_SHARE = 0.25
"""Of a budget: where less is left for the stages a warning says so."""


class Budget:
    """Seconds that began when it was made.

    Args:
        seconds: in all.
        clock: seconds of a clock that only goes forward.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self.clock = max(0.0, seconds), clock
        self._ends = clock() + self.seconds

    @property
    def left(self) -> float:
        """Seconds until the end, 0 after it."""
        return max(0.0, self._ends - self.clock())

    @property
    def spent(self) -> float:
        """Seconds since the beginning, also past the end."""
        return self.seconds - (self._ends - self.clock())

    def ask(self, *_: object) -> None:
        """Raise `SetupError` when it is used up; its arguments make it a callback of any progress."""
        if not self.left:
            raise SetupError(
                f"the {self.seconds / 60:g} minutes are used up before the stages begin: "
                "nothing was learned and nothing is written; give more --minutes, or --steps"
            )

    def part(self, share: float = 1.0, keep: float = 0.0) -> Budget:
        """Begin a budget now: `share` of what is left when `keep` seconds are kept for later."""
        return Budget(share * max(0.0, self.left - keep), self.clock)


class BySteps:
    """The course of a stage of so many steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def goes_on(self, step: int) -> bool:
        """Whether there is a step after `step` of them."""
        return step < self.steps

    def schedule(self, step: int) -> tuple[int, int]:
        """How far it is: (done, of all), in steps."""
        return step, self.steps

    def expected(self, step: int) -> int:
        """Return steps in all, as far as can be told after `step` of them."""
        return self.steps


class ByClock:
    """The course of a stage that ends with its time, however long a step takes; it has one step at least.

    Args:
        budget: of the stage, or of what is left of it.
        first: the step that it goes on from.
        begun: how much of the stage was done before that, 0 to 1.
    """

    FINE = 10_000
    """Parts of the time that a schedule knows."""

    def __init__(self, budget: Budget, first: int = 0, begun: float = 0.0) -> None:
        self.budget, self.first, self.begun = budget, first, begun

    @property
    def along(self) -> float:
        """How much of the stage is done, 0 to 1."""
        used = min(1.0, self.budget.spent / self.budget.seconds) if self.budget.seconds > 0 else 1.0
        return self.begun + (1 - self.begun) * used

    def goes_on(self, step: int) -> bool:
        """Whether there is time for a step after `step` of them, or for more than half of one."""
        done = step - self.first
        mean = self.budget.spent / done if done else 0.0
        return step == 0 or self.budget.left > mean / 2

    def schedule(self, step: int) -> tuple[int, int]:
        """How far it is: (done, of all), in parts of its time."""
        return min(int(self.along * self.FINE), self.FINE - 1), self.FINE

    def expected(self, step: int) -> int:
        """Return steps in all, as far as can be told after `step` of them."""
        return max(step, round(step / max(self.along, 1e-9)))


def stages_of(budget: Budget, corpus_s: float, fits: bool) -> tuple[Budget, str]:
    """Return what the stages of a training may take when all before them is done, and what to say of it.

    Export and weights come after them. The weights end when the budget does; of the export an estimate is kept: it goes
    over every item as the corpus did, so that tells how long it takes here and now.

    Args:
        corpus_s: seconds that the corpus took, or would have taken for the whole catalog where it is of a sample.
        fits: whether there is a log, or a teacher, to fit weights to.

    Raises:
        SetupError: nothing is left for them.
    """
    after = EXPORT_SHARE * corpus_s + EXPORT_S + (min(WEIGHTS_S, WEIGHTS_SHARE * budget.seconds) if fits else 0.0)
    spent, stages = budget.spent, budget.part(keep=after)
    said = (
        f"of {budget.seconds / 60:g} minutes {spent:.0f} s are spent; {stages.seconds:.0f} s are for the stages, "
        f"about {after:.0f} s for what follows them"
    )
    wanted = f"give --minutes {math.ceil((spent + after) / (1 - LEAST_SHARE) / 60)} or more"
    if not stages.seconds:
        raise SetupError(f"{said}: nothing was learned and nothing is written; {wanted} (--resume keeps the words)")
    if stages.seconds < LEAST_SHARE * budget.seconds:
        said += f"\nwarning: too little to learn much from; {wanted}"
    return stages, said


FEW_STEPS = 0.8
"""Share of a configuration's own steps; with fewer a warning says so."""


def few_steps(done: int, meant: int, stages_s: float, other_s: float) -> str | None:
    """Return what to say of a training that its time ended early; None where it reached most of its steps.

    Args:
        done: steps of all stages.
        meant: steps of the configuration.
        stages_s: seconds that they took.
        other_s: seconds that reading, dictionary and teacher took, and export will take.
    """
    if done >= FEW_STEPS * meant:
        return None
    wanted = math.ceil((stages_s * meant / max(done, 1) + other_s) / 60)
    return (
        f"warning: {done} steps of the {meant} that this configuration is meant for ({done / meant:.0%}), at "
        f"{1000 * stages_s / max(done, 1):.0f} ms a step; item vectors and decoding are worse for it "
        f"(docs/training.md, Speed), words, slots and text vectors are not. For all of them give --minutes {wanted}, "
        "or more --threads"
    )


class Clock:
    """Seconds since the last call, kept by name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds: dict[str, float] = {}
        self._clock, self._last = clock, clock()

    def __call__(self, name: str) -> str:
        now = self._clock()
        self.seconds[name], self._last = round(now - self._last, 1), now
        return f"({self.seconds[name]} s)"
