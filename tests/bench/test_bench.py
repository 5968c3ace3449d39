"""The bench runs whole, on the small artifact."""

from __future__ import annotations

from pathlib import Path

import pytest

from slotbeam.bench.command import bench, render
from slotbeam.bench.load import Load, read_queries
from slotbeam.errors import SetupError


def test_the_bench_measures_queries_edits_processes_live_items_switches_and_bindings(tiny_artifact: Path) -> None:
    much = {
        "warm_up": 2,
        "requests": 4,
        "edits": 4,
        "pairs": 2,
        "puts": 3,
        "patches": 50,
        "found": 20,
        "live": 10,
        "after_s": 0,
    }
    load = Load(queries=8, rate=200, seconds=0.4, **much)
    figures = bench(tiny_artifact, load=load, processes=2, items=30, switches=1, bindings=25)
    assert [row["n"] for row in figures["rows"]] == [8, 8, 8, 8, 8, 4, 4, 4]
    assert all(0 <= row["p50_ms"] <= row["p99_ms"] for row in figures["rows"])
    table = render(figures)
    assert "| acknowledged → live in the data plane |" in table
    assert "tiny: 120 items" in table
    told = figures["throughput"]
    assert (told["processes"], told["callers"], told["pairs"]) == (2, 8, 2)
    assert 0 < told["interval"][0] <= told["ratio"] <= told["interval"][1]
    assert "8 callers: " in table
    live, edits = figures["live"], figures["live"]["edits"]
    assert (live["items"], edits["replicas"]) == (30, 4)
    assert 0 < live["interval"][0] <= live["ratio"] <= live["interval"][1]
    assert 0 <= edits["everywhere_ms"][0] <= edits["everywhere_ms"][1] < 10_000
    assert min(edits["puts"], edits["patches"]) > 0
    found = live["found"]
    assert found["asked"] == 20
    assert found["all_ratio"] == pytest.approx(found["all_live"] / found["all_alone"], abs=1e-3)
    assert "30 live items: a query " in table
    switch = figures["switch"]
    assert (switch["switches"], switch["failed"]) == (1, 0)
    assert 0 < switch["interval"][0] <= switch["ratio"] <= switch["interval"][1]
    assert "1 switches of the index, " in table
    bound = figures["bound"]
    assert bound["bindings"] == 25
    assert 0 < bound["interval"][0] <= bound["ratio"] <= bound["interval"][1]
    assert 0 <= bound["live_ms"][0] <= bound["live_ms"][1] < 10_000
    assert 0 < bound["start_s"] < 60
    assert "25 bindings: a request p50 " in table
    assert "found for their own titles, of 20 items put anew: " in table


def test_queries_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "queries.txt"
    path.write_text("red mug\n\n  lamp \n")
    assert read_queries(path, 300) == ["red mug", "lamp"]
    path.write_text("\n")
    with pytest.raises(SetupError, match="holds no query"):
        read_queries(path, 300)
