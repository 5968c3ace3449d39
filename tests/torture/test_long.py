"""The long form itself: a part that ends, hangs or crashes is a result, and is not run again under its commit."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from torture.figures import FIGURES
from torture.long import Long, Result, Unit, summed, units

KILLS = Unit("kill", 0, seed=3, scale=0.001)


@pytest.fixture
def runs(tmp_path: Path, tiny_artifact: Path) -> Long:
    (tmp_path / "tiny").symlink_to(tiny_artifact)
    return Long(tmp_path, "1234567", console=Console(file=io.StringIO()))


async def test_a_part_runs_as_a_process_and_only_once_for_a_commit(runs: Long) -> None:
    [result] = await runs.run([KILLS])
    assert result.violations == []
    assert (result.numbers["kills"], result.numbers["lost"], result.numbers["not 200"]) == (2, 0, 0)
    assert result.numbers["acknowledged"] > 0
    assert result.numbers["answers"] > 0
    assert not (runs.directory / "work" / KILLS.name).exists()

    assert await runs.run([KILLS]) == [result]
    assert len(runs.results_file.read_text().splitlines()) == 1
    assert KILLS not in Long(runs.directory, "7654321").known()
    assert KILLS not in Long(runs.directory, "1234567-dirty").known()


async def test_a_part_that_crashes_is_violated_and_its_log_is_kept(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "manifest.json").write_text("no artifact")
    said = io.StringIO()
    runs = Long(tmp_path, "1234567", console=Console(file=said))
    [result] = await runs.run([KILLS])
    assert "manifest.json" in result.violations[0]
    assert (tmp_path / "work" / KILLS.name / "log").exists()
    runs.show([result])
    assert f"{KILLS.name}: Traceback" in said.getvalue()


async def test_a_part_that_hangs_is_ended(runs: Long, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FIGURES, "kill", replace(FIGURES["kill"], hang_s=0.0))
    [result] = await runs.run([KILLS])
    assert result.violations == ["hung for 0 s"]
    assert json.loads(runs.results_file.read_text())["violations"] == result.violations


def test_every_part_of_every_figure_is_a_unit() -> None:
    wanted = units(list(FIGURES), seed=0, seeds=20, scale=1.0)
    assert len(wanted) == len(set(wanted)) == sum(figure.parts for figure in FIGURES.values())
    assert {unit.figure for unit in wanted} == set(FIGURES)


def test_counts_add_up_and_of_other_numbers_the_largest_is_shown() -> None:
    parts = [
        Result("torn", part, 0, 1.0, "1234567", "", numbers={"answers": 10, "longest s": seconds})
        for part, seconds in enumerate((0.5, 0.25))
    ]
    assert summed(parts) == {"answers": 20, "longest s": 0.5}
