"""What anybody puts together: a teacher alone, and BM25 beside it, with a weight chosen on other queries."""

from collections.abc import Sequence

import numpy as np
import pytest

from slotbeam.catalog.item import Item
from slotbeam_lab.baselines.bm25 import Bm25
from slotbeam_lab.baselines.hybrid import (
    RANKS,
    WEIGHTS,
    Hybrid,
    TeacherIndex,
    Truth,
    best,
    convex,
    half_of,
    inverted_file,
    reciprocal,
    rivals,
)
from slotbeam_lab.measures.questions import Judged, Questions
from slotbeam_lab.measures.run import Asked
from support.texts import FakeTeacher

ITEMS = [Item(f"{word}{color}", f"{color} {word}") for word in ("sofa", "mug", "lamp") for color in ("red", "blue")]
INDEX = TeacherIndex(ITEMS, FakeTeacher())


def test_the_teacher_alone_finds_what_a_word_means() -> None:
    assert set(INDEX.search(Asked("couch"), 2)) == {"sofared", "sofablue"}
    assert INDEX.search(Asked("crimson cup"), 1) == ["mugred"]


def test_its_inverted_file_finds_some_of_it() -> None:
    found = inverted_file(INDEX)(Asked("couch"), 6)
    assert set(found) <= {item.id for item in ITEMS}
    assert len(found) == len(set(found))


@pytest.mark.parametrize("k", [0, 1, 3, 9])
def test_the_best_are_in_order_and_equal_ones_as_given(k: int) -> None:
    scores = np.array([1.0, 3.0, 3.0, 0.0, 3.0])
    assert best("abcde", scores, k) == ["b", "c", "e", "a", "d"][:k]


def test_convex_adds_the_cosine_to_bm25_over_its_largest() -> None:
    words, cosines = np.array([4.0, 2.0, 0.0]), np.array([0.1, 0.9, 0.5])
    assert convex(words, cosines, 2.0) == pytest.approx([1.2, 2.3, 1.0])
    assert convex(np.zeros(3), cosines, 1.0) == pytest.approx(cosines)


def test_reciprocal_ranks_are_of_those_that_hold_a_word_and_of_all() -> None:
    words, cosines = np.array([4.0, 2.0, 0.0]), np.array([0.1, 0.9, 0.5])
    assert reciprocal(words, cosines, 1.0) == pytest.approx([1 / 2 + 1 / 4, 1 / 3 + 1 / 2, 1 / 3])


def test_a_weight_is_chosen_on_the_queries_of_the_other_half() -> None:
    """The one half needs words, the other meanings: each is answered with what the other needs."""
    by_half: dict[int, list[str]] = {0: [], 1: []}
    for number in range(40):
        query = f"couch {'x' * number}".strip()
        by_half[half_of(query)].append(query)
    asked: list[tuple[int, float]] = []

    class Watched(Hybrid):
        def _best(self, settings: Sequence[float], truths: Sequence[Truth]) -> float:
            asked.append((len(truths), half_of(truths[0].query)))
            assert len({half_of(truth.query) for truth in truths}) == 1
            return super()._best(settings, truths)

    truths = [Truth(query, ["sofared"]) for own in by_half.values() for query in own]
    made = Watched(Bm25(ITEMS), INDEX, convex, WEIGHTS, truths)
    assert asked == [(len(by_half[1]), 1), (len(by_half[0]), 0)]
    assert set(made.chosen) <= set(WEIGHTS)


def test_all_rivals_answer_with_items_of_the_catalog_each_once() -> None:
    questions = Questions((), {}, [Judged("couch", {"sofared": 3, "mugred": 0}), Judged("red cup", {"mugred": 2})], 0)
    systems = rivals(ITEMS, None, FakeTeacher(), questions)
    assert {"teacher", "BM25 + teacher, convex", "BM25 + teacher, RRF"} <= set(systems)
    for search in systems.values():
        found = list(search(Asked("red couch"), 4))
        assert len(found) == len(set(found)) <= 4
        assert set(found) <= {item.id for item in ITEMS}
    assert systems["BM25 + teacher, convex"](Asked("crimson cup"), 1) == ["mugred"]
    assert len(RANKS) > 1
