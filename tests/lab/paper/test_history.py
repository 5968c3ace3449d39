"""What history is worth, on systems whose gain is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from slotbeam.catalog.item import Interaction
from slotbeam.search.artifact import Artifact
from slotbeam_lab.measures.run import Asked
from slotbeam_lab.paper.curves import WITH, WITHOUT, history_facts, history_table
from slotbeam_lab.paper.plots import plot_history


def row(number: int, items: int, queries: int = 0) -> Interaction:
    return Interaction(
        f"q{number}", "target", "click", 31, f"u{number}", ("before",) * queries, ("seen",) * items, position=1
    )


def reader(asked: Asked, k: int) -> Sequence[str]:
    """Put the target the higher the more items are known: rank 20 / items."""
    at = 20 // max(1, len(asked.recent_item_ids))
    return [*(f"other{n}" for n in range(at - 1)), "target"][:k]


def blind(asked: Asked, k: int) -> Sequence[str]:
    """Every second query finds the target at rank 5, the others at rank 20."""
    at = 5 if int(asked.query[1:]) % 2 else 20
    return [*(f"other{n}" for n in range(at - 1)), "target"][:k]


LOG = [row(number, items=number % 5 + 1, queries=number % 3) for number in range(300)]


def test_rows_are_told_apart_by_how_much_history_they_have() -> None:
    facts = history_table({WITH: reader, WITHOUT: blind}, LOG, (10, 100))
    assert facts["rows"] == facts["all"]["rows"] == 300
    by_items = {bucket["strength"]: bucket for bucket in facts["by"]["items"]}
    assert {strength: bucket["rows"] for strength, bucket in by_items.items()} == {"1": 60, "2": 60, "3": 60, "4+": 120}
    assert {bucket["strength"]: bucket["rows"] for bucket in facts["by"]["queries"]} == {"1": 100, "2": 100}
    assert [by_items[n][WITH]["HR@10"] for n in ("1", "2", "3", "4+")] == [0, 1, 1, 1]
    assert [by_items[n][WITHOUT]["HR@10"] for n in ("1", "2", "3", "4+")] == [0.5] * 4
    assert by_items["1"][WITH]["MRR@100"] == pytest.approx(1 / 20)
    assert set(facts["all"][WITH]) == {"HR@10", "HR@100", "MRR@100"}


def test_the_curve_asks_the_same_rows_with_less_of_their_history() -> None:
    log = [row(number, items=4, queries=2) for number in range(60)]
    curve = history_table({WITH: reader, WITHOUT: blind}, log, (10, 100))["curve"]
    assert [bucket["strength"] for bucket in curve] == ["1", "2", "3", "all"]
    assert {bucket["rows"] for bucket in curve} == {60}
    assert [bucket[WITH]["MRR@100"] for bucket in curve] == pytest.approx([1 / 20, 1 / 10, 1 / 6, 1 / 5])
    assert {bucket[WITHOUT]["HR@10"] for bucket in curve} == {0.5}


def test_the_newest_of_the_history_is_what_is_kept() -> None:
    asked: list[Asked] = []

    def recorder(one: Asked, k: int) -> Sequence[str]:
        asked.append(one)
        return ["target"]

    log = [Interaction("q0", "target", "click", 31, "u", ("old", "new"), ("first", "then", "last"))]
    history_table({WITH: recorder, WITHOUT: blind}, log, (10,))
    assert Asked("q0", ("new",), ("last",)) in asked
    assert Asked("q0", ("old", "new"), ("then", "last")) in asked


def test_the_ratio_is_paired_and_has_its_interval() -> None:
    facts = history_table({WITH: reader, WITHOUT: blind}, LOG, (10, 100))
    ratio, lower, upper = facts["by"]["items"][1]["ratio"]["HR@10"]
    assert ratio == 2.0
    assert 1.5 < lower < ratio < upper < 3.2
    assert facts["all"]["ratio"]["HR@100"] == [1.0, 1.0, 1.0]


def test_a_metric_that_is_never_met_without_history_has_no_ratio() -> None:
    facts = history_table({WITH: reader, WITHOUT: lambda asked, k: []}, LOG, (10,))
    assert facts["all"]["ratio"] == {}
    assert facts["all"][WITHOUT]["HR@10"] == 0


def test_without_rows_there_is_nothing_to_say() -> None:
    facts = history_table({WITH: reader, WITHOUT: blind}, [], (10,))
    assert facts["rows"] == 0
    assert facts["by"] == {"items": [], "queries": []}


def test_the_facts_are_json_and_equal_facts_make_equal_plots(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    facts = history_table({WITH: reader, WITHOUT: blind}, LOG, (10, 100))
    read = json.loads(json.dumps(facts))
    assert read == facts
    plot_history(facts, tmp_path / "a" / "one.svg")
    plot_history(read, tmp_path / "two.svg")
    drawn = (tmp_path / "a" / "one.svg").read_bytes()
    assert drawn == (tmp_path / "two.svg").read_bytes()
    assert drawn.startswith(b"<?xml")
    plot_history(facts, tmp_path / "mrr.svg", metric="MRR@100", by="queries")
    assert (tmp_path / "mrr.svg").read_bytes() != drawn


def test_an_artifact_is_asked_both_ways_on_rows_with_a_history_alone(tiny_artifact: Path) -> None:
    artifact = Artifact.load(tiny_artifact)
    target = artifact.catalog.ids[0]
    log = [
        Interaction("red mug", target, "click", 31, f"u{number}", (), (artifact.catalog.ids[number],) * (number % 2))
        for number in range(8)
    ]
    facts = history_facts(artifact, log, (5, 50))
    assert facts["rows"] == 4
    assert set(facts["by"]) == {"items", "queries", "positions"}
    assert sum(bucket["rows"] for bucket in facts["by"]["positions"]) == 4
    assert history_facts(artifact, log, (5, 50), queries=2)["rows"] == 2
