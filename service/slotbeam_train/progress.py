"""Progress of training: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_EVERY_S = 20.0


class Reporter:
    """Tells a person how far training is. Use as a context manager; writes to stderr."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._bar: Progress | None = None
        self._spoke = 0.0

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def say(self, text: str) -> None:
        """One line for good."""
        self._console.print(text, markup=False, soft_wrap=True)

    def step(self, stage: str, done: int, total: int, loss: float, rate: float, per_s: float) -> None:
        """After each step: `loss` in nats, `rate` the learning rate, `per_s` steps a second."""
        text = f"{stage} loss {loss:.3f} lr {rate:.1e} {per_s:.1f} steps/s"
        if self._console.is_terminal:
            if self._bar is None or self._bar.tasks[0].fields["stage"] != stage:
                self._close()
                columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
                self._bar = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=self._console)
                self._bar.add_task(text, total=total, stage=stage)
                self._bar.start()
            self._bar.update(self._bar.tasks[0].id, description=text, completed=done)
        elif done == total or time.monotonic() - self._spoke > LINE_EVERY_S:
            self._spoke = time.monotonic()
            left = (total - done) / max(per_s, 1e-9)
            self.say(f"{text}  {done}/{total}  {left:.0f} s left of this stage")

    def count(self, what: str, done: int, total: int) -> None:
        """Say now and then how many of `total` are done."""
        if done == total or time.monotonic() - self._spoke > LINE_EVERY_S:
            self._spoke = time.monotonic()
            self.say(f"{what} {done}/{total}")

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
