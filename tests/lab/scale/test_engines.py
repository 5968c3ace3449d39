"""What the index is measured beside."""

from __future__ import annotations

import numpy as np
import pytest

from slotbeam.catalog.item import Item
from slotbeam_lab.measures.run import Asked
from support.shop import make_items

pytest.importorskip("faiss")

from slotbeam_lab.baselines.inverted import InvertedFile
from slotbeam_lab.scale.engines import Tantivy

VECTORS = np.random.default_rng(0).integers(-90, 91, (600, 8)).astype(np.int8)
QUERY = np.random.default_rng(1).normal(size=8).astype(np.float32)


def test_tantivy_answers_with_the_items_that_hold_a_word_of_the_query_whatever_characters_are_in_it() -> None:
    engine = Tantivy([*make_items(50), Item(id="rare", title='a "zither": AND (more')])
    assert engine(Asked('zithers": OR ('), 10) == ["rare"]
    assert engine(Asked("?!"), 10) == []
    assert len(engine(Asked("red mug"), 5)) == 5


def test_an_inverted_file_reaches_every_row_when_it_looks_at_all_and_no_earlier_than_its_lists_say() -> None:
    lists = InvertedFile(VECTORS)
    order, held = lists.looked_at(QUERY)
    assert sorted(order.tolist()) == list(range(lists.lists))
    assert held[-1] == len(VECTORS)
    place = {int(number): turn for turn, number in enumerate(order)}
    for row in range(len(VECTORS)):
        before = place[int(lists.of_list[row])]
        needed = int(held[before - 1]) + 1 if before else 1
        assert lists.reaches(QUERY, row, needed)
        assert needed == 1 or not lists.reaches(QUERY, row, needed - 1)


def test_its_answer_is_the_closest_rows_of_the_lists_that_it_probes() -> None:
    lists = InvertedFile(VECTORS)
    order, held = lists.looked_at(QUERY)
    probed = np.flatnonzero(np.isin(lists.of_list, order[:3]))
    closest = probed[np.argsort(-(VECTORS[probed].astype(np.float32) @ QUERY))]
    assert lists.nearest(QUERY, 3, 5).tolist() == closest[:5].tolist()
    assert len(lists.nearest(QUERY, lists.lists, 10_000)) == len(VECTORS)
    assert lists.probes([QUERY], held[2]) == 3
    assert lists.probes([QUERY], len(VECTORS) + 1) == lists.lists
