"""Mutation checks: the lines that keep edits safe are taken away, one at a time, and a test must turn red.

    PYTHONPATH=tests python -m torture.mutants [--list] [--jobs N] [--only TEXT] [--five]

Each mutant is a copy of `service/` in a temporary directory with one textual change. Its tests run against the copy; a
plugin in it makes sure that the copy is what they import. Exit status 1 when a mutant survives, 2 when something else
is wrong: a text that the source no longer holds exactly once, a test that is red without a mutant, a run that is no
verdict.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from torture.mutation import Mutation
from torture.mutations import MUTATIONS

ROOT = Path(__file__).parents[2]
HANG_S = 300
GREEN, RED = 0, 1
"""Exit statuses of pytest; every other one is no verdict on the tests."""
PLUGIN = """
from pathlib import Path
import slotbeam

def pytest_configure(config):
    found, wanted = Path(slotbeam.__file__).resolve(), Path(__file__).resolve().parent
    if not found.is_relative_to(wanted):
        raise RuntimeError(f"the tests would import {found}, not the copy in {wanted}")
"""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: `killed`, `survived` or `broken`, after `seconds`; `words` end the tests' output."""

    mutation: Mutation
    what: str
    seconds: float
    words: str


class Outdated(Exception):
    """A mutation's text is not in the source exactly once."""


def changed(package: Path, mutation: Mutation) -> str:
    """Return the mutation's file of `package` (`…/slotbeam`) with its change made. Raises `Outdated`."""
    text = (package / mutation.file).read_text(encoding="utf-8")
    for old, new in mutation.changes:
        if text.count(old) != 1:
            raise Outdated(
                f'"{mutation.name}": {mutation.file} holds {text.count(old)} times, not once:\n{old}\n'
                "the source has changed; put the mutation in tests/torture/mutations.py right"
            )
        text = text.replace(old, new)
    return text


def copied(directory: Path) -> Path:
    """Copy `service/` and the plugin into `directory`. Returns the copy of the package."""
    shutil.copytree(ROOT / "service", directory / "service", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (directory / "service" / "whence.py").write_text(PLUGIN, encoding="utf-8")
    return directory / "service" / "slotbeam"


def run(directory: Path, tests: Iterable[str]) -> tuple[int, str]:
    """Run `tests` against the copy in `directory`. Returns `(pytest's exit status, the end of what it said)`."""
    path = os.pathsep.join([str(directory / "service"), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    argv = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "whence", "-p", "no:cacheprovider", "--show-capture=no"]
    argv += ["--tb=line", f"--basetemp={directory / 'tmp'}", *tests]
    try:
        done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=HANG_S)
    except subprocess.TimeoutExpired:
        return -1, f"no end after {HANG_S} s"
    return done.returncode, (done.stdout + done.stderr).strip()[-1500:]


def tried(mutation: Mutation) -> Outcome:
    """Make one mutant and run its tests."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        package = copied(Path(name))
        (package / mutation.file).write_text(changed(package, mutation), encoding="utf-8")
        status, words = run(Path(name), mutation.tests)
    what = {GREEN: "survived", RED: "killed"}.get(status, "broken")
    return Outcome(mutation, what, time.monotonic() - began, words)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="name the mutants and end")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once (2)")
    parser.add_argument("--only", default="", help="those whose name holds this text")
    parser.add_argument("--five", action="store_true", help="the five that must never survive")
    arguments = parser.parse_args()
    chosen = [m for m in MUTATIONS if arguments.only in m.name and (m.five or not arguments.five)]
    console = Console(width=None if sys.stdout.isatty() else 160)
    if arguments.list or not chosen:
        console.print("\n".join(m.name for m in chosen) or f"no mutant's name holds {arguments.only!r}")
        return 0 if chosen else 2
    try:
        for mutation in chosen:
            changed(ROOT / "service" / "slotbeam", mutation)
    except Outdated as error:
        console.print(str(error), style="red", markup=False)
        return 2
    tests = sorted({test for mutation in chosen for test in mutation.tests})
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        copied(Path(name))
        console.print(f"{len(tests)} tests without a mutant …")
        status, words = run(Path(name), tests)
    if status != GREEN:
        console.print(f"a test is red, or cannot run, without any mutant:\n{words}", style="red", markup=False)
        return 2
    outcomes: list[Outcome] = []
    with Progress(console=console) as progress, ThreadPoolExecutor(arguments.jobs) as pool:
        task = progress.add_task("mutants", total=len(chosen))
        for done in as_completed([pool.submit(tried, mutation) for mutation in chosen]):
            outcomes.append(done.result())
            progress.advance(task)
            progress.console.print(f"{outcomes[-1].what}: {outcomes[-1].mutation.name} ({outcomes[-1].seconds:.0f} s)")
    return report(console, sorted(outcomes, key=lambda one: chosen.index(one.mutation)))


def report(console: Console, outcomes: list[Outcome]) -> int:
    """Show what became of every mutant. Returns the exit status."""
    table = Table("mutant", "file", "outcome", "s")
    for one in outcomes:
        table.add_row(one.mutation.name, one.mutation.file, one.what, f"{one.seconds:.0f}")
    console.print(table)
    for one in outcomes:
        if one.what != "killed":
            console.print(f"{one.what}: {one.mutation.name}\n{one.words}\n", style="red", markup=False)
    whats = [one.what for one in outcomes]
    console.print(f"{whats.count('killed')} of {len(outcomes)} mutants killed")
    return 2 if "broken" in whats else 1 if "survived" in whats else 0


if __name__ == "__main__":
    sys.exit(main())
