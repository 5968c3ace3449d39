"""The bench runs whole, on the small artifact."""

from __future__ import annotations

from pathlib import Path

import pytest

from slotbeam.bench import quick as bench
from slotbeam.errors import SetupError


def test_the_bench_measures_queries_and_edits(monkeypatch: pytest.MonkeyPatch, tiny_artifact: Path) -> None:
    for name, value in {"QUERIES": 8, "WARM_UP": 2, "EDITS": 4, "HTTP_REQUESTS": 4}.items():
        monkeypatch.setattr(bench, name, value)
    found = bench.bench(tiny_artifact)
    assert [row["n"] for row in found["rows"]] == [8, 8, 8, 8, 8, 4, 4, 4]
    assert all(0 <= row["p50_ms"] <= row["p99_ms"] for row in found["rows"])
    assert found["trie_share"] > 0  # of two runs: where the machine is busy it may be more than 1
    table = bench.render(found)
    assert "| acknowledged → live in the data plane |" in table
    assert "tiny: 120 items" in table


def test_queries_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "queries.txt"
    path.write_text("red mug\n\n  lamp \n")
    assert bench.read_queries(path) == ["red mug", "lamp"]
    path.write_text("\n")
    with pytest.raises(SetupError, match="holds no query"):
        bench.read_queries(path)
