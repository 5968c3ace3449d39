"""A teacher alone and in hybrids, against the formulas written out over the whole catalog."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slotbeam.catalog.item import Item
from slotbeam.errors import InputError
from slotbeam_lab.measures.run import Asked, Table
from support.shop import make_items
from support.texts import FakeTeacher

pytest.importorskip("bm25s")
pytest.importorskip("faiss")

from slotbeam_lab.baselines.bm25 import Bm25, best_rows, document
from slotbeam_lab.baselines.hybrid import DEPTH, Hybrid
from slotbeam_lab.baselines.registry import SYSTEMS
from slotbeam_lab.baselines.rivals import BEST, rival_pairs, teacher_rivals, with_best
from slotbeam_lab.baselines.teacher import TeacherIndex

ITEMS = [*make_items(150), Item("couch", "grey couch", "two seats", fields={"brand": "acme"}), Item("none", "?")]
QUERIES = ("red mug", "grey sofa", "sofa", "nothing of this", "steel")
TEACHER = FakeTeacher()


@pytest.fixture(scope="module")
def dense() -> TeacherIndex:
    return TeacherIndex(ITEMS, TEACHER)


@pytest.fixture(scope="module")
def lexical() -> Bm25:
    return Bm25(ITEMS)


def cosines(query: str) -> np.ndarray:
    return np.asarray(TEACHER.encode([document(item) for item in ITEMS]) @ TEACHER.encode([query], queries=True)[0])


def is_best(answer: list[str], scores: np.ndarray, k: int) -> None:
    """The answer is k distinct items whose scores are the k largest; which of nearly equal ones is left open."""
    rows = [[item.id for item in ITEMS].index(name) for name in answer]
    assert len(set(rows)) == len(rows) == k
    assert scores[rows] == pytest.approx(np.sort(scores)[::-1][:k], abs=1e-5)


@pytest.mark.parametrize("query", QUERIES)
def test_the_teacher_alone_answers_with_the_closest_items_of_all(dense: TeacherIndex, query: str) -> None:
    is_best(dense.search(Asked(query), 20), cosines(query), 20)


def test_the_teacher_reads_the_text_that_bm25_is_given_and_a_query_once() -> None:
    teacher = FakeTeacher()
    index = TeacherIndex(ITEMS, teacher)
    for _ in range(3):
        index.search(Asked("red mug"), 5)
    assert teacher.asked == [*map(document, ITEMS), "red mug"]


@pytest.mark.parametrize("query", QUERIES)
def test_the_inverted_file_answers_with_the_closest_of_the_lists_that_hold_enough_rows(
    dense: TeacherIndex, query: str
) -> None:
    vector = TEACHER.encode([query], queries=True)[0]
    order, held = dense.lists.looked_at(vector)
    for rows in (1, 40, 10_000):
        count = int(np.argmax(held >= min(rows, len(ITEMS)))) + 1
        inside = np.isin(dense.lists.of_list, order[:count])
        found = dense.search_lists(Asked(query), 5, rows)
        is_best(found, np.where(inside, cosines(query), -2), min(5, int(inside.sum())))
    is_best(dense.search_lists(Asked(query), 30, len(ITEMS)), cosines(query), 30)


@pytest.mark.parametrize("query", QUERIES)
def test_the_convex_hybrid_is_bm25_over_its_maximum_and_w_times_the_cosine(
    dense: TeacherIndex, lexical: Bm25, query: str
) -> None:
    words = lexical.scores(query)
    share = np.zeros(len(ITEMS)) if words is None or not words.any() else words / words.max()
    for setting, system in Hybrid(lexical, dense).convex().items():
        weight = float(setting.removeprefix("w = "))
        is_best(list(system(Asked(query), 25)), share + weight * cosines(query), 25)


@pytest.mark.parametrize("query", QUERIES)
def test_the_reciprocal_hybrid_sums_the_reciprocals_of_both_ranks(
    dense: TeacherIndex, lexical: Bm25, query: str
) -> None:
    ids = [item.id for item in ITEMS]
    for setting, system in Hybrid(lexical, dense).reciprocal().items():
        constant, weight = (float(part.split(" = ")[1]) for part in setting.split(", "))
        scores = np.zeros(len(ITEMS))
        for ranked, own in ((lexical.search(query, DEPTH), 1.0), (dense.search(Asked(query), DEPTH), weight)):
            for rank, item in enumerate(ranked, start=1):
                scores[ids.index(item)] += own / (constant + rank)
        is_best(list(system(Asked(query), 25)), scores, 25)


def test_a_hybrid_finds_what_only_the_teacher_understands(dense: TeacherIndex, lexical: Bm25) -> None:
    assert "couch" not in lexical.search("sofa", 10)
    assert Hybrid(lexical, dense).convex()["w = 1"](Asked("sofa"), 1) == ["couch"]


def test_with_so_many_candidates_a_hybrid_scores_the_best_of_each_side_alone(
    dense: TeacherIndex, lexical: Bm25
) -> None:
    hybrid = Hybrid(lexical, dense, candidates=20)
    sides = {*lexical.search("red mug", 10), *dense.search(Asked("red mug"), 10)}
    for system in (*hybrid.convex().values(), *hybrid.reciprocal().values()):
        answer = system(Asked("red mug"), 100)
        assert len(answer) == len(sides) <= 20
        assert set(answer) == sides
    whole = Hybrid(lexical, dense).convex()["w = 1"](Asked("red mug"), 100)
    kept = [item for item in whole if item in sides]
    assert hybrid.convex()["w = 1"](Asked("red mug"), 100)[: len(kept)] == kept, "what both score, they order alike"


def test_a_hybrid_over_two_catalogs_is_refused(dense: TeacherIndex) -> None:
    with pytest.raises(ValueError, match="same items"):
        Hybrid(Bm25(ITEMS[1:]), dense)


def test_the_best_rows_are_those_of_a_stable_sort() -> None:
    rng = np.random.default_rng(0)
    for size in (0, 1, 7, 200):
        scores = rng.integers(0, 9, size).astype(np.float32)
        for k in (0, 1, 5, size, size + 3):
            assert best_rows(scores, k).tolist() == np.argsort(-scores, kind="stable")[:k].tolist()


def test_every_rival_with_a_teacher_has_its_row_with_aliases_where_there_are_some(
    dense: TeacherIndex, lexical: Bm25
) -> None:
    plain, aliased = teacher_rivals(dense, lexical), teacher_rivals(dense, lexical, lexical)
    assert list(plain) == list(aliased)[: len(plain)]
    assert {name for name in aliased if "aliases" in name} == set(aliased) - set(plain)
    assert set(aliased) < {contestant.label for contestant in SYSTEMS.values()}


def test_the_best_rival_is_the_best_of_each_metric() -> None:
    names = [SYSTEMS[name].label for name in ("bm25", "hybrid-convex", "hybrid-rrf")]
    values = {"a": [[1.0, 0.0], [0.5, 0.6], [0.0, 0.0]], "b": [[0.0, 0.0], [0.0, 0.1], [1.0, 1.0]]}
    table = Table({name: {m: own[n] for m, own in values.items()} for n, name in enumerate(names)})
    table.values["ours"] = {"a": [2.0, 2.0], "b": [2.0, 2.0]}
    best = with_best(table)
    assert best.values[BEST] == {"a": [0.5, 0.6], "b": [1.0, 1.0]}
    assert ("ours", BEST) in rival_pairs(best, "ours")
    assert best.ratios([("ours", BEST)])["ours", BEST]["b"][0] == 2.0
    assert with_best(Table({names[0]: table.values[names[0]]})).values.keys() == {names[0]}, "BM25 alone has no rival"
    assert rival_pairs(table, None) == [(name, names[0]) for name in (*names[1:], "ours")]


def test_a_system_that_needs_a_teacher_says_how_to_name_one(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from support.setups import make_setup

    setup = make_setup(tmp_path, ITEMS[:20], [])
    with pytest.raises(InputError, match="--teacher"):
        SYSTEMS["hybrid-convex"].build(setup)
