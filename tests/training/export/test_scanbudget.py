"""The choice of the scan budget, against a model that is known to find the item within so many rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slotbeam.catalog.item import Interaction
from slotbeam.catalog.passing import Passing
from slotbeam.decode.frontier import open_ranges
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Shelf
from slotbeam.search.groups import read_base
from slotbeam.search.request import SearchRequest
from slotbeam_train.export.scanbudget import KEPT, choose_budget
from support.shop import BRANDS, COLORS, ENTITIES, make_shop

N = 5000
ENOUGH = 300


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    shop = make_shop(tmp_path_factory.mktemp("shop"), n=N)
    return replace(shop, options=replace(shop.options, lexical_candidates=0, step_rows=0, scan_budget=3000))


def clicks(shop: Artifact, count: int, seed: int = 0) -> list[Interaction]:
    """Users who take any item at all: each budget reaches about its share of the catalog."""
    rng = np.random.default_rng(seed)
    words = [f"{color} {brand} {entity}" for color in COLORS for brand in BRANDS for entity in ENTITIES]
    return [
        Interaction(words[int(rng.integers(len(words)))], shop.catalog.ids[int(rng.integers(N))], "click", 1, "u")
        for _ in range(count)
    ]


def test_where_every_row_counts_all_of_them_are_looked_at(shop: Artifact) -> None:
    chosen = choose_budget(shop, clicks(shop, ENOUGH), seed=0, least=ENOUGH)
    assert chosen.rows == 8192
    assert list(chosen.recall) == [1024, 2048, 4096, 8192]
    assert chosen.recall[8192] == 1.0
    assert chosen.recall[4096] < KEPT


def test_where_the_first_rows_hold_what_users_take_no_more_are_looked_at(shop: Artifact) -> None:
    rng = np.random.default_rng(1)
    taken = []
    for query in [f"{color} {entity}" for color in COLORS for entity in ENTITIES]:
        memory = read_base(shop, SearchRequest(query)).memory
        everything, leaves = Passing(N), shop.catalog.leaf_items
        opened = open_ranges(shop.model, memory, Shelf(shop.trie, leaves, everything), shop.options.budget_of(1024))
        rows = rng.choice(everything.rows(opened.start, opened.stop), ENOUGH // 15)
        taken += [Interaction(query, shop.catalog.ids[int(row)], "click", 1, "u") for row in rows]
    chosen = choose_budget(shop, taken, seed=0, least=ENOUGH)
    assert chosen.rows == 1024
    assert chosen.recall[1024] == 1.0


def test_too_few_queries_leave_the_budget_as_it_is(shop: Artifact) -> None:
    assert choose_budget(shop, clicks(shop, 50), seed=0).rows == 3000
    assert choose_budget(shop, [], seed=0).recall == {}


def test_the_same_queries_give_the_same_choice(shop: Artifact) -> None:
    taken = clicks(shop, 100, seed=3)
    assert choose_budget(shop, taken, 1, least=50) == choose_budget(shop, taken, 1, least=50)
