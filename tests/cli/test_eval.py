"""`slotbeam eval`: the tables that it writes are those that it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slotbeam.cli import app

RUN = CliRunner()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("bm25s")
    from slotbeam_lab.world import WorldOptions, make_world

    folder = tmp_path_factory.mktemp("eval") / "world"
    make_world(folder, WorldOptions(items=1000, requests_per_item=1))
    return folder


def test_tables_are_printed_written_and_kept(world: Path, tmp_path: Path) -> None:
    arguments = ["eval", "--catalog", str(world), "--baseline-only", "--queries", "5"]
    done = RUN.invoke(app, [*arguments, "--out", str(tmp_path), "--results", str(tmp_path / "kept.json")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "eval.md").read_text().strip() in done.output
    assert json.loads((tmp_path / "kept.json").read_text())["sections"]
    as_json = RUN.invoke(app, [*arguments, "--json"])
    assert json.loads(as_json.stdout)["tables"] == json.loads((tmp_path / "eval.json").read_text())["tables"]


def test_a_system_that_is_none_is_named_before_anything_is_trained(world: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    arguments = ["eval", "--catalog", str(world), "--baseline-only", "--cache", str(tmp_path / "cache")]
    done = RUN.invoke(app, [*arguments, "--systems", "bm25,nothing"])
    assert done.exit_code == 1
    assert "nothing" in str(done.exception)
    assert not (tmp_path / "cache").exists()
