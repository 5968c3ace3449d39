"""Units of work: each is one JSON file, and a unit whose file exists is not run again."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slotbeam.errors import InputError
from slotbeam.files import write_whole

Told = Callable[[str, "Unit", float, str, int], None]
"""Called with (`start`, `done`, `kept`, `failed` or `skipped`; the unit; seconds; what went wrong; units in all)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of work.

    Attributes:
        name: unique among the units of a run, and the beginning of its file's name.
        run: a function at the top of a module, without arguments but `where` and `job`; returns JSON values.
        job: what is done, a JSON value that decides the file's name together with `run`.
        work: what `run` is called with (after `where`); whatever `job` describes.
        needs: names of units that must be there first.
    """

    name: str
    run: Callable[[Any, Any], dict[str, Any]]
    work: Any
    job: dict[str, Any]
    needs: tuple[str, ...] = ()

    def file(self, directory: Path) -> Path:
        """Where its result is kept."""
        said = json.dumps([self.run.__name__, self.job], sort_keys=True, default=str)
        return directory / f"{self.name}-{hashlib.sha256(said.encode()).hexdigest()[:12]}.json"


@dataclass(slots=True)
class Outcome:
    """Results by unit, what failed and why, and which units were run now."""

    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)


def run_units(units: Sequence[Unit], where: Any, directory: Path, jobs: int = 1, tell: Told | None = None) -> Outcome:
    """Run what is not there yet, `jobs` at a time; a unit that fails is reported and the others go on.

    Args:
        where: passed to every unit: places and other things that do not change a result.
        directory: of the units' files. A failed unit leaves `NAME-….error.txt` there with its traceback.
        jobs: 1 runs in this process; more run each unit in a process of its own with one thread.
        tell: told of each unit's start and end.

    Raises:
        InputError: two units of one name, or a unit that needs one that is not there.
    """
    names = [unit.name for unit in units]
    missing = {need for unit in units for need in unit.needs} - set(names)
    if len(set(names)) < len(names) or missing:
        raise InputError(f"units must have names of their own and need each other only; missing: {sorted(missing)}")
    directory.mkdir(parents=True, exist_ok=True)

    def say(what: str, unit: Unit, seconds: float = 0.0, error: str = "") -> None:
        if tell is not None:
            tell(what, unit, seconds, error, len(units))

    outcome, waiting = Outcome(), []
    for unit in units:
        file = unit.file(directory)
        if file.is_file():
            outcome.results[unit.name] = json.loads(file.read_text(encoding="utf-8"))
            say("kept", unit)
        else:
            waiting.append(unit)
    running: dict[Future[tuple[float, str]], Unit] = {}
    with ThreadPoolExecutor(max(1, jobs)) as pool, one_thread_each(jobs > 1):
        while waiting or running:
            for unit in list(waiting):
                lost = [need for need in unit.needs if need in outcome.failed]
                if lost:
                    waiting.remove(unit)
                    outcome.failed[unit.name] = f"not run: {', '.join(lost)} failed"
                    say("skipped", unit, 0.0, outcome.failed[unit.name])
                elif len(running) < max(1, jobs) and all(need in outcome.results for need in unit.needs):
                    waiting.remove(unit)
                    say("start", unit)
                    if jobs > 1:
                        running[pool.submit(_apart, unit, where, directory)] = unit
                    else:
                        _note(unit, *_write(unit, where, directory), directory, outcome, say)
            if running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    _note(running.pop(future), *future.result(), directory, outcome, say)
            elif waiting and not any(_ready(unit, outcome) for unit in waiting):
                raise InputError(f"the units {', '.join(unit.name for unit in waiting)} need each other in a circle")
    return outcome


@contextmanager
def one_thread_each(wanted: bool) -> Iterator[None]:
    """Let processes started inside use one thread of OpenMP each."""
    old = os.environ.get("OMP_NUM_THREADS")
    if wanted:
        os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if wanted:
            os.environ.pop("OMP_NUM_THREADS")
            os.environ.update({} if old is None else {"OMP_NUM_THREADS": old})


def _ready(unit: Unit, outcome: Outcome) -> bool:
    return all(need in outcome.results or need in outcome.failed for need in unit.needs)


def _note(unit: Unit, seconds: float, error: str, directory: Path, outcome: Outcome, say: Callable[..., None]) -> None:
    outcome.ran.append(unit.name)
    file = unit.file(directory)
    trace = file.with_suffix(".error.txt")
    if error:
        trace.write_text(error, encoding="utf-8")
        outcome.failed[unit.name] = error.strip().splitlines()[-1]
        say("failed", unit, seconds, outcome.failed[unit.name])
        return
    trace.unlink(missing_ok=True)
    outcome.results[unit.name] = json.loads(file.read_text(encoding="utf-8"))
    say("done", unit, seconds)


def _apart(unit: Unit, where: Any, directory: Path) -> tuple[float, str]:
    """Run a unit in a process of its own, so that no other unit falls with it."""
    started = time.monotonic()
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return pool.submit(_write, unit, where, directory).result()
    except Exception as error:  # the process was killed, or could not start
        return time.monotonic() - started, f"{type(error).__name__}: {error}"


def _write(unit: Unit, where: Any, directory: Path) -> tuple[float, str]:
    """Run a unit and write its file in one rename; return seconds and the traceback, empty when all went well."""
    started = time.monotonic()
    try:
        text = json.dumps(unit.run(where, unit.work), ensure_ascii=False)
    except Exception:
        return time.monotonic() - started, traceback.format_exc()
    write_whole(unit.file(directory), text.encode() + b"\n")
    return time.monotonic() - started, ""
