"""`slotbeam scale`: from a model to tables, and what is there is not made again."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from slotbeam.cli import app
from support.tiny import write_tiny_artifact

RUN = CliRunner()


def test_scale_makes_worlds_indexes_and_tables_once_and_says_what_failed(tmp_path: Path) -> None:
    for module in ("torch", "faiss", "tantivy", "bm25s"):
        pytest.importorskip(module)
    model, out = write_tiny_artifact(tmp_path / "model"), tmp_path / "out"
    arguments = ["scale", "--quick", "--items", "1000", "--model", str(model), "--out", str(out)]
    done = RUN.invoke(app, [*arguments, "--queries", "3", "--results", str(tmp_path / "kept.json")])
    assert done.exit_code == 0, done.output
    assert "1 units run, 0 failed" in done.output
    assert (tmp_path / "kept.json").read_bytes() == (out / "scale.json").read_bytes()
    assert "**1000 items, 3 clicks, k = 350**" in (out / "scale.md").read_text()
    assert sorted(path.name for path in (out / "plots").iterdir()) == ["scale-cost.svg", "scale-recall.svg"]
    made = {path: path.stat().st_mtime_ns for name in ("world.json", "manifest.json") for path in out.rglob(name)}
    assert len(made) == 2
    [vectors] = out.rglob("vectors.npy")
    vectors.write_bytes(vectors.read_bytes()[:-1])  # what is there is not made again, so it has to be whole
    broken = RUN.invoke(app, [*arguments, "--queries", "2"])
    assert broken.exit_code == 1
    assert "failed  scale-1000  " in broken.output
    assert {path: path.stat().st_mtime_ns for path in made} == made


def test_sizes_that_do_not_rise_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("tantivy")
    refused = RUN.invoke(app, ["scale", "--items", "2000,1000", "--out", str(tmp_path)])
    assert "allowed: sizes of worlds that rise" in str(refused.exception)
