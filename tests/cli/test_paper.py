"""`slotbeam paper`: which units ran."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from slotbeam.cli import app

RUN = CliRunner()


def test_paper_runs_what_can_be_run_and_ends_with_1_when_a_unit_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("bm25s")
    from slotbeam_lab.baselines.registry import SYSTEMS, Contestant

    monkeypatch.setitem(SYSTEMS, "broken", Contestant("broken", "support.fakes:build_broken"))
    arguments = ["paper", "--quick", "--out", str(tmp_path / "out"), "--parts", "systems", "--items", "1000"]
    arguments += ["--config", "tiny", "--steps", "5", "--queries", "5", "--jobs", "1"]
    done = RUN.invoke(app, [*arguments, "--systems", "bm25", "--results", str(tmp_path / "kept.json")])
    assert done.exit_code == 0, done.output
    assert "1 units run, 0 failed" in done.output
    assert (tmp_path / "kept.json").read_bytes() == (tmp_path / "out" / "paper.json").read_bytes()
    failed = RUN.invoke(app, [*arguments, "--systems", "bm25,broken"])
    assert failed.exit_code == 1
    assert "1 units run, 1 failed" in failed.output
    assert "failed  systems-broken-0  " in failed.output
    assert "this system cannot be built" in failed.output
