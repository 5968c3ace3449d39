"""Units: kept one by one, run once, and none falls with another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slotbeam.errors import InputError
from slotbeam_lab.paper.units import Unit, run_units
from support.units import die, double


def unit(number: int, name: str = "", needs: tuple[str, ...] = ()) -> Unit:
    return Unit(name or f"n{number}", double, number, {"number": number}, needs)


def calls(where: Path, number: int) -> int:
    path = where / f"{number}.calls"
    return len(path.read_text()) if path.exists() else 0


def test_a_unit_whose_file_exists_is_not_run_again(tmp_path: Path) -> None:
    where, kept = tmp_path / "where", tmp_path / "units"
    first = run_units([unit(1), unit(2)], where, kept)
    second = run_units([unit(1), unit(2), unit(3)], where, kept)
    assert (first.ran, second.ran) == (["n1", "n2"], ["n3"])
    assert second.results["n1"] == first.results["n1"] == json.loads(unit(1).file(kept).read_text())
    assert [calls(where, number) for number in (1, 2, 3)] == [1, 1, 1]


def test_another_job_under_the_same_name_is_another_file(tmp_path: Path) -> None:
    assert unit(1, "same").file(tmp_path) != unit(2, "same").file(tmp_path)


def test_a_unit_that_fails_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    where, kept, said = tmp_path / "where", tmp_path / "units", []
    units = [unit(-1), unit(1, needs=("n-1",)), unit(2)]
    outcome = run_units(units, where, kept, tell=lambda what, one, *rest: said.append((what, one.name, rest[-1])))
    assert outcome.failed == {"n-1": "ValueError: -1 is negative", "n1": "not run: n-1 failed"}
    assert outcome.results["n2"]["doubled"] == 4
    assert [text for text in said if text[0] != "start"] == [
        ("failed", "n-1", 3),
        ("skipped", "n1", 3),
        ("done", "n2", 3),
    ]
    [trace] = kept.glob("*.error.txt")
    assert "Traceback" in trace.read_text()
    run_units(units, where, kept)
    assert calls(where, -1) == 2, "a failed unit is tried again"
    assert calls(where, 1) == 0


def test_units_run_in_processes_of_their_own_with_one_thread_and_none_falls_with_another(tmp_path: Path) -> None:
    where, kept = tmp_path / "where", tmp_path / "units"
    units = [Unit("dead", die, 0, {}), unit(1), unit(2, needs=("n1",)), unit(-1)]
    outcome = run_units(units, where, kept, jobs=2)
    assert {name: result["doubled"] for name, result in outcome.results.items()} == {"n1": 2, "n2": 4}
    assert outcome.results["n1"]["threads"] == "1"
    assert set(outcome.failed) == {"dead", "n-1"}
    assert "BrokenProcessPool" in outcome.failed["dead"]


def test_units_that_cannot_be_ordered_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="need each other in a circle"):
        run_units([unit(1, needs=("n2",)), unit(2, needs=("n1",))], tmp_path, tmp_path)
    with pytest.raises(InputError, match="missing: \\['nowhere'\\]"):
        run_units([unit(1, needs=("nowhere",))], tmp_path, tmp_path)
    with pytest.raises(InputError, match="names of their own"):
        run_units([unit(1), unit(1)], tmp_path, tmp_path)
