"""Progress on standard error."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from slotbeam.cli.console import fail, say

if TYPE_CHECKING:
    from slotbeam_lab.paper.units import Outcome, Told, Unit


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar on standard error; yields what to call with (what, done, total)."""
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield report


@contextmanager
def unit_progress() -> Iterator[Told]:
    """Print a line for every unit that ends and, on a terminal, a bar with what runs and for how long."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    columns = (MofNCompleteColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    running: list[str] = []
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, unit: Unit, seconds: float, error: str, total: int) -> None:
            if what == "start":
                running.append(unit.name)
            else:
                running[:] = [name for name in running if name != unit.name]
                bar.advance(task)
                console.print(f"{what:8}{unit.name}  {f'{seconds:.0f} s' if seconds else ''}  {error}", markup=False)
            bar.update(task, description=", ".join(running), total=total)

        yield tell


def tell_units(written: Path, tables: int, outcome: Outcome, results: Path | None) -> None:
    """Say what a run of units wrote, and end the command with an error where one of them failed.

    Args:
        written: the tables as Markdown; beside them are the same as JSON, and `units/`.
        tables: how many there are.
        outcome: what ran and what failed.
        results: where the JSON is kept, too.
    """
    if results is not None:
        results.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(written.with_suffix(".json"), results)
    say(f"{written}: {tables} tables; {len(outcome.ran)} units run, {len(outcome.failed)} failed")
    if outcome.failed:
        fail(f"failed: {', '.join(outcome.failed)}; why: {written.parent / 'units'}/*.error.txt")
