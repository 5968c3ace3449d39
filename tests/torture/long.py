"""Runs the long form: every part of every figure as a process of its own, with its log, resumable.

Files under the results' directory: `results.jsonl` (a line a part that was run), `tiny/` (the artifact), and
`work/<part>/` (its log and its files; kept when something was violated, removed otherwise).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from slotbeam.embedded.parentdeath import bound_to_parent
from slotbeam.files import write_whole
from support.processes import finding_tests
from torture.faults import FAULTS
from torture.figures import FIGURES, Stage

ORDER = (
    *("torn", "histories", "outage", "kill", "siblings", "power", "control", "faults", "convergence", "heal"),
    *("switches", "machine"),
)
SHOWN = 3
"""Violations of each figure in the summary; all of them are in the results."""


@dataclass(frozen=True)
class Unit:
    """One part of a figure."""

    figure: str
    part: int
    seed: int
    scale: float

    @property
    def name(self) -> str:
        return f"{self.figure}-{self.part:03d}"


@dataclass
class Result:
    """What came of a unit; a line of `results.jsonl`."""

    figure: str
    part: int
    seed: int
    scale: float
    commit: str
    date: str
    seconds: float = 0.0
    load: float = 0.0
    """Of the machine, over the last five minutes of it."""
    numbers: dict[str, float] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    @property
    def unit(self) -> Unit:
        return Unit(self.figure, self.part, self.seed, self.scale)


def units(only: Sequence[str], seed: int, seeds: int, scale: float) -> list[Unit]:
    """Every unit of these figures, in order; `seeds` is how many each fault is played with."""
    parts = {name: FIGURES[name].parts for name in FIGURES} | {"faults": seeds * len(FAULTS)}
    return [Unit(name, part, seed, scale) for name in ORDER if name in only for part in range(parts[name])]


def commit_of(directory: Path) -> str:
    """The commit that is checked out; with `-dirty` for changes, empty when there is none."""
    argv = ["git", "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"]
    return subprocess.run(argv, cwd=directory, capture_output=True, text=True).stdout.strip()


class Long:
    """One run of the long form.

    Args:
        directory: of the results.
        commit: units that are in the results under this one are not run again, unless it is dirty or unknown.
        jobs: faults side by side; everything else runs alone.
    """

    def __init__(self, directory: Path, commit: str, jobs: int = 1, console: Console | None = None) -> None:
        self.directory, self.commit, self.jobs = directory.resolve(), commit, jobs
        self.console = console or Console()
        self.results_file = self.directory / "results.jsonl"
        self.artifact = self.directory / "tiny"
        columns = (TextColumn("{task.description:16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=self.console)

    def known(self) -> dict[Unit, Result]:
        """What was run under this commit, the last result of each unit."""
        if not self.commit or self.commit.endswith("-dirty") or not self.results_file.exists():
            return {}
        lines = self.results_file.read_text().splitlines()
        results = [Result(**json.loads(line)) for line in lines if line.endswith("}")]
        return {result.unit: result for result in results if result.commit == self.commit}

    async def run(self, wanted: Sequence[Unit]) -> list[Result]:
        """Run what is not known yet, and return the results of all."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._write_artifact()
        known = self.known()
        missing = [unit for unit in wanted if unit not in known]
        turns = asyncio.Semaphore(self.jobs)
        with self.progress:
            total = self.progress.add_task("all", total=len(wanted), completed=len(wanted) - len(missing))
            for figure in dict.fromkeys(unit.figure for unit in missing):
                async with asyncio.TaskGroup() as group:
                    for unit in (unit for unit in missing if unit.figure == figure):
                        if figure != "faults":
                            known[unit] = await self._one(unit, total)
                        else:
                            group.create_task(self._in_turn(turns, unit, total, known))
        return [known[unit] for unit in wanted]

    async def _in_turn(self, turns: asyncio.Semaphore, unit: Unit, total: TaskID, known: dict[Unit, Result]) -> None:
        async with turns:
            known[unit] = await self._one(unit, total)

    async def _one(self, unit: Unit, total: TaskID) -> Result:
        """Run a unit as a process of its own, and note its result."""
        work = self.directory / "work" / unit.name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        result = Result(**asdict(unit), commit=self.commit, date=datetime.now(UTC).isoformat(timespec="seconds"))
        began = time.monotonic()
        argv = [sys.executable, "-m", "torture", "--unit", json.dumps(asdict(unit)), "--out", str(self.directory)]
        task = self.progress.add_task(unit.name, total=None)
        with (work / "log").open("wb") as log:
            process = subprocess.Popen(
                bound_to_parent(argv),
                env=finding_tests(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            result.violations += await self._watch(process, work, unit, task)
        finally:
            _kill(process)
            self.progress.remove_task(task)
        found = work / "result.json"
        if found.exists():
            said = json.loads(found.read_text())
            result.numbers, result.violations = said["numbers"], result.violations + said["violations"]
        elif not result.violations:
            result.violations.append(f"ended with status {process.returncode}: {(work / 'log').read_text()[-2000:]}")
        result.seconds, result.load = round(time.monotonic() - began, 1), round(os.getloadavg()[1], 1)
        with self.results_file.open("a") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
        if not result.violations:
            shutil.rmtree(work)
        self.progress.console.print(_line(result), highlight=False, markup=False, soft_wrap=True)
        self.progress.advance(total)
        return result

    async def _watch(self, process: subprocess.Popen[bytes], work: Path, unit: Unit, task: TaskID) -> list[str]:
        """Wait for its end, showing how far it is. Returns a violation when it hangs."""
        deadline = time.monotonic() + FIGURES[unit.figure].hang_s
        while process.poll() is None:
            if time.monotonic() > deadline:
                return [f"hung for {FIGURES[unit.figure].hang_s:.0f} s"]
            said = (work / "progress").read_text().split() if (work / "progress").exists() else []
            if len(said) == 2:
                self.progress.update(task, completed=int(said[0]), total=int(said[1]))
            await asyncio.sleep(0.2)
        return []

    def _write_artifact(self) -> None:
        if not (self.artifact / "manifest.json").exists():
            from support.tiny import write_tiny_artifact

            shutil.rmtree(self.artifact, ignore_errors=True)
            write_tiny_artifact(self.artifact)

    def show(self, results: Sequence[Result]) -> None:
        """Print a row a figure: counts added up, of other numbers the largest."""
        table = Table("figure", "parts", "violated", "numbers", title=f"torture {self.commit}")
        for figure in dict.fromkeys(result.figure for result in results):
            parts = [result for result in results if result.figure == figure]
            numbers = ", ".join(f"{name} {_shown(value)}" for name, value in summed(parts).items())
            table.add_row(figure, str(len(parts)), str(sum(bool(part.violations) for part in parts)), numbers)
        self.console.print(table)
        for result in (result for result in results if result.violations):
            for violation in result.violations[:SHOWN]:
                self.console.print(f"{result.unit.name}: {violation}", highlight=False, markup=False, soft_wrap=True)


def summed(parts: Sequence[Result]) -> dict[str, float]:
    """The numbers of a figure's parts as one: counts added up, of other numbers the largest."""
    total: dict[str, float] = {}
    for part in parts:
        for name, value in part.numbers.items():
            before = total.get(name, 0)
            total[name] = before + value if isinstance(value, int) else max(before, value)
    return total


async def perform(unit: Unit, directory: Path) -> None:
    """Run one unit in this process; its result is left in its directory."""
    stage = Stage(directory / "work" / unit.name, directory / "tiny", unit.seed, unit.part, unit.scale)
    numbers: dict[str, Any] = {}
    try:
        numbers = dict(await FIGURES[unit.figure].run(stage))
    except BaseException:
        stage.violations.append(traceback.format_exc()[-6000:])
    written = json.dumps({"numbers": numbers, "violations": stage.violations})
    write_whole(stage.directory / "result.json", written.encode())


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a unit and whatever it started, if it runs yet."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _line(result: Result) -> str:
    said = ", ".join(f"{name} {_shown(value)}" for name, value in result.numbers.items())
    verdict = f"VIOLATED {result.violations[0][-400:]}" if result.violations else "ok"
    return f"{result.unit.name} {result.seconds:.0f} s, load {result.load}: {verdict} {said}"


def _shown(value: float) -> str:
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else f"{value:.3f}"
