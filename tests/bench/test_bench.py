"""The bench runs whole, on the small artifact."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slotbeam.bench import command
from slotbeam.bench.load import Load, read_queries
from slotbeam.cli import app
from slotbeam.errors import SetupError

RUN = CliRunner()


def test_the_bench_measures_queries_and_edits(
    tiny_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Load(queries=8, warm_up=2, requests=4, edits=4)
    monkeypatch.setattr(command, "bench", partial(command.bench, load=small))
    file = tmp_path / "build" / "bench.json"
    arguments = ["bench", "--artifact", str(tiny_artifact)]
    done = RUN.invoke(app, [*arguments, "--out", str(file), "--json"])
    figures = json.loads(done.stdout)
    assert json.loads(file.read_text()) == figures
    assert [row["n"] for row in figures["rows"]] == [8, 8, 8, 8, 8, 4, 4, 4]
    assert all(0 <= row["p50_ms"] <= row["p99_ms"] for row in figures["rows"])
    monkeypatch.setattr(command, "bench", lambda *_: figures)
    table = RUN.invoke(app, arguments).stdout
    assert table == command.render(figures) + "\n"
    assert "| acknowledged → live in the data plane |" in table
    assert "tiny: 120 items" in table


def test_queries_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "queries.txt"
    path.write_text("red mug\n\n  lamp \n")
    assert read_queries(path, 300) == ["red mug", "lamp"]
    path.write_text("\n")
    with pytest.raises(SetupError, match="holds no query"):
        read_queries(path, 300)
