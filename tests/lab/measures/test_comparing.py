"""A comparison says what two sides answer: nothing of equal ones, and exactly what an edit did."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.bindings.binding import encode_items
from slotbeam.errors import SetupError
from slotbeam.search.artifact import Artifact
from slotbeam_lab.measures.asking import Question
from slotbeam_lab.measures.comparing import QUANTILES, compare
from slotbeam_lab.measures.metrics import ndcg, overlap
from slotbeam_lab.measures.questions import Judged
from slotbeam_lab.measures.run import Asked
from slotbeam_lab.measures.sides import Side, SideAnswer
from support.exporting import write_export

NOW = 1_700_000_000_000
QUERIES = ("red mug", "acme lamp", "blue chair", "rug")
KS = (5, 20)


@pytest.fixture(scope="module")
def plain(shop: Artifact) -> Side:
    return Side.open(shop, None, NOW)


@pytest.fixture(scope="module")
def ruled(plain: Side, tmp_path_factory: pytest.TempPathFactory) -> Side:
    """Two rules: the first item of "red mug" is hidden there, that of "blue chair" likewise."""
    hide = [
        {"words": (query,), "trigger": "whole", "hide": plain.ask(Asked(query), 1).ids}
        for query in ("red mug", "blue chair")
    ]
    file = write_export(tmp_path_factory.mktemp("ruled") / "rules.json", *((rule, [], None) for rule in hide))
    return Side.open(plain.artifact, file, NOW)


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
    assert told["applied"] == [{**lost["applied"]["b"][0], "a": 0, "b": 1, "changed": 1}]
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


def test_a_binding_that_the_artifact_absorbed_gets_no_slot(plain: Side, tmp_path: Path) -> None:
    items = [plain.artifact.catalog.ids[0]]
    bound = {"words": ("labubu",), "category": "brand"}
    absorbed = [{"items_sha": encode_items(items)[0], "contested": False, "words": ["labubu"]}]
    manifest = {**plain.artifact.manifest, "model": {"training": {"absorbed": absorbed}}}
    artifact = replace(plain.artifact, manifest=manifest)
    side = Side.open(artifact, write_export(tmp_path / "bound.json", (bound, items, "1-4")), NOW)
    assert (side.active, side.left_out) == (0, {})


def test_what_is_not_served_is_told(plain: Side, tmp_path: Path) -> None:
    unknown = {"words": ("sale",), "filter": '{"size":{"lte":3}}'}
    over = {"words": ("gone",), "category": "brand", "ends_at": NOW - 1}
    side = Side.open(
        plain.artifact, write_export(tmp_path / "f.json", (unknown, [], None), (over, ["i001"], None)), NOW
    )
    assert side.active == 0
    assert list(side.left_out) == ["b_2222222222"]
    assert "size" in side.left_out["b_2222222222"]


def test_drafts_count_when_they_are_asked_for_and_what_is_scheduled_at_its_time(plain: Side, tmp_path: Path) -> None:
    best = plain.ask(Asked("red mug"), 20).ids[0]
    draft = {"words": ("red mug",), "hide": (best,), "draft": True}
    bound = {"words": ("labubu",), "category": "brand", "draft": True}
    later = {"words": ("rug",), "hide": (best,), "starts_at": NOW + 1}
    file = write_export(tmp_path / "f.json", (draft, [], None), (bound, [best], None), (later, [], None))
    sides = [Side.open(plain.artifact, file, at, drafts) for at, drafts in ((NOW, False), (NOW, True), (NOW + 1, True))]
    assert [side.active for side in sides] == [0, 2, 3]
    assert best in sides[0].ask(Asked("red mug"), 20).ids
    assert best not in sides[1].ask(Asked("red mug"), 20).ids
    assert sides[1].ask(Asked("labubu"), 20).ids == (best,)


def test_a_table_of_bindings_is_refused_with_what_to_give(plain: Side, tmp_path: Path) -> None:
    (tmp_path / "bindings.csv").write_text("id\n")
    with pytest.raises(SetupError, match="slotbeam slots export"):
        Side.open(plain.artifact, tmp_path / "bindings.csv", NOW)


def test_a_right_item_that_moved_inside_the_first_ten_is_shown(
    plain: Side, asked: list[Question], tmp_path: Path
) -> None:
    ids = plain.ask(asked[0].asked, 20).ids
    rule = {"words": ("red mug",), "positions": (ids[1],)}
    ruled = Side.open(plain.artifact, write_export(tmp_path / "rules.json", (rule, [], None)), NOW)
    [lost] = compare(plain, ruled, asked, KS)["look_at"]["losses"]
    assert (lost["left"], lost["came"]) == ([], [])
    assert [(item["id"], item["rank"]) for item in lost["moved"]] == [(ids[0], {"a": 1, "b": 2})]


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.sampled_from(QUERIES), st.integers(1, 5)), min_size=1, max_size=4, unique_by=lambda q: q[0])
)
def test_every_mean_is_that_of_the_queries_as_often_as_they_are_asked(
    plain: Side, ruled: Side, given_counts: list[tuple[str, int]]
) -> None:
    questions = [Question(Asked(query), float(count)) for query, count in given_counts]
    told = compare(plain, ruled, questions, KS)
    answers = [
        (plain.ask(Asked(query), 20).ids, ruled.ask(Asked(query), 20).ids)
        for query, count in given_counts
        for _ in range(count)
    ]
    assert told["asked"] == len(answers)
    for k in KS:
        each = [len(set(a[:k]) & set(b[:k])) / max(len(a[:k]), len(b[:k]), 1) for a, b in answers]
        assert told["overlap"][f"overlap@{k}"][0] == pytest.approx(np.mean(each))
    assert told["overlap"]["identical"][0] == pytest.approx(np.mean([a == b for a, b in answers]))
    changed = {one["query"] for one in told["look_at"]["changed"]}
    assert changed == {query for query, _ in given_counts} & {"red mug", "blue chair"}


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


def test_what_is_drawn_are_the_values_of_the_queries_in_order(plain: Side, ruled: Side, asked: list[Question]) -> None:
    spread = compare(plain, ruled, asked, KS)["spread"]
    pairs = [(plain.ask(one.asked, 20).ids, ruled.ask(one.asked, 20).ids, one.rights[0].ratings) for one in asked]
    alike = sorted(overlap(a, b, 10) for a, b, _ in pairs)
    gains = sorted(ndcg(b, right) - ndcg(a, right) for a, b, right in pairs)
    for name, wanted in (("overlap@10", alike), ("nDCG@10", gains)):
        assert list(dict.fromkeys(spread[name])) == pytest.approx(list(dict.fromkeys(wanted)))
        assert (len(spread[name]), spread[name][0], spread[name][-1]) == (QUANTILES, wanted[0], wanted[-1])


class Far:
    """A side that answers everything, with ids that nothing else holds."""

    def __init__(self, of: str) -> None:
        self.of = of

    def ask(self, asked: Asked, k: int) -> SideAnswer:
        return SideAnswer(tuple(f"{self.of} {asked.query} {rank}" for rank in range(k)), ())

    def title(self, item_id: str) -> str:
        return item_id.upper()

    def facts(self) -> dict[str, Any]:
        return {}


def test_of_a_question_numbers_are_kept_and_no_answers() -> None:
    questions = [Question(Asked(str(number))) for number in range(100)]
    a, b = Far("a"), Far("b")
    tracemalloc.start()
    try:
        told = compare(a, b, questions, (300,), 2)  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**21, "100 questions of twice 300 ids are 4 MB"
    assert [one["query"] for one in told["look_at"]["changed"]] == ["0", "1"]
    assert told["look_at"]["changed"][0]["left"][0] == {"id": "a 0 0", "title": "A 0 0", "rank": {"a": 1, "b": None}}
