"""What is measured is what is served; and what a part taken out does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slotbeam.catalog.item import Interaction
from slotbeam.search.artifact import Artifact
from slotbeam_lab.measures.run import Asked
from support.shop import make_shop

pytest.importorskip("torch")
pytest.importorskip("faiss")

from slotbeam_lab.baselines.inverted import InvertedFile
from slotbeam_lab.baselines.systems import artifact_system
from slotbeam_lab.scale.measure import recall_curve, take_turns
from slotbeam_lab.scale.ways import SERVED, Way, answer, opened, parts, read

QUERIES = [Asked("red mug"), Asked("acme lamp", ("rug",)), Asked("blue", (), ("i003", "i007")), Asked("thing")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"), n=400, scan_budget=60, step_rows=20, lexical_candidates=10)


def clicks(artifact: Artifact) -> list[Interaction]:
    ids = [artifact.catalog.ids[row] for row in range(0, 400, 7)]
    return [
        Interaction(query=artifact.catalog.titles[7 * i], item_id=ids[i], kind="click", day=31, user="u")
        for i in range(20)
    ]


def test_the_served_way_answers_as_the_pipeline_does(shop: Artifact) -> None:
    served, search = Way.served(shop), artifact_system(shop)
    for asked in QUERIES:
        assert answer(shop, asked, 30, served) == list(search(asked, 30))


def test_a_budget_of_every_row_scans_every_row_and_decodes_nothing(shop: Artifact) -> None:
    for asked in QUERIES:
        ranges = opened(shop, read(shop, asked), Way.served(shop).scanning(400))
        assert (ranges.start.tolist(), ranges.stop.tolist(), ranges.steps) == ([0], [400], 0)


def test_each_part_that_is_taken_out_changes_how_a_query_is_answered(shop: Artifact) -> None:
    ways = dict(parts(shop))
    served = ways.pop(SERVED)
    assert all(way != served for way in ways.values())
    one = opened(shop, read(shop, QUERIES[0]), ways["one decoder step"])
    assert one.steps == 1
    assert len(opened(shop, read(shop, QUERIES[0]), ways["no ranges: words' candidates alone"]).start) == 0
    words = read(shop, QUERIES[0]).terms.best(10)
    ids = answer(shop, QUERIES[0], 50, ways["no ranges: words' candidates alone"])
    assert sorted(ids) == sorted(shop.catalog.ids[row] for row in words)


def test_ranges_are_opened_in_the_order_of_their_worth(shop: Artifact) -> None:
    ways = parts(shop)
    for asked in QUERIES:
        alone, served = (opened(shop, read(shop, asked), ways[name]) for name in ("ranges by mass alone", SERVED))
        assert np.all(np.diff(alone.logp) <= 0)
        assert np.all(np.diff(served.logp - np.log(served.stop - served.start))[:-1] <= 1e-12)  # the last may be cut


def test_an_inverted_file_in_the_decoders_place_ranks_by_the_same_item_score(shop: Artifact) -> None:
    lists = InvertedFile(shop.catalog.vectors)
    way = replace(Way.served(shop), lists=lists, probes=lists.lists)
    assert answer(shop, QUERIES[1], 20, way) == answer(shop, QUERIES[1], 20, Way.served(shop).scanning(400))


def test_systems_are_asked_the_same_queries_and_every_answer_is_scored_and_timed(shop: Artifact) -> None:
    rows = clicks(shop)
    systems = {
        "right": lambda asked, k: [row.item_id for row in rows if row.query == asked.query][:k],
        "none": lambda *_: [],
    }
    values, milliseconds = take_turns(systems, rows, 10, seed=0)
    assert np.mean(values["right"]["HR@10"]) > 0.9
    assert values["none"] == {"HR@10": [0.0] * 20, "MRR@10": [0.0] * 20}
    assert [len(times) for times in milliseconds.values()] == [20, 20]


def test_candidate_recall_rises_with_the_rows_looked_at_and_the_lists_look_at_no_fewer(shop: Artifact) -> None:
    curve = recall_curve(shop, InvertedFile(shop.catalog.vectors), clicks(shop))
    assert [(point["budget"], point["served"]) for point in curve] == [(60, True), (256, False)]
    few, many = curve
    assert all(a <= b for a, b in zip(few["rows"], many["rows"], strict=True))
    assert all(60 <= rows <= 80 for rows in few["rows"])
    assert all(inside <= either for inside, either in zip(few["ranges"], few["words"], strict=True))
