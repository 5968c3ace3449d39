"""A comparison says what two sides answer: nothing of equal ones, and exactly what an edit did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slotbeam.search.artifact import Artifact
from slotbeam_lab.measures.asking import Question
from slotbeam_lab.measures.comparing import compare
from slotbeam_lab.measures.questions import Judged
from slotbeam_lab.measures.run import Asked
from slotbeam_lab.measures.sides import Side
from support.exporting import write_export

NOW = 1_700_000_000_000
QUERIES = ("red mug", "acme lamp", "blue chair", "rug")
KS = (5, 20)


@pytest.fixture(scope="module")
def plain(shop: Artifact) -> Side:
    return Side.open(shop, None, NOW)


@pytest.fixture(scope="module")
def asked(plain: Side) -> list[Question]:
    """Each query with its own first and third item as what is right."""
    questions = []
    for query in QUERIES:
        ids = plain.ask(Asked(query), 20).ids
        questions.append(Question(Asked(query), rights=(Judged(query, {ids[0]: 3, ids[2]: 2}),)))
    return questions


def test_a_side_against_itself_differs_in_nothing(plain: Side, asked: list[Question]) -> None:
    told = compare(plain, plain, asked, KS)
    assert all(value == (1, 1, 1) for value in told["overlap"].values())
    assert all(one["difference"] == (0, 0, 0) and one["same"] == len(QUERIES) for one in told["measures"].values())
    assert told["look_at"] == {"losses": [], "gains": [], "changed": []}


def test_a_rule_that_hides_an_item_is_shown_as_this_query_and_this_loss(
    plain: Side, asked: list[Question], tmp_path: Path
) -> None:
    best = plain.ask(asked[0].asked, 20).ids[0]
    rule = {"words": ("red mug",), "trigger": "whole", "hide": (best,)}
    ruled = Side.open(plain.artifact, write_export(tmp_path / "rules.json", (rule, [], None)), NOW)
    told = compare(plain, ruled, asked, KS)
    [lost] = told["look_at"]["losses"]
    assert lost["query"] == "red mug"
    assert [(item["id"], item["rank"], item["right"]) for item in lost["left"]] == [(best, {"a": 1, "b": None}, True)]
    assert lost["applied"] == {"a": [], "b": [{"id": "b_2222222222", "word": "red mug", "actions": ["hide"]}]}
    assert told["look_at"]["gains"] == told["look_at"]["changed"] == []
    assert told["overlap"]["identical"][0] == 0.75
    recall = told["measures"]["Recall@20"]
    assert (recall["better"], recall["same"], recall["worse"]) == (0, 3, 1)
    assert recall["difference"][0] == pytest.approx(-0.5 / 4)
    back = compare(ruled, plain, asked, KS)
    assert [one["query"] for one in back["look_at"]["gains"]] == ["red mug"]
    assert back["measures"]["Recall@20"]["difference"][0] == -recall["difference"][0]


def test_a_word_that_is_bound_is_newly_answered(plain: Side, tmp_path: Path) -> None:
    items = list(plain.artifact.catalog.ids.take(np.arange(3)))
    bound = {"words": ("labubu",), "category": "brand"}
    side = Side.open(plain.artifact, write_export(tmp_path / "bound.json", (bound, items, "1-4")), NOW)
    assert (side.active, side.left_out) == (1, {})
    told = compare(plain, side, [Question(Asked("labubu"), 3.0), Question(Asked("rug"))], KS)
    assert told["answered"] == {"a": 1, "b": 2, "newly_empty": 0, "newly_answered": 1}
    [changed] = told["look_at"]["changed"]
    assert {item["id"] for item in changed["came"]} == set(items)
    assert told["overlap"]["identical"][0] == 0.25, "a mean weighs each query by how often it is asked"
    assert compare(side, plain, [Question(Asked("labubu"))], KS)["answered"]["newly_empty"] == 1


@pytest.mark.parametrize("slot", ["1-4", "0-1", "1-9999999", None])
def test_a_binding_whose_slot_is_another_codebooks_gets_a_free_one(plain: Side, slot: str, tmp_path: Path) -> None:
    items = [plain.artifact.catalog.ids[0]]
    both = (
        ({"words": ("labubu",), "category": "brand"}, items, slot),
        ({"words": ("x",), "category": "brand"}, items, slot),
    )
    side = Side.open(plain.artifact, write_export(tmp_path / "bound.json", *both), NOW)
    assert (side.active, side.left_out) == (2, {})
    assert side.ask(Asked("labubu"), 5).ids == tuple(items)


def test_what_is_not_served_is_told(plain: Side, tmp_path: Path) -> None:
    unknown = {"words": ("sale",), "filter": '{"size":{"lte":3}}'}
    over = {"words": ("gone",), "category": "brand", "ends_at": NOW - 1}
    side = Side.open(
        plain.artifact, write_export(tmp_path / "f.json", (unknown, [], None), (over, ["i001"], None)), NOW
    )
    assert side.active == 0
    assert list(side.left_out) == ["b_2222222222"]
    assert "size" in side.left_out["b_2222222222"]


def test_an_interval_holds_its_mean_and_does_not_depend_on_what_else_is_measured(
    plain: Side, asked: list[Question], tmp_path: Path
) -> None:
    best = plain.ask(asked[0].asked, 20).ids[0]
    rule = {"words": ("red mug",), "hide": (best,)}
    ruled = Side.open(plain.artifact, write_export(tmp_path / "rules.json", (rule, [], None)), NOW)
    few, many = compare(plain, ruled, asked, (20,), seed=1), compare(plain, ruled, asked, (1, 5, 20), seed=1)
    mean, lower, upper = few["overlap"]["overlap@20"]
    assert lower < mean < upper
    assert few["overlap"]["overlap@20"] == pytest.approx(many["overlap"]["overlap@20"])
